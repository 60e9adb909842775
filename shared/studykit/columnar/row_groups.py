"""The rows of Parquet files: row groups as splits that any worker reads by itself.

The one idea: a row group is decoded batch after batch by Arrow, of a local file out of its pages,
of one on a server as its bytes arrive; nothing is held but a batch. A file of one row group is one
split, whatever its size: who writes files for many workers writes many row groups.
"""

import contextlib
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet
from pyarrow import types

from studykit.columnar import conversion
from studykit.columnar import fetching
from studykit.columnar import footers
from studykit.columnar.conversion import WrongValue
from studykit.errors import DataError
from studykit.errors import StorageError
from studykit.storage import files
from studykit.storage import filesystems
from studykit.storage.failures import translated
from studykit.storage.splitting import Split

BATCH_ROWS = 1 << 16
INT96_UNIT = "us"
"""Of the timestamps of old writers, whose nanoseconds reach from 1677 to 2262 only."""


Good = TypeVar("Good")
Take = Callable[[DataError, int], None]
"""Is told what is wrong with a row, and its number in the file from 0; raises, or goes on."""


@dataclass(frozen=True)
class RowGroups(Split):
    """Row groups of one file that follow each other, counted from 0, with the rows before them."""

    groups: range = range(0)
    first_row: int = 0


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


def splits(uri: str, size: int) -> list[RowGroups]:
    """Cut a file into row groups, together of at most `size` bytes where one alone is not larger.

    None where it has no row. DataError where its footer is damaged.
    """
    entry = files.look(uri)
    footer = footers.footer(entry.uri, entry.version)
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    inflated = sum(group.total_byte_size for group in groups)
    share = entry.size / inflated if inflated else 0.0  # What a byte takes in the file.
    starts = [fetching.first_byte(g.column(0)) if g.num_columns else 0 for g in groups]
    starts.append(entry.size)
    cut: list[RowGroups] = []
    begin, first_row, rows, length = 0, 0, 0, 0.0
    for place, group in enumerate(groups):
        rows, length = rows + group.num_rows, length + share * group.total_byte_size
        following = share * groups[place + 1].total_byte_size if place + 1 < len(groups) else size
        if length + following > size or place + 1 == len(groups):
            if rows:
                known = (entry.uri, starts[begin], starts[place + 1], entry.size, entry.version)
                cut.append(RowGroups(*known, groups=range(begin, place + 1), first_row=first_row))
            begin, first_row, rows, length = place + 1, first_row + rows, 0, 0.0
    return cut


def require(uri: str, wanted: pa.Schema) -> None:
    """DataError unless the file has each of these columns once, of a type that can be this one."""
    _require(uri, footers.schema(uri), wanted)


def _require(uri: str, found: pa.Schema, wanted: pa.Schema) -> None:
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
    batch_rows: int = BATCH_ROWS,
    nullable: Collection[str] = (),
) -> Iterator[Rows]:
    """The rows of a split, in batches: the columns of the schema, exactly of its types.

    DataError as in `require`, and with the row where a value does not fit or, in a column that is
    not `nullable`, is missing. StorageError where the file is no longer the one that was cut.
    """
    for raw in _raw(split, wanted, batch_rows):
        yield _converted(raw, wanted, nullable)


def read_good(
    split: RowGroups,
    wanted: pa.Schema,
    made_of: Callable[[Rows], Good],
    take: Take,
    batch_rows: int = BATCH_ROWS,
    nullable: Collection[str] = (),
) -> Iterator[Good]:
    """What `made_of` makes of the rows that `read` gives, without the wrong ones: `take` is told.

    Wrong is a row of which `read` or `made_of` raises a DataError. It is found as in
    `text.bad_rows`: by halves, so that the same rows are left out however the file was cut.
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
    _require_version(split)
    footer = footers.footer(split.uri, split.version)
    with footers.decoding(split.uri):
        _require(split.uri, footer.schema.to_arrow_schema(), wanted)
    first_row = split.first_row
    with _open(split, footer, wanted) as file:
        for group in split.groups:
            stop = first_row + footer.row_group(group).num_rows
            for batch in _batches(file, split.uri, group, wanted, batch_rows):
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                yield Rows(columns, split.uri, group, first_row)
                first_row += batch.num_rows
            if first_row != stop:
                reason = f"damaged: ends {stop - first_row} rows before its footer says"
                raise DataError(reason, uri=split.uri, place=f"row group {group}")
    _require_version(split)


def _require_version(split: RowGroups) -> None:
    if files.look(split.uri).version != split.version:
        raise StorageError("changed while it was being read", uri=split.uri)


def _batches(
    file: parquet.ParquetFile, uri: str, group: int, wanted: pa.Schema, rows: int
) -> Iterator[pa.RecordBatch]:
    place = f"row group {group}"
    with footers.decoding(uri, place):
        batches = file.iter_batches(
            rows, row_groups=[group], columns=wanted.names, use_threads=False
        )
    while True:
        with footers.decoding(uri, place):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _converted(raw: Rows, wanted: pa.Schema, nullable: Collection[str]) -> Rows:
    columns = {}
    for field in wanted:
        array = raw[field.name]
        try:
            if field.name not in nullable and array.null_count:
                raise WrongValue(array.is_null().index(True).as_py(), "a missing value")
            columns[field.name] = conversion.convert(array, field.type)
        except WrongValue as wrong:
            raise raw.error(wrong.row, field.name, wrong.reason) from None
    return Rows(columns, raw.uri, raw.group, raw.first_row)


@contextlib.contextmanager
def _open(
    split: RowGroups, footer: parquet.FileMetaData, wanted: pa.Schema
) -> Iterator[parquet.ParquetFile]:
    labels = [field.name for field in wanted if types.is_dictionary(field.type)]
    local = filesystems.is_local(split.uri)
    with contextlib.ExitStack() as stack:
        if local:
            with translated(split.uri):
                source = stack.enter_context(pa.memory_map(filesystems.local_path(split.uri)))
        else:
            names = frozenset(wanted.names)
            ahead = fetching.pieces(footer, split.groups, names)
            source = stack.enter_context(fetching.FetchedFile(split.uri, split.size, ahead))
        with footers.decoding(split.uri):
            file = parquet.ParquetFile(
                source,
                metadata=footer,
                read_dictionary=labels,
                buffer_size=0 if local else fetching.BUFFER_BYTES,
                pre_buffer=False,
                coerce_int96_timestamp_unit=INT96_UNIT,
                page_checksum_verification=True,
            )
        yield stack.enter_context(file)
