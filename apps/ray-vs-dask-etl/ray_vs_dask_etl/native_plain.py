"""The ETL as one writes it without a framework: pandas, a piece of the file at a time.

As `published` the means alone, as the paper took them with its engines.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from pyarrow import parquet
from studykit import columnar, storage
from studykit.run import Run

ROWS_AT_ONCE = 1 << 20


def group_by(run: Run) -> list[dict[str, Any]]:
    """The table, as `aggregation.finish` makes it, or with the means alone."""
    if run.options.method == "published":
        return _means(run)
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


def _means(run: Run) -> list[dict[str, Any]]:
    columns = run.parameters.read
    names, category = list(columns.values), columns.category
    pieces = [
        rows.groupby(category)[names].agg(["count", "sum"]) for rows in batches(run, ROWS_AT_ONCE)
    ]
    whole = pd.concat(pieces).groupby(level=0).sum()
    return [
        {"category": key}
        | {f"mean_{name}": float(row[name, "sum"] / row[name, "count"]) for name in names}
        for key, row in whole.iterrows()
    ]


def batches(run: Run, rows: int, ids: bool = False) -> Iterator[pd.DataFrame]:
    """The numbers and the category, so many rows at a time; the ids where asked for."""
    columns = run.parameters.read
    wanted = [*([columns.id] if ids else []), *columns.values, columns.category]
    for uri in storage.list_files(run.dataset.uri):
        path = storage.local_path(uri)
        if columnar.is_parquet(uri):  # pandas itself reads such a file whole.
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches(rows, columns=wanted):
                    yield batch.to_pandas()
        else:
            yield from pd.read_csv(path, usecols=wanted, chunksize=rows)
