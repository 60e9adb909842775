"""The papers' figures beside ours: what shares an axis, and what must not."""

from typing import Any

import pytest
import synthetic
from studyreport import charts
from synthetic import PAPER


def panels_of_the_paper(chart: Any) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """{subtitle: points}, of every panel that has a subtitle."""
    described = chart.to_dict()
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}

    def look(part: dict[str, Any]) -> None:
        title = part.get("title")
        if isinstance(title, dict) and isinstance(title.get("subtitle"), list):
            names = {layer.get("data", part.get("data"))["name"] for layer in part["layer"]}
            subtitle = tuple(title["subtitle"])
            assert subtitle not in found
            found[subtitle] = [point for name in names for point in described["datasets"][name]]
        for inner in (*part.get("vconcat", []), *part.get("hconcat", []), *part.get("concat", [])):
            look(inner)

    look(described)
    return found


@pytest.mark.parametrize("draw", [charts.time_vs_workers, charts.time_vs_size])
@pytest.mark.parametrize(
    ("name", "value", "subtitle"),
    [
        ("measure", "wall time with the plots", ("graph", "wall time with the plots")),
        ("dataset_or_task", "trips", ("trips", "wall time")),
    ],
)
def test_two_measures_or_tasks_of_a_paper_share_no_axis(
    draw: Any, name: str, value: str, subtitle: tuple[str, ...]
) -> None:
    rows = [{**row, "worker_unit": "nodes"} for row in PAPER]
    rows = [row | ({name: value} if row["engine"] == "torch" else {}) for row in rows]
    engines = {
        panel: {point["label"].split(",")[0] for point in inside}
        for panel, inside in panels_of_the_paper(draw(synthetic.sweep(), rows)).items()
    }
    assert engines == {("graph", "wall time"): {"ray"}, subtitle: {"torch"}}


def test_memory_of_a_paper_is_drawn_by_measure_also_where_it_shrank() -> None:
    memory = {"metric": "driver_memory_mb", "worker_unit": "workers", "engine": "dask"}
    rows = [
        {**PAPER[0], **memory, "workers": workers, "measure": measure, "value": value}
        for measure, values in (("growth", (12.0, -29.36)), ("size at the end", (1500.0, 900.0)))
        for workers, value in zip((2, 4), values, strict=True)
    ]
    drawn = panels_of_the_paper(charts.peak_memory(synthetic.sweep(), rows))
    assert {
        measure: [(point["value"], point.get("label_at")) for point in inside]
        for (_, measure), inside in drawn.items()
    } == {
        "growth": [(12.0, None), (-29.36, -29.36)],
        "size at the end": [(1500.0, None), (900.0, 900.0)],
    }
