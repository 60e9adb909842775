"""The charts of an answer. They are read without colours: by dashes, shapes and numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert
from studyreport import theme

from digits_knn_cnn import paper
from digits_knn_cnn.layout import CLASSES
from digits_knn_cnn.paper import Time

WIDTH, HEIGHT = 460, 280
CELL = 40
"""Points of a class in the confusion matrix."""
BAR = 24
MOST_TICKS = 20
HERE, THERE = "#222222", "#BBBBBB"
TESTS, TRAINS, PAPERS = "test pictures", "training pictures", "test pictures, the paper's table 2"
SHARE, LOSS = "Accuracy (share of the pictures)", "Cross-entropy (nats)"
STYLES = {
    TESTS: ("#0072B2", [1, 0], "circle"),
    TRAINS: ("#D55E00", [5, 3], "square"),
    PAPERS: ("#222222", [1, 0], "cross"),
}
"""{line: colour, dashes, shape of its points}"""
FURTHER = [
    (theme.OTHER_COLOURS[0], [1, 0], "triangle-up"),
    (theme.OTHER_COLOURS[1], [8, 3], "diamond"),
    (theme.OTHER_COLOURS[2], [2, 2], "circle"),
    (theme.OTHER_COLOURS[3], [8, 3, 2, 3], "square"),
]
"""Of other lines, in turn."""

Points = list[dict[str, Any]]


def png(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_png(theme.spec(chart), scale=theme.PNG_SCALE))


def accuracy(quality: Mapping[str, Any]) -> Any:
    """By k with the paper's, or by epoch, of both parts."""
    if "test_accuracy_by_k" in quality:
        series = {TESTS: _by_k(quality, "test"), TRAINS: _by_k(quality, "train")}
        series[PAPERS] = paper.accuracies_by_k("test")
        drawn = lines(series, "Neighbours k", SHARE)
        return theme.styled(drawn, "Accuracy by k", "The paper prints two digits.")
    series = {
        TESTS: dict(enumerate(quality["test_accuracy_by_epoch"], start=1)),
        TRAINS: dict(enumerate(quality["train_accuracy_by_epoch"], start=1)),
    }
    drawn = lines(series, "Epoch", SHARE)
    return theme.styled(drawn, "Accuracy after each epoch")


def loss(quality: Mapping[str, Any]) -> Any:
    series = {TRAINS: dict(enumerate(quality["loss_by_epoch"], start=1))}
    drawn = lines(series, "Epoch", LOSS)
    return theme.styled(drawn, "Loss by epoch", "The mean over an epoch, while it learned.")


def _by_k(quality: Mapping[str, Any], part: str) -> dict[int, float]:
    return {int(k): share for k, share in quality[f"{part}_accuracy_by_k"].items()}


def lines(series: Mapping[str, Mapping[int, float]], x_title: str, y_title: str) -> Any:
    """{name: {x: y}} as lines; the paper's figures are points."""
    points = [
        {"series": name, "x": x, "y": y} for name, line in series.items() for x, y in line.items()
    ]
    places = sorted({x for line in series.values() for x in line})
    # Left to itself, an axis of two whole numbers has ticks between them.
    ticks: Any = places if len(places) <= MOST_TICKS else alt.Undefined
    styles = [STYLES.get(name, FURTHER[at % len(FURTHER)]) for at, name in enumerate(series)]
    scales = [alt.Scale(domain=list(series), range=of) for of in zip(*styles, strict=True)]
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X(
            "x:Q",
            title=x_title,
            axis=alt.Axis(values=ticks, tickMinStep=1, format="d"),
            scale=alt.Scale(zero=False, nice=False, padding=16),
        ),
        y=alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=False, padding=8)),
        color=alt.Color("series:N", scale=scales[0], legend=alt.Legend(symbolStrokeWidth=0)),
    )
    joined = base.transform_filter(alt.datum.series != PAPERS).mark_line(strokeWidth=2)
    marks = base.mark_point(size=60, filled=True, opacity=1)
    layers = joined.encode(strokeDash=alt.StrokeDash("series:N", scale=scales[1]))
    layers += marks.encode(shape=alt.Shape("series:N", scale=scales[2]))
    return layers.properties(width=WIDTH, height=HEIGHT)


def confusion(counts: Sequence[Sequence[int]], of: str) -> Any:
    """counts[label][read] as a heat map, whose cells have their numbers; `of` the model."""
    cells = [
        {"label": label, "read": read, "pictures": pictures}
        for label, row in enumerate(counts)
        for read, pictures in enumerate(row)
    ]
    largest = max(1, *(cell["pictures"] for cell in cells))
    base = alt.Chart(alt.InlineData(values=cells)).encode(
        x=alt.X("read:O", title="Read as", axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("label:O", title="Is", axis=alt.Axis(titleAngle=0, titlePadding=16)),
    )
    # The square root, so that a single misread picture is seen beside hundreds of right ones.
    shades = alt.Scale(
        type="sqrt", range=["white", "#08306B"], domain=[0, largest], interpolate="rgb"
    )
    ink = alt.when(alt.datum.pictures > largest / 4).then(alt.value("white"))
    # Nothing where nothing is, so that the mistakes stand out.
    numbers = base.transform_filter(alt.datum.pictures > 0).mark_text(fontSize=13)
    grid = base.mark_rect(stroke="#CCCCCC").encode(
        color=alt.Color("pictures:Q", scale=shades, legend=None)
    )
    grid += numbers.encode(
        text=alt.Text("pictures:Q", format=",d"), color=ink.otherwise(alt.value("black"))
    )
    title = f"What digits were taken for by {of}"
    return theme.styled(
        grid.properties(width=CELL * CLASSES, height=CELL * CLASSES),
        title,
        "Test pictures; right ones are on the diagonal.",
    )


def times(here: Mapping[str, float], beside: Sequence[Time]) -> Any:
    """Seconds of this run, {what: seconds}, and the paper's, as bars with their numbers."""
    bars: Points = [
        {"name": f"here: {what}", "seconds": seconds, "colour": HERE}
        for what, seconds in here.items()
    ]
    for time in beside:
        name = f"paper: {time.engine}, {time.workers} workers"
        bars.append({"name": name, "seconds": time.seconds, "colour": THERE})
    for bar in bars:
        bar["shown"] = f"{bar['seconds']:.3g} s"
    base = alt.Chart(alt.InlineData(values=bars)).encode(
        x=alt.X("seconds:Q", title="Seconds"),
        y=alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
    )
    drawn = base.mark_bar().encode(color=alt.Color("colour:N", scale=None))
    drawn += base.mark_text(align="left", dx=4).encode(text="shown:N")
    told = [f"The paper's are of other work, on its {paper.TRAIN_ROWS:,} training pictures:"]
    told += dict.fromkeys(f"on {time.engine} of {time.of}" for time in beside)
    drawn = drawn.properties(width=WIDTH, height=BAR * len(bars))
    return theme.styled(drawn, "Times beside the paper's", told)
