"""The paper's tables of speed-up and efficiency, beside what its own runtimes say.

Mpoympalos and Spentzou (2025), tables I-VI. What the printed ones divide by:
- on Dask the full file's runtime with 2 workers, for the half file too (56.90 s / 27.36 s = 2.08,
  where the half file's own baseline gives 35.04 / 27.36 = 1.28), except of its regression with 16
  workers, which has its own baseline (14,209.62 s / 10,300.00 s = 1.38);
- on Ray 1,196 s for both files, a time that no table has (table III begins with 1,171.64 s);
- of efficiencies all workers, where the baseline already has two (1.28 / 4 = 0.32, where four
  workers in place of two give 0.64).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import altair as alt
from study_data.published import PublishedRow
from studyreport import panels, theme

OWN, PRINTED = "from its own runtimes", "as printed"
COLOURS = {OWN: "#0072B2", PRINTED: "#D55E00"}


@dataclass(frozen=True)
class Cell:
    """A run of the paper with more workers than its baseline; printed figures where it has them."""

    engine: str
    task: str
    size_gb: float
    workers: int
    speedup: float
    efficiency: float
    speedup_printed: float | None
    efficiency_printed: float | None


def cells(rows: Iterable[PublishedRow]) -> list[Cell]:
    """Every run against the same data set's run with the fewest workers."""
    runs: dict[tuple[str, str, float], dict[int, dict[str, float]]] = {}
    for row in rows:
        if row["size_gb"] is None or row["workers"] is None or isinstance(row["value"], str):
            continue
        family = runs.setdefault((row["engine"], row["dataset_or_task"], row["size_gb"]), {})
        family.setdefault(row["workers"], {})[row["metric"]] = row["value"]
    found = []
    for (engine, task, size), family in runs.items():
        fewest = min(family)
        for workers, figures in family.items():
            if workers == fewest:
                continue
            speedup = family[fewest]["wall_s"] / figures["wall_s"]
            found.append(
                Cell(
                    engine, task, size, workers, speedup, speedup * fewest / workers,
                    figures.get("speedup_printed"), figures.get("efficiency_printed"),
                )
            )  # fmt: skip
    return found


def chart(rows: Iterable[PublishedRow]) -> Any | None:
    """One panel per engine, task, data set and figure; both versions in each."""
    drawn = []
    found = cells(rows)
    for name, title in (("speedup", "Speed-up over 2 workers"), ("efficiency", "Efficiency")):
        for engine, task, size in dict.fromkeys((c.engine, c.task, c.size_gb) for c in found):
            points = [
                {"workers": cell.workers, "value": value, "which": which}
                for cell in found
                if (cell.engine, cell.task, cell.size_gb) == (engine, task, size)
                for which, value in (
                    (OWN, getattr(cell, name)),
                    (PRINTED, getattr(cell, f"{name}_printed")),
                )
                if value is not None
            ]
            drawn.append(_panel(points, f"{engine}, {task}, {size:g} GB", title))
    if not drawn:
        return None
    note = "As printed: half files by the full file's time, but for one; efficiency by all workers."
    return theme.styled(panels.arranged(drawn, columns=3), "The paper's tables again", note)


def _panel(points: list[dict[str, Any]], title: str, y_title: str) -> Any:
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    lines = (
        alt.Chart(alt.InlineData(values=points))
        .mark_line(point=True)
        .encode(
            x=alt.X("workers:O", title="Workers"),
            y=alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=True)),
            color=alt.Color("which:N", scale=scale, title="Table"),
        )
    )
    return panels.sized(lines, title, width=220, height=160)
