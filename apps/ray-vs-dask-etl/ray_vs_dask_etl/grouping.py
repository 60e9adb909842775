"""The ETL's answer: the table by category, on any engine.

A table is a list of one dict per category that occurs, in the order of the categories:
`category`, `count`, and for each column x of numbers `mean_x`, `std_x` (None for one row), `min_x`
and `max_x`; of a published run `category` and the means alone.
"""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from studykit.errors import DataError
from studykit.run import Run

from ray_vs_dask_etl import aggregation
from ray_vs_dask_etl.aggregation import Group

Groups = list[dict[str, Any]]


def grouped(run: Run, partials: Sequence[Sequence[Group]]) -> Groups:
    """The table of what the splits gave, at least one."""
    with run.phase("compute", "combining"):
        columns = run.parameters.read
        whole = aggregation.combine(partials)
        return aggregation.finish(whole, columns.categories, columns.values)


def in_order(groups: Groups, run: Run) -> Groups:
    """What another's `group by` gives, in the order of the categories; DataError for others."""
    known = run.parameters.read.categories
    other = [group["category"] for group in groups if group["category"] not in known]
    if other:
        raise DataError(
            f"category {other[0]} is none of {', '.join(known)} (--categories)",
            uri=run.dataset.uri,
        )
    return sorted(groups, key=lambda group: known.index(group["category"]))


def quality(groups: Groups) -> dict[str, Any]:
    """What a record's `quality` says of it."""
    found: dict[str, Any] = {"groups": groups}
    if "count" in groups[0]:
        found["rows"] = sum(group["count"] for group in groups)
    return found


def groups_table(groups: Groups, names: Sequence[str]) -> Table:
    """The table for the person who waits: a line for each category and column of `names`."""
    table = Table(title="By category")
    for heading in ("category", "count", "column", "mean", "std", "min", "max"):
        table.add_column(heading, justify="left" if heading in ("category", "column") else "right")
    for group in groups:
        for name in names:
            figures = [group.get(f"{figure}_{name}") for figure in ("mean", "std", "min", "max")]
            shown = ["" if figure is None else f"{figure:.6g}" for figure in figures]
            table.add_row(group["category"], str(group.get("count", "")), name, *shown)
    return table
