"""The charts of how a search went: which trial went on from whose state, and with what values."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
from studyreport import theme

from hyperparameter_tuning.drawing import WIDTH, Points, logarithmic

ROW = 22
"""Points of a trial in the lineage."""
SLANT = 0.3
"""Part of a job over which its copy is drawn, so that copies of one moment are told apart."""
PANEL = 180
ALIVE, GIVEN_UP, BEST = "lives on", "given up", "the best model"
KINDS = [BEST, ALIVE, GIVEN_UP]
COLOURS = ["#D55E00", "#0072B2", "#BBBBBB"]
WIDTHS = [4.5, 2.5, 1.5]
DASHES = [[1, 0], [1, 0], [3, 3]]


def went_on(quality: Mapping[str, Any]) -> bool:
    """Whether any trial was trained in more than one job: else there is no time to draw."""
    return any(len(trial["history"]) > 1 for trial in quality["trials"])


def copied(quality: Mapping[str, Any]) -> bool:
    return any(
        step["copied_from"] is not None for trial in quality["trials"] for step in trial["history"]
    )


def lineage(quality: Mapping[str, Any]) -> Any:
    """A row for every trial, its epochs from left to right; upright lines are copied states."""
    alive, best = _alive(quality), _of_the_best(quality)
    along: Points = []
    across: Points = []
    for trial in quality["trials"]:
        for step in trial["history"]:
            number, (first, last) = trial["trial"], step["epochs"]
            job = step["job"]
            kind = BEST if job in best else ALIVE if job in alive else GIVEN_UP
            source = step["copied_from"]
            begin = first if source is None else first + SLANT * (last - first)
            along.append({"from": begin, "to": last, "trial": number, "kind": kind})
            if source is not None:
                copy = {"from": first, "to": begin, "source": source, "trial": number}
                across.append(copy | {"kind": kind})
    scales = [alt.Scale(domain=KINDS, range=of) for of in (COLOURS, WIDTHS, DASHES)]
    look = {
        "color": alt.Color("kind:N", scale=scales[0]),
        "strokeWidth": alt.StrokeWidth("kind:N", scale=scales[1], legend=None),
        "strokeDash": alt.StrokeDash("kind:N", scale=scales[2]),
    }
    numbers = [trial["trial"] for trial in quality["trials"]]
    scale = alt.Scale(domain=[min(numbers) - 0.6, max(numbers) + 0.6], reverse=True, nice=False)
    row = alt.Y(
        "trial:Q",
        title="Trial",
        scale=scale,
        axis=alt.Axis(values=numbers, format="d", grid=False),
    )
    epochs = alt.Axis(tickMinStep=1, format="d")
    drawn = (
        alt.Chart(alt.InlineData(values=along))
        .mark_rule()
        .encode(x=alt.X("from:Q", title="Epoch", axis=epochs), x2="to:Q", y=row, **look)
    )
    copies = alt.Chart(alt.InlineData(values=across))
    slanted = alt.Y("source:Q", scale=scale, title="Trial")
    drawn += copies.mark_rule().encode(x="from:Q", x2="to:Q", y=slanted, y2="trial:Q", **look)
    marks = copies.mark_point(filled=True, size=55, shape="diamond", opacity=1)
    drawn += marks.encode(x="to:Q", y=row, color=look["color"])
    told = "Slanted: a trial gives its own state up, and goes on from that of another one."
    return theme.styled(
        drawn.properties(width=WIDTH, height=ROW * (len(numbers) + 1)), "Whose state lives on", told
    )


def _alive(quality: Mapping[str, Any]) -> set[int]:
    """The jobs from which some trial's last model comes."""
    return {job for of in quality["lineage"] for job in _jobs(of["stretches"])}


def _of_the_best(quality: Mapping[str, Any]) -> set[int]:
    return set() if quality["best"] is None else _jobs(quality["best"]["lineage"])


def _jobs(stretches: Sequence[Mapping[str, Any]]) -> set[int]:
    return {job for stretch in stretches for job in stretch["jobs"]}


def over_time(quality: Mapping[str, Any]) -> Any:
    """A panel for every hyperparameter: its value in every trial, epoch by epoch."""
    best = _of_the_best(quality)
    names = list(quality["trials"][0]["configuration"])
    panels = [_panel(name, _values(quality, name, best)) for name in names]
    told = "A line a trial; the thick one led to the best model, whosever state it was."
    return theme.styled(alt.vconcat(*panels), "Hyperparameters over time", told)


def _values(quality: Mapping[str, Any], name: str, best: set[int]) -> Points:
    """Two points for every job, at the epochs between which it had this value."""
    points: Points = []
    for trial in quality["trials"]:
        for at, step in enumerate(trial["history"]):
            value = step["configuration"][name]
            led = step["job"] in best
            for epoch in step["epochs"]:
                point = {"trial": trial["trial"], "epoch": epoch, "value": value, "at": at}
                points.append(point | {"best": led})
    return points


def _panel(name: str, points: Points) -> Any:
    values = [point["value"] for point in points]
    kind: Any = "log" if logarithmic(values) else "linear"
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y(
            "value:Q",
            title=name.replace("_", " "),
            scale=alt.Scale(type=kind, zero=False, nice=False, padding=8),
            axis=alt.Axis(tickCount=5),
        ),
        order="epoch:Q",
    )
    every = base.mark_line(color=COLOURS[1], opacity=0.45, strokeWidth=1.3).encode(detail="trial:N")
    led = base.transform_filter(alt.datum.best).mark_line(color=COLOURS[0], strokeWidth=4)
    drawn = every + led.encode(detail=["trial:N", "at:N"])
    return drawn.properties(width=WIDTH, height=PANEL)
