"""The cost model's curves to 10 TB and 1,000 workers, and what they say in sentences.

Everything here is predicted, so every line is dashed; where the data would not fit the workers'
memory it is faint.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
from studysweep.ratios import size_label

from studyreport import panels, theme
from studyreport.cost_model import MOST_WORKERS, CostModel
from studyreport.points import Point

VOLUMES = (1e11, 1e12, 1e13)
VOLUME_COLOURS = ("#0072B2", "#009E73", "#E69F00", "#D55E00")
STEPS = 61
NOTE = [
    "Dashed: predicted from runs on one machine, whose memory stands in for the network.",
    "Faint: does not fit the workers' memory (black line). Diamond: communication overtakes "
    "compute. Dots: measured.",
]


def chart(models: Sequence[CostModel]) -> Any | None:
    """Two panels per engine: time, and memory of each worker, against workers."""
    if not models:
        return None
    drawn = []
    for model in models:
        points = [point for size in _volumes(model) for point in _curve(model, size)]
        drawn += [_time_panel(model, points), _memory_panel(model, points)]
    return theme.styled(panels.arranged(drawn, columns=2), "Past this machine: predicted", NOTE)


def sentences(model: CostModel) -> list[str]:
    """The prediction at 10 TB in words, its error first."""
    left = model.left_out
    side = "high" if model.error_on_left_out > 0 else "low"
    said = [
        f"{model.engine}: on the largest measured cell ({size_label(int(left.bytes))}, "
        f"{left.workers} workers), which the fit has not seen, the prediction is "
        f"{abs(model.error_on_left_out):.0%} too {side}."
    ]
    for size in _volumes(model):
        each = size_label(int(size / MOST_WORKERS))
        time = _duration(float(model.seconds(size, MOST_WORKERS)))
        overtaken, fits = model.overtaken_at(size), model.fits_from(size)
        said.append(
            f"{size_label(int(size))} on {MOST_WORKERS:,} workers is {each} each and {time}; "
            + (
                f"communication overtakes compute at {overtaken:,} workers"
                if overtaken
                else f"compute stays above communication up to {MOST_WORKERS:,} workers"
            )
            + "; "
            + (
                f"memory ({size_label(int(model.memory_per_worker_bytes))} a worker) is enough "
                f"from {fits:,} worker{'s' if fits > 1 else ''}."
                if fits
                else f"memory runs out first: {_why_too_large(model, size)}."
            )
        )
    return said


def _why_too_large(model: CostModel, size: float) -> str:
    copied = model.copied_bytes_per_byte * size
    if copied > model.memory_per_worker_bytes / 2:
        return f"what every worker holds of the whole would take {size_label(int(copied))}"
    needed = size_label(int(model.memory_bytes(size, MOST_WORKERS)))
    return f"even on {MOST_WORKERS:,} each would need {needed}"


def _volumes(model: CostModel) -> list[float]:
    largest = model.left_out.bytes
    return [largest, *(size for size in VOLUMES if size > 2 * largest)]


def _curve(model: CostModel, size: float) -> list[Point]:
    counts = np.unique(np.geomspace(1, MOST_WORKERS, STEPS).round()).astype(float)
    overtaken = model.overtaken_at(size)
    if overtaken is not None:
        counts = np.union1d(counts, [float(overtaken)])
    return [
        {
            "volume": size_label(int(size)),
            "workers": int(count),
            "each": size_label(int(size / count)),
            "seconds": float(model.seconds(size, count)),
            "memory": float(model.memory_bytes(size, count)) / 1e9,
            "fits": bool(model.memory_bytes(size, count) <= model.memory_per_worker_bytes),
            "overtaken": overtaken is not None and int(count) == overtaken,
        }
        for count in counts
    ]


def _base(points: Sequence[Point]) -> tuple[Any, alt.X, alt.Color]:
    volumes = list(dict.fromkeys(point["volume"] for point in points))
    scale = alt.Scale(domain=volumes, range=list(VOLUME_COLOURS[-len(volumes) :]))
    legend = alt.Legend(title=None, symbolType="stroke", symbolDash=[6, 4], symbolOpacity=1)
    axis = panels.logarithmic(1, MOST_WORKERS, ",d")
    return (
        alt.Chart(alt.InlineData(values=list(points))),
        alt.X("workers:Q", title="Workers", **axis),
        alt.Color("volume:N", scale=scale, sort=volumes, legend=legend),
    )


def _dashed(points: Sequence[Point], field: str, title: str, others: Sequence[float] = ()) -> Any:
    base, x, colour = _base(points)
    values = [float(point[field]) for point in points] + list(others)
    y = alt.Y(f"{field}:Q", title=title, **panels.logarithmic(min(values), max(values), ",.6~g"))
    line = base.mark_line(strokeDash=[6, 4], strokeWidth=2.2)
    tips = [
        alt.Tooltip("volume:N", title="data"),
        alt.Tooltip("workers:Q"),
        alt.Tooltip("each:N", title="data of each worker"),
        alt.Tooltip("seconds:Q", format=".3~s"),
        alt.Tooltip("memory:Q", title="memory of each worker (GB)", format=".3~g"),
    ]
    faint = line.encode(x=x, y=y, color=colour, opacity=alt.value(0.3), tooltip=tips)
    solid = line.transform_filter("datum.fits").encode(x=x, y=y, color=colour, tooltip=tips)
    return faint + solid


def _time_panel(model: CostModel, points: Sequence[Point]) -> Any:
    base, _, colour = _base(points)
    crossing = (
        base.transform_filter("datum.overtaken")
        .mark_point(shape="diamond", size=110, filled=True, opacity=1)
        .encode(x="workers:Q", y="seconds:Q", color=colour, tooltip=["volume:N", "workers:Q"])
    )
    left = model.left_out
    cells = [cell for cell in (*model.measured, left) if cell.bytes == left.bytes]
    places = [{"workers": cell.workers, "seconds": cell.seconds} for cell in cells]
    dots = (
        alt.Chart(alt.InlineData(values=places))
        .mark_point(size=50, filled=True, color="black", opacity=1)
        .encode(x="workers:Q", y="seconds:Q")
    )
    lines = _dashed(points, "seconds", "Wall time (s)", [c.seconds for c in cells])
    return panels.sized(lines + crossing + dots, f"{model.engine}: time")


def _memory_panel(model: CostModel, points: Sequence[Point]) -> Any:
    available = model.memory_per_worker_bytes / 1e9
    if not np.isfinite(available):
        lines = _dashed(points, "memory", "Memory of each worker (GB)")
        return panels.sized(lines, f"{model.engine}: memory of each worker")
    lines = _dashed(points, "memory", "Memory of each worker (GB)", [available])
    rule = alt.Chart(alt.InlineData(values=[{"memory": available}])).mark_rule(strokeWidth=1.5)
    return panels.sized(lines + rule.encode(y="memory:Q"), f"{model.engine}: memory of each worker")


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} seconds"
