"""Charts of one bar per engine: where the time goes, memory, and any other figure of a record.

The `published` method's bars are hatched: its answer is another one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import altair as alt
from studykit.records import Record
from studysweep.ratios import TIMED_PHASES, Row, phase_seconds

from studyreport import panels, paper, theme
from studyreport.paper import Published
from studyreport.points import INTERVAL_NOTE, Point, drawable, grouped, identity, intervals

Figure = Callable[[Record], float | None]
"""A figure of a record; None where it has none."""


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
    """Peak memory of all processes; the tick is what the driver alone grew by."""
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
    beside = paper.against_workers(published, "driver_memory_mb", "Memory in the paper (MB)")
    return theme.styled(panels.arranged(drawn, beside, columns=2), "Peak memory", note)


def quality(
    records: Iterable[Record], keys: Mapping[str, str], beside: Sequence[Any] = ()
) -> Any | None:
    """One row of panels per key of `quality` or of `check.detail`: {key: title with its unit}, and
    panels of a paper's figures."""

    def figure(key: str) -> Figure:
        return lambda record: _figure(record, key)

    figures = {title: figure(key) for key, title in keys.items()}
    return bars(drawable(records), figures, "What the answers are worth", beside)


def bars(
    rows: Iterable[Row], figures: Mapping[str, Figure], title: str, beside: Sequence[Any] = ()
) -> Any | None:
    """One row of panels per figure, {title with its unit: figure}, and panels of a paper's figures;
    None where no row has any."""
    known = list(rows)
    drawn = []
    for name, figure in figures.items():
        for setting, inside in grouped(intervals(known, figure), "setting").items():
            drawn.append(panels.bar_panel(panels.interval_bars(inside, name), inside, setting))
    if not drawn:
        return None
    return theme.styled(panels.arranged(drawn, beside, columns=2), title, INTERVAL_NOTE)


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
