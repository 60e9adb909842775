"""The charts of what a search found, from a record's `quality` alone: scores and configurations.

They are read without colours: by dashes, shapes, places.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert
from studyreport import theme

WIDTH, HEIGHT = 560, 300
AXIS_GAP = 150
"""Points between two axes of parallel coordinates."""
LINES = [
    ("#0072B2", [1, 0], "circle"),
    ("#D55E00", [6, 3], "square"),
    ("#009E73", [2, 2], "triangle-up"),
    ("#222222", [9, 3, 2, 3], "diamond"),
    ("#CC79A7", [4, 2], "cross"),
]
"""Colour, dashes and shape of each search, in turn."""
LOGARITHMIC_FROM = 15.0
"""A scale that spans as much is of logarithms, where all is positive."""
SCORE = "score"

Points = list[dict[str, Any]]


def png(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_png(theme.spec(chart), scale=theme.PNG_SCALE))


def best_so_far(quality: Mapping[str, Any]) -> Any:
    """Of every search, the best score against the CPU-seconds that it took."""
    searches = quality["searches"]
    points = [
        {"search": name, "seconds": cpu, "score": score}
        for name, of in searches.items()
        for cpu, _, score in of["best_so_far"]
    ]
    colours, dashes, shapes = zip(
        *(LINES[at % len(LINES)] for at in range(len(searches))), strict=True
    )
    names = list(searches)
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("seconds:Q", title="CPU-seconds of all trials", scale=alt.Scale(zero=True)),
        y=alt.Y("score:Q", title=sentence(quality["score_is"]), scale=alt.Scale(zero=False)),
        color=alt.Color("search:N", scale=alt.Scale(domain=names, range=colours)),
    )
    stairs = base.mark_line(strokeWidth=2, interpolate="step-after").encode(
        strokeDash=alt.StrokeDash("search:N", scale=alt.Scale(domain=names, range=dashes))
    )
    marks = base.mark_point(size=45, filled=True, opacity=1).encode(
        shape=alt.Shape("search:N", scale=alt.Scale(domain=names, range=shapes))
    )
    drawn = stairs + marks + _chance(quality)
    told = "A mark where it rose, and at the end; of the validation part, which chose the best."
    return theme.styled(drawn.properties(width=WIDTH, height=HEIGHT), "Best score so far", told)


def _chance(quality: Mapping[str, Any]) -> Any:
    """A line at chance, where scores are accuracies."""
    there = "accuracy" in quality["score_is"]
    level = [{"chance": quality["chance"], "shown": "chance"}] if there else []
    base = alt.Chart(alt.InlineData(values=level)).encode(y="chance:Q")
    rule = base.mark_rule(strokeDash=[1, 3], color="black")
    words = base.mark_text(align="right", dx=-4, dy=-6)
    return rule + words.encode(x=alt.value(WIDTH), text="shown:N")


def parallel_coordinates(quality: Mapping[str, Any]) -> Any:
    """A line for every trial: its configuration and its score, of the same job."""
    trials = [trial for trial in quality["trials"] if trial["score"] is not None]
    columns: dict[str, list[float]] = {}
    for trial in trials:
        for name, value in {**trial["configuration"], SCORE: trial["score"]}.items():
            columns.setdefault(name, []).append(value)
    # The best is drawn last, over all others.
    best = (quality["best"] or {}).get("trial")
    order = sorted(range(len(trials)), key=lambda at: trials[at]["trial"] == best)
    points = [
        {
            "trial": trials[at]["trial"],
            "axis": name,
            "place": place(values[at], values),
            "score": trials[at]["score"],
            "best": trials[at]["trial"] == best,
        }
        for at in order
        for name, values in columns.items()
    ]
    return _parallel(points, columns, quality)


def _parallel(
    points: Points, columns: Mapping[str, Sequence[float]], quality: Mapping[str, Any]
) -> Any:
    names = list(columns)
    axis = alt.X(
        "axis:N",
        sort=names,
        title=None,
        scale=alt.Scale(type="point"),
        axis=alt.Axis(labelAngle=0, domain=False, ticks=False, labelExpr=_labels(quality)),
    )
    where = alt.Y("place:Q", axis=None, scale=alt.Scale(domain=[-0.12, 1.12]))
    shade = alt.Color(
        "score:Q",
        scale=alt.Scale(range=["#C6DBEF", "#08306B"], interpolate="rgb"),
        legend=alt.Legend(title=quality["score_is"], orient="right"),
    )
    base = alt.Chart(alt.InlineData(values=points)).encode(x=axis, y=where)
    lines = base.mark_line().encode(
        detail="trial:N",
        color=shade,
        strokeWidth=alt.when(alt.datum.best).then(alt.value(4)).otherwise(alt.value(1.6)),
    )
    ends = [
        {"axis": name, "place": place(end, values), "shown": f"{end:.3g}", "top": top}
        for name, values in columns.items()
        for top, end in ((True, max(values)), (False, min(values)))
        if top or max(values) > min(values)
    ]
    scales = alt.Chart(alt.InlineData(values=ends)).encode(x=axis, y=where)
    drawn = scales.mark_line(color="#888888").encode(detail="axis:N") + lines
    for top, dy in ((True, -9), (False, 11)):
        text = scales.transform_filter(alt.datum.top == top).mark_text(dy=dy, fontSize=11)
        drawn += text.encode(text="shown:N")
    width = AXIS_GAP * max(1, len(names))
    return theme.styled(
        drawn.properties(width=width, height=HEIGHT),
        "Configurations and scores",
        "A line a trial, the darker the better, the best one thick.",
    )


def _labels(quality: Mapping[str, Any]) -> str:
    return f"datum.label == '{SCORE}' ? '{quality['score_is']}' : replace(datum.label, '_', ' ')"


def place(value: float, values: Sequence[float]) -> float:
    """Of a value on its axis, 0 … 1; one value alone is in the middle."""
    low, high = min(values), max(values)
    if low == high:
        return 0.5
    if logarithmic(values):
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def logarithmic(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > LOGARITHMIC_FROM


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
