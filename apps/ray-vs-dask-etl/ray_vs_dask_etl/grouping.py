"""The ETL's answer on any engine: combine what the splits gave, and everything that follows."""

import pickle
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet
from rich.table import Table
from studykit import storage
from studykit.errors import DataError
from studykit.records import PLAIN
from studykit.run import Outcome
from studykit.run import Run

from ray_vs_dask_etl import aggregation
from ray_vs_dask_etl import study
from ray_vs_dask_etl.aggregation import Group

ROUNDED = 1e-11
"""What the check allows where others have added up, relative to a mean."""


def outcome(run: Run, partials: Iterable[Sequence[Group]], **measured: Any) -> Outcome:
    """The ETL's answer from what the splits gave."""
    parts = list(partials)
    with run.phase("compute", "combining"):
        whole = aggregation.combine(parts)
        columns = run.parameters.read
        groups = aggregation.finish(whole, columns.categories, columns.values)
    sent = 0 if run.engine == PLAIN else len(pickle.dumps(parts))
    return groups_outcome(run, groups, bytes_sent=sent, **measured)


def groups_outcome(
    run: Run, groups: list[dict[str, Any]], *, tolerance: float = 1e-14, **measured: Any
) -> Outcome:
    """The ETL's answer with everything that follows from it; `tolerance` is its check's."""
    from ray_vs_dask_etl import oracle

    if not groups:
        raise DataError(study.NO_ROWS, uri=run.dataset.uri)
    quality: dict[str, Any] = {"groups": groups}
    if "count" in groups[0]:
        quality["rows"] = sum(group["count"] for group in groups)
    return Outcome(
        quality=quality,
        check=lambda: oracle.check_groups(run, groups, tolerance),
        write=lambda uri: {"groups": write_groups(groups, uri)},
        limit=lambda: study.limit(run),
        summary=[groups_table(groups, run.parameters.read.values)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def in_order(groups: list[dict[str, Any]], run: Run) -> list[dict[str, Any]]:
    """What another's `group by` gives, in the order of the categories; DataError for others."""
    known = run.parameters.read.categories
    other = [group["category"] for group in groups if group["category"] not in known]
    if other:
        raise DataError(
            f"category {other[0]} is none of {', '.join(known)} (--categories)",
            uri=run.dataset.uri,
        )
    return sorted(groups, key=lambda group: known.index(group["category"]))


def write_groups(groups: list[dict[str, Any]], uri: str) -> str:
    """The table, as .parquet or .csv by the ending of the URI."""
    table = pa.Table.from_pylist(groups)
    with storage.write_atomic(uri) as file:
        if uri.endswith(".csv"):
            csv.write_csv(table, file)
        else:
            parquet.write_table(table, file)
    return storage.absolute(uri)


def groups_table(groups: list[dict[str, Any]], names: Sequence[str]) -> Table:
    table = Table(title="By category")
    for heading in ("category", "count", "column", "mean", "std", "min", "max"):
        table.add_column(heading, justify="left" if heading in ("category", "column") else "right")
    for group in groups:
        for name in names:
            figures = [group.get(f"{figure}_{name}") for figure in ("mean", "std", "min", "max")]
            shown = ["" if figure is None else f"{figure:.6g}" for figure in figures]
            table.add_row(group["category"], str(group.get("count", "")), name, *shown)
    return table
