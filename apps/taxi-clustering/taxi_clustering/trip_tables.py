"""Reading trips of Parquet, the form in which the city publishes them: columns by their names."""

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups

BATCH_ROWS = 1 << 16

Part = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]


def schema(names: Sequence[str]) -> pa.Schema:
    """What the eight columns are read as: two times, six numbers. Times may also stand as text."""
    kinds = [pa.timestamp("us")] * 2 + [pa.float64()] * 6
    return pa.schema(list(zip(names, kinds, strict=True)))


def read(split: RowGroups, names: Sequence[str]) -> Iterator[Part]:
    """Moments int64[n, 2] and numbers float64[n, 6], batch by batch. DataError with a wrong row."""
    for rows in columnar.read(split, schema(names), BATCH_ROWS):
        numbers = np.empty((len(rows), 6))
        moments = np.stack([rows.numbers(name) for name in names[:2]], axis=1)
        for place, name in enumerate(names[2:]):
            numbers[:, place] = rows.numbers(name)
        finite = np.isfinite(numbers)
        if not finite.all():
            row, place = np.argwhere(~finite)[0]
            reason = f"{numbers[row, place]} is no finite number"
            raise rows.error(int(row), names[2 + place], reason)
        yield moments, numbers
