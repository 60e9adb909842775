"""Parquet files for tests, and what `columnar` reads of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from studykit import columnar, cutting, storage
from studykit.columnar import LABELS, RowGroups, Rows
from studykit.errors import DataError

IDS = pa.schema([("id", pa.int64())])
TABLE = pa.table(
    {
        "id": np.arange(10_000),
        "unused": ["x" * 50] * 10_000,
        "value": np.random.default_rng(0).normal(size=10_000),
        "label": [f"name {i % 7}" for i in range(10_000)],
    }
)
WANTED = pa.schema([("label", LABELS), ("value", pa.float64()), ("id", pa.int64())])


def written(path: Path | str, table: Any, **options: Any) -> str:
    """A table, or columns of one, as a Parquet file: its URI."""
    whole = table if isinstance(table, pa.Table) else pa.table(table)
    sink = pa.BufferOutputStream()
    parquet.write_table(whole, sink, **options)
    storage.write_bytes(str(path), sink.getvalue().to_pybytes())
    return str(path)


def rows_of(split: RowGroups, wanted: pa.Schema, **options: Any) -> Iterator[Rows]:
    """The rows of a split; the first wrong one is raised."""

    def take(error: DataError, row: int) -> None:
        raise error

    return columnar.read(split, wanted, lambda rows: rows, take, **options)


def values(uri: str, wanted: pa.Schema, size: int = 1, **options: Any) -> dict[str, list[Any]]:
    """All rows of a file, or of a folder of them, split by split."""
    found: dict[str, list[Any]] = {name: [] for name in wanted.names}
    for split in cutting.splits(uri, size):
        assert isinstance(split, RowGroups)
        for rows in rows_of(split, wanted, **options):
            for field in wanted:
                assert rows[field.name].type == field.type
                found[field.name] += rows[field.name].to_pylist()
    return found
