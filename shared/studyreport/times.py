"""Charts of the time to the answer: against workers, data and split size, and how it scales.

The plain process and the limit of the machine are in every chart of times; the paper's figures
stand beside, on axes of their own, since they come from other machines.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from studykit.options import parse_size
from studykit.records import Record
from studysweep.ratios import Row, answer_seconds

from studyreport import panels, paper, theme
from studyreport.paper import Published
from studyreport.points import (
    INTERVAL_NOTE,
    Point,
    drawable,
    grouped,
    intervals,
    limits,
    scaling,
    workers_label,
)

TIME_NOTE = "Start-up apart. " + INTERVAL_NOTE
ANSWER_SECONDS = "Load + compute + communicate (s)"


def time_vs_workers(records: Iterable[Record], published: Published = ()) -> Any | None:
    """Time to the answer against workers, one panel per data size."""
    return _times(
        drawable(records),
        title="Time to the answer against workers",
        x_title="Workers",
        x_of=lambda row: row.first.workers,
        panel_of=lambda point: point["data"],
        beside=paper.against_workers(published, "wall_s", "Wall time in the paper (s)"),
    )


def time_vs_size(records: Iterable[Record], published: Published = ()) -> Any | None:
    """Time to the answer against data size, one panel per number of workers."""
    return _times(
        drawable(records),
        title="Time to the answer against data size",
        x_title="Data (GB)",
        x_of=lambda row: row.dataset.bytes / 1e9,
        panel_of=lambda point: ", ".join(
            filter(None, (workers_label(point["workers"]), point["store"]))
        ),
        beside=paper.against_size(published, "wall_s", "Wall time in the paper (s)"),
    )


def time_vs_split_size(records: Iterable[Record]) -> Any | None:
    """Time to the answer against bytes per split, for the cells that set one."""
    rows = [row for row in drawable(records, splits=True) if row.split_size is not None]
    return _times(
        rows,
        title="Time to the answer against split size",
        x_title="Split (MB)",
        x_of=lambda row: parse_size(str(row.split_size)) / 1e6,
        panel_of=lambda point: point["setting"],
        logarithmic_x=True,
    )


def speedup(records: Iterable[Record]) -> Any | None:
    """How many times faster than the same engine with the fewest workers measured."""
    return _scaling(
        drawable(records),
        title="Speed-up over the same engine with the fewest workers",
        y_title="Speed-up (times)",
        growth_of=lambda point: point["workers"] / point["fewest"],
        divided=False,
    )


def efficiency(records: Iterable[Record]) -> Any | None:
    """Speed-up divided by the growth in workers: 1 is each worker's full worth."""
    return _scaling(
        drawable(records),
        title="Efficiency: speed-up ÷ growth in workers",
        y_title="Efficiency (1 is ideal)",
        growth_of=lambda point: point["workers"] / point["fewest"],
        divided=True,
    )


def _times(
    rows: list[Row],
    *,
    title: str,
    x_title: str,
    x_of: Callable[[Row], float],
    panel_of: Callable[[Point], str],
    beside: Sequence[Any] = (),
    logarithmic_x: bool = False,
) -> Any | None:
    if not rows:
        return None
    points = intervals(rows, answer_seconds)
    for row, point in zip(rows, points, strict=True):
        point |= {"x": x_of(row), "panel": panel_of(point)}
    points += limits(rows, points)
    drawn = [
        panels.line_panel(
            inside,
            panels.series_in(points),
            panel,
            x_title=x_title,
            y_title=ANSWER_SECONDS,
            logarithmic_x=logarithmic_x,
        )
        for panel, inside in grouped(points, "panel").items()
    ]
    return theme.styled(panels.arranged(drawn, beside), title, TIME_NOTE)


def _scaling(
    rows: list[Row],
    *,
    title: str,
    y_title: str,
    growth_of: Callable[[Point], float],
    divided: bool,
) -> Any | None:
    points = scaling(rows)
    if not points:
        return None
    for point in points:
        point |= {"x": point["workers"], "ideal": 1.0 if divided else growth_of(point)}
        if divided:
            for name in ("value", "low", "high"):
                point[name] /= growth_of(point)
    drawn = []
    for data, inside in grouped(points, "data").items():
        ideal = [{"x": point["x"], "value": point["ideal"]} for point in inside]
        panel = panels.line_panel(
            inside, panels.series_in(points), data, x_title="Workers", y_title=y_title
        )
        drawn.append(panels.sized(panels.ideal_line(ideal) + panel, data))
    note = f"{INTERVAL_NOTE} Grey dots: ideal."
    return theme.styled(panels.arranged(drawn), title, note)
