"""Parquet → Arrow columns of exactly the wanted types, row group by row group, with the row of
what is wrong.

    for piece in columnar.splits("edges.parquet", 30_000_000):
        for ids in columnar.read(piece, schema, lambda rows: rows.numbers("id"), bad_rows.refuse):
            ...                                  # int64[n], batch by batch

The parts: `footers` (what a file holds), `row_groups` (splits), `fetching` (from a server, before
it is needed), `rows` (the wanted columns), `conversion` (exactly, or refused).
"""

from studykit.columnar.conversion import LABELS, shown
from studykit.columnar.footers import is_parquet, row_count, schema
from studykit.columnar.row_groups import RowGroups, splits
from studykit.columnar.rows import Rows, as_numpy, read, require

__all__ = [
    "LABELS",
    "RowGroups",
    "Rows",
    "as_numpy",
    "is_parquet",
    "read",
    "require",
    "row_count",
    "schema",
    "shown",
    "splits",
]
