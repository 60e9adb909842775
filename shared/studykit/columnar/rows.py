"""The rows of a split: the wanted columns, each value of exactly the wanted type."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from studykit.columnar import conversion, footers, row_groups
from studykit.columnar.conversion import WrongValue
from studykit.columnar.row_groups import RowGroups
from studykit.errors import DataError
from studykit.storage.splitting import require_version
from studykit.text.bad_rows import Take

BATCH_ROWS = 1 << 16

Good = TypeVar("Good")


@dataclass(frozen=True)
class Rows:
    """Some rows of a row group: the wanted columns by name, equally long.

    `first_row` is the number of rows that stand before them in the file.
    """

    columns: dict[str, pa.Array]
    uri: str
    group: int
    first_row: int

    def __getitem__(self, column: str) -> pa.Array:
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def numbers(self, column: str) -> npt.NDArray[Any]:
        """A column without a missing value: a view, read-only; times are integers."""
        return as_numpy(self.columns[column])

    def part(self, start: int, stop: int) -> "Rows":
        columns = {name: array.slice(start, stop - start) for name, array in self.columns.items()}
        return replace(self, columns=columns, first_row=self.first_row + start)

    def error(
        self, row: int, column: str, reason: str, kind: type[DataError] = DataError
    ) -> DataError:
        """What is wrong in a row, from 0 in these rows; said with its row in the file, from 1."""
        place = f"row {self.first_row + row + 1} (row group {self.group})"
        return kind(reason, uri=self.uri, place=place, column=column)


def as_numpy(array: pa.Array) -> npt.NDArray[Any]:
    """As Arrow's own `to_numpy`, which imports pandas where that is installed: half a second."""
    if types.is_timestamp(array.type):
        array = array.view(pa.int64())
    kind = np.dtype(array.type.to_pandas_dtype())
    data = array.buffers()[1] if len(array) else b""
    return np.frombuffer(data, kind, len(array), array.offset * kind.itemsize if len(array) else 0)


def require(uri: str, wanted: pa.Schema, version: str | None = None) -> None:
    """DataError unless the file has each of these columns once, of a type that can be this one."""
    found = footers.schema(uri, version)
    for field in wanted:
        places = found.get_all_field_indices(field.name)
        if len(places) != 1:
            problem = f"column {field.name!r} twice" if places else f"no column {field.name!r}"
            raise DataError(f"{problem}; the file has: {', '.join(found.names)}", uri=uri)
        kind = found.field(places[0]).type
        if not conversion.is_possible(kind, field.type):
            name = field.type.value_type if types.is_dictionary(field.type) else field.type
            nested = ", a nested column" if types.is_nested(kind) else ""
            reason = f"is {str(kind)[:80]}{nested}: cannot be read as {name}"
            raise DataError(reason, uri=uri, column=field.name)


def read(
    split: RowGroups,
    wanted: pa.Schema,
    made_of: Callable[[Rows], Good],
    take: Take,
    batch_rows: int = BATCH_ROWS,
    nullable: Collection[str] = (),
) -> Iterator[Good]:
    """What `made_of` makes of the rows of a split, in batches: the wanted columns, exactly of their
    types, without the wrong ones, of which `take` is told.

    Wrong is a row of which a value does not fit or, in a column that is not `nullable`, is missing,
    or of which `made_of` raises a DataError. It is found as in `text.bad_rows`: by halves, so that
    the same rows are left out however the file was cut. DataError as in `require`; StorageError
    where the file is no longer the one that was cut.
    """

    def good(raw: Rows) -> Iterator[Good]:
        try:
            found = made_of(_converted(raw, wanted, nullable))
        except DataError as error:
            if len(raw) == 1:
                take(error, raw.first_row)
                return
        else:
            yield found
            return
        yield from good(raw.part(0, len(raw) // 2))
        yield from good(raw.part(len(raw) // 2, len(raw)))

    for raw in _raw(split, wanted, batch_rows):
        yield from good(raw)


def _raw(split: RowGroups, wanted: pa.Schema, batch_rows: int) -> Iterator[Rows]:
    """The columns as they are stored."""
    require_version(split)
    require(split.uri, wanted, split.version)
    for group, first_row, batch in row_groups.batches(split, wanted, batch_rows):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        yield Rows(columns, split.uri, group, first_row)


def _converted(raw: Rows, wanted: pa.Schema, nullable: Collection[str]) -> Rows:
    """DataError where a value does not fit, of the row where that is the only one."""
    columns = {}
    for field in wanted:
        array = raw[field.name]
        try:
            if field.name not in nullable and array.null_count:
                raise WrongValue("a missing value")
            columns[field.name] = conversion.convert(array, field.type)
        except WrongValue as wrong:
            raise raw.error(0, field.name, str(wrong)) from None
    return Rows(columns, raw.uri, raw.group, raw.first_row)
