"""The paper's own figures as panels beside ours, with the unit of workers that its axis names.

A panel draws one measure of one task: the memory of a driver at its end and what it grew by, or
the times of two tasks, never share an axis.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studyreport import panels, theme
from studyreport.points import Point

Published = Sequence[Mapping[str, Any]]
"""Rows of the papers' figures: engine, dataset_or_task, size_gb, workers, worker_unit, metric,
measure, value (numbers). `size_gb` is in the unit that the paper calls GB."""

LABEL_SHARE = 0.055
"""Height of a line of text, as a share of the panel's."""


class Axis(NamedTuple):
    """What all values of a panel have in common."""

    worker_unit: str
    task: str
    measure: str


def against_workers(published: Published, metric: str, y_title: str) -> list[Any]:
    """One panel per unit of workers, task and measure; a line per engine and data size."""
    drawn = []
    for axis, rows in _by_axis(published, metric).items():
        points = [
            _point(row, x=float(row["workers"]), label=f"{float(row['size_gb']):g} GB")
            for row in rows
        ]
        drawn.append(_panel(points, axis, axis.worker_unit.capitalize(), y_title))
    return drawn


def against_size(published: Published, metric: str, y_title: str) -> list[Any]:
    """One panel per unit of workers, task and measure; a line per engine and number of workers."""
    drawn = []
    for axis, rows in _by_axis(published, metric).items():
        unit = axis.worker_unit
        points = [
            _point(row, x=float(row["size_gb"]), label=_counted(int(float(row["workers"])), unit))
            for row in rows
        ]
        drawn.append(_panel(points, axis, "Data (GB as the paper counts them)", y_title))
    return drawn


def _by_axis(published: Published, metric: str) -> dict[Axis, list[Mapping[str, Any]]]:
    found: dict[Axis, list[Mapping[str, Any]]] = {}
    for row in published:
        # A run that did not end has words where others have a number.
        numbers = [row["size_gb"], row["workers"], row["value"]]
        if row["metric"] == metric and all(isinstance(number, int | float) for number in numbers):
            axis = Axis(*(str(row[name]) for name in ("worker_unit", "dataset_or_task", "measure")))
            found.setdefault(axis, []).append(row)
    return found


def _point(row: Mapping[str, Any], *, x: float, label: str) -> Point:
    engine = str(row["engine"])
    colour = theme.colour_of(engine)
    return {"label": f"{engine}, {label}", "colour": colour, "x": x, "value": float(row["value"])}


def _panel(points: list[Point], axis: Axis, x_title: str, y_title: str) -> Any:
    """Each line is named once, at its end; names closer than a line of text are moved apart."""
    ends: dict[str, Point] = {}
    for point in points:
        if point["label"] not in ends or point["x"] > ends[point["label"]]["x"]:
            ends[point["label"]] = point
    values = [point["value"] for point in points]
    apart = LABEL_SHARE * (max(*values, 0.0) - min(*values, 0.0))
    below = -math.inf
    for point in sorted(ends.values(), key=lambda point: float(point["value"])):
        below = point["label_at"] = max(point["value"], below + apart)
    return panels.labelled_panel(
        points,
        f"In the paper, by {axis.worker_unit}",
        x_title=x_title,
        y_title=y_title,
        subtitle=(axis.task, axis.measure),
    )


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit.removesuffix('s') if unit == 'nodes' and count == 1 else unit}"
