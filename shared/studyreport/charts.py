"""Every chart of a study from its records; each function returns None where nothing can be drawn.

Only times whose answer was checked are drawn (and the `published` method's, dashed or hatched).
A point is the median over the rounds, its bar reaches from the smallest to the largest. The plain
process and the limit of the machine are in every chart of times; the paper's figures stand beside,
on axes of their own, since they come from other machines.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import altair as alt
from studykit.options import parse_size
from studykit.records import Record
from studysweep.ratios import TIMED_PHASES
from studysweep.ratios import Row
from studysweep.ratios import answer_seconds
from studysweep.ratios import phase_seconds

from studyreport import panels
from studyreport import paper
from studyreport import theme
from studyreport.distribution import distribution
from studyreport.distribution import tail
from studyreport.paper import Published
from studyreport.points import Point
from studyreport.points import drawable
from studyreport.points import grouped
from studyreport.points import identity
from studyreport.points import intervals
from studyreport.points import limits
from studyreport.points import scaling
from studyreport.points import workers_label
from studyreport.theme import save

__all__ = [
    "distribution",
    "efficiency",
    "peak_memory",
    "phases",
    "quality",
    "save",
    "speedup",
    "tail",
    "time_vs_size",
    "time_vs_split_size",
    "time_vs_workers",
]

INTERVAL_NOTE = "Median of the rounds; the bar reaches from the smallest to the largest."
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
        panel_of=lambda point: workers_label(point["workers"]),
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


def phases(records: Iterable[Record]) -> Any | None:
    """Where the wall time went: stacked medians of each phase, one panel per data and workers."""
    points = [point for row in drawable(records, peers=True) for point in _stacked(row)]
    if not points:
        return None
    used = [name for name in TIMED_PHASES if any(point["phase"] == name for point in points)]
    scale = alt.Scale(domain=used, range=[theme.PHASE_COLOURS[name] for name in used])
    drawn = []
    for panel, inside in grouped(points, "panel").items():
        base = alt.Chart(alt.InlineData(values=inside)).encode(y=panels.series_axis(inside))
        bars = base.mark_bar(height={"band": panels.BAR_SHARE}).encode(
            x=alt.X("begin:Q", title="Wall time (s)", axis=panels.FEW_TICKS),
            x2="end:Q",
            color=alt.Color("phase:N", scale=scale, sort=used),
            tooltip=["series:N", "phase:N", alt.Tooltip("seconds:Q", format=".3~f")],
        )
        if panels.has_published(inside):
            bars += panels.hatched(base, x="begin:Q", x2="end:Q")
        drawn.append(panels.bar_panel(bars, inside, panel))
    note = "Medians of each phase, stacked; hatched: the paper's own method."
    return theme.styled(panels.arranged(drawn, columns=2), "Where the time goes", note)


def peak_memory(records: Iterable[Record], published: Published = ()) -> Any | None:
    """Peak memory of all processes; the tick is what the paper took for memory, the driver's."""
    rows = drawable(records)
    points = intervals(rows, lambda record: _gigabytes(record.peak_memory_bytes))
    driver = intervals(rows, lambda record: _gigabytes(record.driver_rss_delta_bytes))
    if not points:
        return None
    drawn = []
    for setting, inside in grouped(points, "setting").items():
        ticks = (
            alt.Chart(alt.InlineData(values=[at for at in driver if at["setting"] == setting]))
            .mark_tick(color="black", thickness=3, height=18)
            .encode(x="value:Q", y=panels.series_axis(inside))
        )
        bars = panels.interval_bars(inside, "Peak memory of all processes (GB)")
        drawn.append(panels.bar_panel(bars + ticks, inside, setting))
    note = "Proportional set size of the process tree. Black tick: growth of the driver alone."
    beside = paper.against_workers(
        published, "peak_memory_mb_driver", "Driver's memory in the paper (MB)"
    )
    return theme.styled(panels.arranged(drawn, beside, columns=2), "Peak memory", note)


def quality(records: Iterable[Record], keys: Mapping[str, str]) -> Any | None:
    """One row of panels per key of `quality` or of `check.detail`: {key: title with its unit}."""
    rows = drawable(records)
    drawn = []
    for key, title in keys.items():
        points = intervals(rows, lambda record, key=key: _figure(record, key))  # type: ignore[misc]
        for setting, inside in grouped(points, "setting").items():
            drawn.append(panels.bar_panel(panels.interval_bars(inside, title), inside, setting))
    if not drawn:
        return None
    return theme.styled(
        panels.arranged(drawn, columns=2), "What the answers are worth", INTERVAL_NOTE
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


def _stacked(row: Row) -> list[Point]:
    points, begin = [], 0.0
    point = identity(row)
    # The published method takes so long that on its axis nothing else could be seen.
    panel = point["setting"] + (", the paper's own method" if point["published"] else "")
    for name in TIMED_PHASES:
        seconds = row.over(phase_seconds(name))
        if seconds is not None and seconds.median > 0:
            end = begin + seconds.median
            place = {"phase": name, "seconds": seconds.median, "begin": begin, "end": end}
            points.append({**point, "panel": panel, **place})
            begin = end
    return points


def _gigabytes(size: int | None) -> float | None:
    return None if size is None else size / 1e9


def _figure(record: Record, key: str) -> float | None:
    value = record.quality.get(key, record.check.detail.get(key))
    return float(value) if isinstance(value, int | float) else None
