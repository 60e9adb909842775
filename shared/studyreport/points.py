"""Records → the points of a chart: plain values, and only those that may be shown."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from studykit.records import PEER, Record
from studysweep.ratios import Interval, Row, by_round, summarise

from studyreport import theme

Point = dict[str, Any]

INTERVAL_NOTE = "Median of the rounds; the bar reaches from the smallest to the largest."


def drawable(records: Iterable[Record], *, peers: bool = False, splits: bool = False) -> list[Row]:
    """Rows with at least one time that may be shown; one split size of each setting, or all."""
    rows = [row for row in summarise(records) if row.shown]
    if not peers:
        rows = [row for row in rows if row.first.method != PEER]
    if splits:
        return rows
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = (row.dataset.uri, row.first.workers, row.name, row.first.method)
        # The default split size stands for the setting; a sweep without it, its first.
        if key not in kept or row.split_size is None:
            kept[key] = row
    return list(kept.values())


def intervals(rows: Iterable[Row], value: Callable[[Record], float | None]) -> list[Point]:
    """Median, low and high of a figure per row; rows where no record has it are left out."""
    points = []
    for row in rows:
        figures = [value(record) for record in row.shown]
        interval = Interval.of(figure for figure in figures if figure is not None)
        if interval is not None:
            points.append({**identity(row), **_figures(interval)})
    return points


def scaling(rows: Sequence[Row]) -> list[Point]:
    """Time with the fewest workers ÷ time, within each round, per engine, method and data."""
    points = []
    for base in rows:
        family = [row for row in rows if _family(row) == _family(base)]
        fewest = min(row.first.workers for row in family)
        if base.first.workers != fewest or len({row.first.workers for row in family}) < 2:
            continue
        for row in family:
            ratio = by_round(base, row)
            if ratio is not None:
                points.append({**identity(row), **_figures(ratio), "fewest": fewest})
    return points


def limits(rows: Iterable[Row], points: Sequence[Point]) -> list[Point]:
    """The machine's limit beside the points of the same data, workers and place on the page.

    It is that of its cores and their memory: of a run on a GPU it says nothing.
    """
    found: dict[tuple[Any, ...], Point] = {}
    for row, point in zip(rows, points, strict=True):
        known = [record.limit.seconds for record in row.shown if record.limit is not None]
        interval = Interval.of(known)
        if interval is None or row.first.method == "published" or row.device != "cpu":
            continue
        place = (point["panel"], point["x"])
        # Engines measure the same limit at different moments: the fastest reading is the limit.
        if place not in found or interval.median < found[place]["value"]:
            at = {name: point[name] for name in ("panel", "x", "setting", "data", "workers")}
            limit = Interval(interval.median, interval.median, interval.median, interval.count)
            found[place] = {**at, "series": theme.LIMIT, **_figures(limit)}
    return list(found.values())


def identity(row: Row) -> Point:
    first = row.first
    data = row.data_label
    return {
        "series": theme.series_name(row.name, first.method),
        "published": first.method == "published",
        "data": data,
        "workers": first.workers,
        "store": row.store,
        "setting": f"{data}, {workers_label(first.workers)}",
    }


def workers_label(workers: int) -> str:
    return f"{workers} worker" + ("s" if workers != 1 else "")


def grouped(points: Iterable[Point], by: str) -> dict[str, list[Point]]:
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(str(point[by]), []).append(point)
    return groups


def _figures(interval: Interval) -> Point:
    return {
        "value": interval.median,
        "low": interval.low,
        "high": interval.high,
        "rounds": interval.count,
    }


def _family(row: Row) -> tuple[Any, ...]:
    first = row.first
    return row.dataset.uri, row.name, first.method, first.threads, row.split_size
