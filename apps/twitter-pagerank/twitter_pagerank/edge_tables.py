"""Reading edges of Parquet: two columns of whole numbers, whatever their names and types."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError

BATCH_ROWS = 1 << 19

Ids = npt.NDArray[np.uint32] | npt.NDArray[np.int64]


def columns(uri: str) -> tuple[str, str]:
    """The names of source and destination. DataError where the file has not two columns of ids."""
    names = columnar.schema(uri).names
    if len(names) != 2:
        has = f"found {len(names)}: {', '.join(names)}"
        raise DataError(f"expected 2 columns (source and destination), {has}", uri=uri)
    found = (names[0], names[1])
    columnar.require(uri, _schema(found))
    return found


def _schema(names: tuple[str, str]) -> pa.Schema:
    return pa.schema([(name, pa.int64()) for name in names])


def read(split: RowGroups, names: tuple[str, str]) -> Iterator[tuple[Ids, Ids, int]]:
    """Sources, destinations and their largest id (or -1), batch by batch; of one's own to write."""
    for rows in columnar.read(split, _schema(names), BATCH_ROWS):
        found: list[npt.NDArray[np.int64]] = [rows.numbers(name) for name in names]
        largest = -1
        for name, ids in zip(names, found, strict=True):
            largest = max(largest, int(ids.max(initial=-1)))
            if ids.min(initial=0) < 0:
                row = int(np.argmax(ids < 0))
                raise rows.error(row, name, f"negative id {ids[row]}")
        if largest < 2**32:
            yield found[0].astype(np.uint32), found[1].astype(np.uint32), largest
        else:
            yield found[0].copy(), found[1].copy(), largest
