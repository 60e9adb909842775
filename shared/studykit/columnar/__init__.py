"""Parquet → Arrow columns of exactly the wanted types, row group by row group, with the row of
what is wrong.

    for piece in columnar.splits("edges.parquet", 30_000_000):
        for rows in columnar.read(piece, pa.schema([("source", pa.int64())])):
            rows.numbers("source")               # int64[n]

The parts: `footers` (what a file holds), `row_groups` (splits), `fetching` (from a server, before
it is needed), `rows` (the wanted columns), `conversion` (exactly, or refused).
"""

from studykit.columnar.conversion import LABELS
from studykit.columnar.conversion import shown
from studykit.columnar.footers import is_parquet
from studykit.columnar.footers import row_count
from studykit.columnar.footers import schema
from studykit.columnar.row_groups import RowGroups
from studykit.columnar.row_groups import splits
from studykit.columnar.rows import Rows
from studykit.columnar.rows import as_numpy
from studykit.columnar.rows import read
from studykit.columnar.rows import read_good
from studykit.columnar.rows import require

__all__ = [
    "LABELS",
    "RowGroups",
    "Rows",
    "as_numpy",
    "is_parquet",
    "read",
    "read_good",
    "require",
    "row_count",
    "schema",
    "shown",
    "splits",
]
