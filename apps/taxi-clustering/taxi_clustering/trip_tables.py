"""Reading trips of Parquet, the form in which the city publishes them: columns by their names."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.text.bad_rows import Take

from taxi_clustering import times
from taxi_clustering.exact_rows import TIMES, MissingValue

BATCH_ROWS = 1 << 16

Moments = npt.NDArray[np.int64]
Part = tuple[Moments, npt.NDArray[np.float64]]


def schema(uri: str, names: Sequence[str], version: str | None = None) -> pa.Schema:
    """What the eight columns are read as: two times, of a zone or none or text, and six numbers."""
    found = columnar.schema(uri, version)
    kinds = [_kind_of_time(found.field(name).type) for name in names[:TIMES]]
    kinds += [pa.float64()] * len(names[TIMES:])
    return pa.schema(list(zip(names, kinds, strict=True)))


def _kind_of_time(kind: pa.DataType) -> pa.DataType:
    if types.is_timestamp(kind):
        return pa.timestamp("us", None if kind.tz is None else "UTC")
    return pa.string()


def read(split: RowGroups, names: Sequence[str], take: Take) -> Iterator[Part]:
    """Moments int64[n, 2] and numbers float64[n, 6], batch by batch, of the rows that have them.

    `take` is told of every other row, and raises or goes on; a `MissingValue` is one.
    """

    def converted(rows: Rows) -> Part:
        for name in names:
            if rows[name].null_count:
                raise _missing(rows, rows[name].is_null().index(True).as_py(), name)
        moments = np.stack([_moments(rows, name) for name in names[:TIMES]], axis=1)
        numbers = np.stack([rows.numbers(name) for name in names[TIMES:]], axis=1)
        infinite = np.argwhere(~np.isfinite(numbers))
        if len(infinite):
            row, place = infinite[0].tolist()
            value, name = numbers[row, place], names[TIMES + place]
            if np.isnan(value):
                raise _missing(rows, row, name, " (nan)")
            raise rows.error(row, name, f"{value} is no finite number")
        return moments, numbers

    wanted = schema(split.uri, names, split.version)
    return columnar.read(split, wanted, converted, take, BATCH_ROWS, nullable=names)


def _missing(rows: Rows, row: int, name: str, said: str = "") -> Exception:
    reason = f"a missing value{said}: --missing count counts such trips"
    return rows.error(row, name, reason, MissingValue)


def _moments(rows: Rows, name: str) -> Moments:
    """Microseconds on New York's clock: a time without a zone is one already."""
    column = rows[name]
    if types.is_timestamp(column.type) and column.type.tz is None:
        return rows.numbers(name)
    texts = column.cast(pa.string())  # Of a time with a zone: it ends with Z.
    found = times.read_column(texts)
    wrong = found == times.NO_TIME
    if wrong.any():
        row = int(np.argmax(wrong))
        reason = f"{columnar.shown(texts[row])} is no time: write {times.FORMS}"
        raise rows.error(row, name, reason)
    return found
