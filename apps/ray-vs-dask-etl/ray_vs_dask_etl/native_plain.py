"""The ETL as one writes it without a framework: pandas, a piece of the file at a time."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pyarrow import parquet
from studykit import columnar
from studykit import storage
from studykit.run import Run

ROWS_AT_ONCE = 1 << 20


def group_by(run: Run) -> list[dict[str, Any]]:
    """The table, as `aggregation.finish` makes it."""
    columns = run.parameters.read
    names, category = list(columns.values), columns.category
    pieces = []
    for rows in batches(run, ROWS_AT_ONCE):
        rows = rows.join(rows[names].pow(2), rsuffix=" squared")
        groups = rows.groupby(category)
        squares = groups[[f"{name} squared" for name in names]].sum()
        parts = groups[names].agg(["count", "sum", "min", "max"])
        parts.columns = [" ".join(pair) for pair in parts.columns]
        pieces.append(parts.join(squares).reset_index())
    whole = pd.concat(pieces).groupby(category)
    sums, low, high = whole.sum(), whole.min(), whole.max()
    table = []
    for key in sums.index:
        count = int(sums.loc[key, f"{names[0]} count"])
        row: dict[str, Any] = {"category": key, "count": count}
        for name in names:
            total, squares = sums.loc[key, f"{name} sum"], sums.loc[key, f"{name} squared"]
            spread = (squares - total**2 / count) / (count - 1) if count > 1 else None
            row[f"mean_{name}"] = float(total / count)
            row[f"std_{name}"] = None if spread is None else float(max(spread, 0.0) ** 0.5)
            row[f"min_{name}"] = float(low.loc[key, f"{name} min"])
            row[f"max_{name}"] = float(high.loc[key, f"{name} max"])
        table.append(row)
    return table


def batches(run: Run, rows: int) -> Iterator[pd.DataFrame]:
    """The numbers and the category, so many rows at a time."""
    wanted = [*run.parameters.read.values, run.parameters.read.category]
    for uri in storage.list_files(run.dataset.uri):
        path = storage.local_path(uri)
        if columnar.is_parquet(uri):  # pandas itself reads such a file whole.
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(rows, columns=wanted):
                    yield batch.to_pandas()
        else:
            yield from pd.read_csv(path, usecols=wanted, chunksize=rows)
