"""The paper's own figures as panels beside ours, with the unit of workers that its axis names."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from studyreport import panels
from studyreport import theme
from studyreport.points import Point

Published = Sequence[Mapping[str, Any]]
"""Rows of the papers' figures: engine, size_gb, workers, worker_unit, metric, value (numbers)."""

LABEL_SHARE = 0.055
"""Height of a line of text, as a share of the panel's."""


def against_workers(published: Published, metric: str, y_title: str) -> list[Any]:
    """One panel per unit of workers (nodes, processes); a line per engine and data size."""
    drawn = []
    for unit, rows in _by_unit(published, metric).items():
        points = [
            _point(row, x=float(row["workers"]), label=f"{float(row['size_gb']):g} GB")
            for row in rows
        ]
        drawn.append(_panel(points, f"In the paper, by {unit}", unit.capitalize(), y_title))
    return drawn


def against_size(published: Published, metric: str, y_title: str) -> list[Any]:
    """One panel per unit of workers; a line per engine and number of workers."""
    drawn = []
    for unit, rows in _by_unit(published, metric).items():
        points = [
            _point(row, x=float(row["size_gb"]), label=_counted(int(float(row["workers"])), unit))
            for row in rows
        ]
        drawn.append(_panel(points, f"In the paper, by {unit}", "Data (GB)", y_title))
    return drawn


def _by_unit(published: Published, metric: str) -> dict[str, list[Mapping[str, Any]]]:
    units: dict[str, list[Mapping[str, Any]]] = {}
    for row in published:
        # A run that did not end has words where others have a number.
        numbers = [row["size_gb"], row["workers"], row["value"]]
        if row["metric"] == metric and all(isinstance(number, int | float) for number in numbers):
            units.setdefault(str(row["worker_unit"]), []).append(row)
    return units


def _point(row: Mapping[str, Any], *, x: float, label: str) -> Point:
    engine = str(row["engine"])
    colour = theme.colour_of(engine)
    return {"label": f"{engine}, {label}", "colour": colour, "x": x, "value": float(row["value"])}


def _panel(points: list[Point], title: str, x_title: str, y_title: str) -> Any:
    """Each line is named once, at its end; names closer than a line of text are moved apart."""
    ends: dict[str, Point] = {}
    for point in points:
        if point["label"] not in ends or point["x"] > ends[point["label"]]["x"]:
            ends[point["label"]] = point
    apart = LABEL_SHARE * max(point["value"] for point in points)
    below = -apart
    for point in sorted(ends.values(), key=lambda point: float(point["value"])):
        below = point["label_at"] = max(point["value"], below + apart)
    return panels.labelled_panel(points, title, x_title=x_title, y_title=y_title)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit.removesuffix('s') if unit == 'nodes' and count == 1 else unit}"
