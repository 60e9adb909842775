"""Parquet → Arrow columns of exactly the wanted types, row group by row group, with the row of
what is wrong.

    for piece in columnar.splits("edges.parquet", 30_000_000):
        for ids in columnar.read(piece, schema, lambda rows: rows.numbers("id"), bad_rows.refuse):
            ...                                  # int64[n], batch by batch

The parts: `footers` (what a file holds), `row_groups` (splits), `fetching` (from a server, before
it is needed), `rows` (the wanted columns), `conversion` (exactly, or refused).
"""

from studykit.columnar.conversion import LABELS as LABELS
from studykit.columnar.conversion import shown as shown
from studykit.columnar.footers import is_parquet as is_parquet
from studykit.columnar.footers import row_count as row_count
from studykit.columnar.footers import schema as schema
from studykit.columnar.row_groups import RowGroups as RowGroups
from studykit.columnar.row_groups import splits as splits
from studykit.columnar.rows import Rows as Rows
from studykit.columnar.rows import as_numpy as as_numpy
from studykit.columnar.rows import read as read
from studykit.columnar.rows import require as require
