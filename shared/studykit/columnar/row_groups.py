"""The row groups of Parquet files, as splits that any worker reads by itself.

The one idea: a row group is decoded batch after batch by Arrow, of a local file out of its pages,
of one on a server as its bytes arrive; nothing is held but a batch. A file of one row group is one
split, whatever its size: who writes files for many workers writes many row groups.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import parquet, types

from studykit.columnar import fetching, footers
from studykit.errors import DataError
from studykit.storage import files, filesystems
from studykit.storage.failures import translated
from studykit.storage.splitting import Split, require_version

DICTIONARY_ENCODINGS = frozenset(
    {"PLAIN", "PLAIN_DICTIONARY", "RLE", "RLE_DICTIONARY", "BIT_PACKED"}
)
INT96_UNIT = "us"
"""Of the timestamps of old writers, whose nanoseconds reach from 1677 to 2262 only."""


@dataclass(frozen=True)
class RowGroups(Split):
    """Row groups of one file that follow each other, counted from 0, with the rows before them."""

    groups: range = range(0)
    first_row: int = 0

    @property
    def rows(self) -> int:
        """How many they have."""
        footer = footers.footer(self.uri, self.version)
        return sum(footer.row_group(group).num_rows for group in self.groups)


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


def batches(
    split: RowGroups, wanted: pa.Schema, batch_rows: int
) -> Iterator[tuple[int, int, pa.RecordBatch]]:
    """(row group, rows before it in the file, some rows): the columns as they are stored.

    Those of labels as dictionaries where they are stored so. StorageError where the file is no
    longer the one that was cut.
    """
    footer = footers.footer(split.uri, split.version)
    first_row = split.first_row
    with _open(split, footer, wanted) as file:
        for group in split.groups:
            stop = first_row + footer.row_group(group).num_rows
            for batch in _batches(file, split.uri, group, wanted, batch_rows):
                yield group, first_row, batch
                first_row += batch.num_rows
            if first_row != stop:
                reason = f"damaged: ends {stop - first_row} rows before its footer says"
                raise DataError(reason, uri=split.uri, place=f"row group {group}")
    require_version(split)


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


def _dictionaries(footer: parquet.FileMetaData, groups: range, wanted: pa.Schema) -> list[str]:
    """The columns of labels that are read as the dictionaries that they are stored as.

    Arrow does not do so with the other encodings of text: those are read as text.
    """
    labels = {field.name for field in wanted if types.is_dictionary(field.type)}
    for group in groups:
        for place in range(footer.num_columns if labels else 0):
            chunk = footer.row_group(group).column(place)
            if not DICTIONARY_ENCODINGS.issuperset(chunk.encodings):
                labels.discard(chunk.path_in_schema)
    return sorted(labels)


@contextlib.contextmanager
def _open(
    split: RowGroups, footer: parquet.FileMetaData, wanted: pa.Schema
) -> Iterator[parquet.ParquetFile]:
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
                read_dictionary=_dictionaries(footer, split.groups, wanted),
                buffer_size=0 if local else fetching.BUFFER_BYTES,
                pre_buffer=False,
                coerce_int96_timestamp_unit=INT96_UNIT,
                page_checksum_verification=True,
            )
        yield stack.enter_context(file)
