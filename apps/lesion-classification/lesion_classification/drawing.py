"""The charts of an answer. They are read without colours: by dashes, shapes and places."""

from collections.abc import Mapping
from typing import Any

import altair as alt
import vl_convert
from study_data import published
from studyreport import theme

from lesion_classification import folds, metrics
from lesion_classification.metrics import Roc

STUDY = "lesion-classification"
SIDE, STEP = 380, 12
"""Points: of the square of rates, and of a line of figures."""
PAPER_SIZE, PAPER_WORKERS = 3.37, 1
"""The cell of the paper's tables II and III that is drawn: all images, one node."""
PAPER_NAMES = {"roc_auc": "auc"}
TITLES = {
    "auc": "AUC",
    "accuracy": "Accuracy",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
}
SERIES = {folds.GROUPED: "folds by lesion", folds.PUBLISHED: "folds by image, as published"}
STYLES = {
    SERIES[folds.GROUPED]: ("#0072B2", [1, 0], "circle"),
    SERIES[folds.PUBLISHED]: ("#D55E00", [6, 3], "square"),
    "paper: ray": ("#6E6E6E", [1, 0], "triangle-up"),
    "paper: torch": ("#222222", [1, 0], "cross"),
}
"""{series: colour, dashes, shape of its points}"""


def png(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_png(theme.spec(chart), scale=theme.PNG_SCALE))


def _scales(series: list[str]) -> list[Any]:
    """Of colours, dashes and shapes."""
    styles = zip(*(STYLES[name] for name in series), strict=True)
    return [alt.Scale(domain=series, range=list(of)) for of in styles]


def roc(curves: Mapping[str, Roc]) -> Any:
    """{kind of folds: its curve}: the mean over the folds, and a band of a standard deviation to
    each side."""
    points = [
        {
            "series": SERIES[kind],
            "false": at,
            "true": mean,
            "low": max(mean - deviation, 0.0),
            "high": min(mean + deviation, 1.0),
        }
        for kind, curve in curves.items()
        for at, mean, deviation in zip(
            curve.at.tolist(), curve.mean.tolist(), curve.deviation.tolist(), strict=True
        )
    ]
    colours, dashes, _ = _scales([SERIES[kind] for kind in curves])
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("false:Q", title="False positive rate", scale=unit),
        color=alt.Color("series:N", title=None, scale=colours),
    )
    rate = alt.Y("low:Q", title="True positive rate", scale=unit)
    layers = base.mark_area(opacity=0.18).encode(y=rate, y2="high:Q")
    layers += base.mark_line(strokeWidth=2).encode(
        y=alt.Y("true:Q", title="True positive rate", scale=unit),
        strokeDash=alt.StrokeDash("series:N", title=None, scale=dashes),
    )
    chance = alt.Chart(alt.InlineData(values=[{"false": 0, "true": 0}, {"false": 1, "true": 1}]))
    layers += chance.mark_line(color="#999999", strokeDash=[2, 3]).encode(x="false:Q", y="true:Q")
    return theme.styled(
        layers.properties(width=SIDE, height=SIDE),
        "ROC curve",
        "Mean over the folds; the band is a standard deviation to each side. Dotted: chance.",
    )


def figures(of: Mapping[str, Mapping[str, Any]]) -> Any:
    """{kind of folds: its quality} as points with their standard deviations, and the paper's."""
    points = []
    for kind, quality in of.items():
        for name in metrics.NAMES:
            if quality[name] is not None:
                spread = quality[f"{name}_std"]
                mean = quality[name]
                low, high = max(mean - spread, 0.0), min(mean + spread, 1.0)
                points.append(_point(SERIES[kind], name, mean, low, high))
    for (engine, name), printed in paper().items():
        points.append(_point(f"paper: {engine}", name, printed, printed, printed))
    series = [name for name in STYLES if any(point["series"] == name for point in points)]
    colours, _, shapes = _scales(series)
    base = alt.Chart(alt.InlineData(values=points)).encode(
        y=alt.Y("figure:N", title=None, sort=list(TITLES.values())),
        yOffset=alt.YOffset("series:N", sort=series),
        color=alt.Color("series:N", title=None, scale=colours),
    )
    scale = alt.Scale(zero=False, padding=10)
    value = alt.X("value:Q", title="Mean over the folds", scale=scale)
    layers = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("low:Q", title="Mean over the folds", scale=scale), x2="high:Q"
    )
    layers += base.mark_point(size=60, filled=True, opacity=1).encode(
        x=value, shape=alt.Shape("series:N", title=None, scale=shapes)
    )
    return theme.styled(
        layers.properties(width=SIDE, height=alt.Step(STEP)),
        "Figures beside the paper's",
        [
            "Lines: a standard deviation over the folds to each side.",
            f"The paper's are of MRA-MIDAS, {PAPER_SIZE} GB, {PAPER_WORKERS} node.",
        ],
    )


def _point(series: str, name: str, value: float, low: float, high: float) -> dict[str, Any]:
    return {"series": series, "figure": TITLES[name], "value": value, "low": low, "high": high}


def paper() -> dict[tuple[str, str], float]:
    """{(engine, figure): value} of the paper's tables."""
    found = {}
    for row in published.rows(STUDY):
        name = PAPER_NAMES.get(row["metric"], row["metric"])
        here = row["size_gb"] == PAPER_SIZE and row["workers"] == PAPER_WORKERS
        if name in TITLES and here and isinstance(row["value"], float):
            found[row["engine"], name] = row["value"]
    return found
