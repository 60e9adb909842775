"""Reading edges of Parquet: two of its columns, whole numbers of whatever type."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.errors import DataError
from studykit.text import bad_rows
from studykit.text.bad_rows import Take

from twitter_pagerank import table_columns
from twitter_pagerank.edge_format import EdgeFormat, Reading

BATCH_ROWS = 1 << 19

Ids = npt.NDArray[np.uint32] | npt.NDArray[np.int64]


def look(uri: str, reading: Reading) -> EdgeFormat:
    """Which columns are read. DataError where they are not there, or hold no ids."""
    if reading.delimiter_given or reading.skip_lines:
        problem = "Parquet has no lines: leave out --delimiter and --skip-lines"
        raise DataError(problem, uri=uri)
    names = columnar.schema(uri).names
    places = table_columns.places(uri, None, names, len(names), reading)
    form = EdgeFormat("parquet", None, names=tuple(names), places=places)
    columnar.require(uri, _schema(form.ends))
    return form


def _schema(names: tuple[str, str]) -> pa.Schema:
    return pa.schema([(name, pa.int64()) for name in names])


def read(
    split: RowGroups, names: tuple[str, str], take: Take = bad_rows.refuse
) -> Iterator[tuple[Ids, Ids, int]]:
    """Sources, destinations and their largest id (or -1), batch by batch; of one's own to write.

    `take` is told of rows that are wrong, and raises or goes on.
    """
    return columnar.read(split, _schema(names), lambda rows: _ids(rows, names), take, BATCH_ROWS)


def _ids(rows: Rows, names: tuple[str, str]) -> tuple[Ids, Ids, int]:
    found: list[npt.NDArray[np.int64]] = [rows.numbers(name) for name in names]
    largest = -1
    for name, ids in zip(names, found, strict=True):
        largest = max(largest, int(ids.max(initial=-1)))
        if ids.min(initial=0) < 0:
            row = int(np.argmax(ids < 0))
            raise rows.error(row, name, f"negative id {ids[row]}")
    if largest < 2**32:
        return found[0].astype(np.uint32), found[1].astype(np.uint32), largest
    return found[0].copy(), found[1].copy(), largest
