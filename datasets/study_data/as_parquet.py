"""A data set of CSV lines as a Parquet file: the same rows, in row groups of a million at most.

How it is verified: the bytes of a Parquet file depend on the version of Arrow that writes it, so
the catalogue has no hash of them. The file is made of the very CSV lines that the catalogue has
the hash of, which is compared while it is made; the hash of what was written stands in its
sidecar, as of any data set, and is what `verify` compares.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import BinaryIO

import pyarrow as pa
from pyarrow import csv, parquet
from studykit import storage
from studykit.errors import DataError, UsageError

from study_data.dataset import Blocks, Dataset, Size, Writing
from study_data.progress import Moved

ROW_GROUP_ROWS = 1 << 20
FEWEST_ROW_GROUPS = 16
"""Of a file with fewer rows, so that workers have something to share."""


@dataclass(frozen=True)
class ParquetDataset(Dataset):
    """`sizes` have the bytes of the lines, which the file stays below, and no hash."""

    ending: str = ".parquet"
    text_hashes: tuple[tuple[int, str], ...] = ()
    """(rows, sha256 of the lines that seed 0 gives) of the sizes that have one."""

    def asked(self, size: str) -> str:
        return f"{super().asked(size)} --format parquet"

    def writing(self, rows: int, seed: int, uri: str, moved: Moved) -> Writing | None:
        if self.make is None:
            return None
        expected = dict(self.text_hashes).get(rows) if seed == 0 else None
        group = min(ROW_GROUP_ROWS, -(-rows // FEWEST_ROW_GROUPS))
        return self._written(self.make(rows, seed), uri, moved, group, expected)

    @contextlib.contextmanager
    def _written(
        self, blocks: Blocks, uri: str, moved: Moved, group: int, expected: str | None
    ) -> Iterator[tuple[int, str]]:
        text = hashlib.sha256()
        with contextlib.closing(blocks), storage.write_atomic(uri) as file:
            sink = _Hashed(file)
            with parquet.ParquetWriter(sink, self._schema()) as writer:
                for table in self._tables(blocks, text, moved, group):
                    writer.write_table(table, row_group_size=group)
            if expected not in (None, text.hexdigest()):
                raise DataError(
                    f"is made of other rows than the catalogue has (sha256 {text.hexdigest()},"
                    f" expected {expected})",
                    uri=uri,
                )
            yield file.tell(), sink.digest.hexdigest()

    def _schema(self) -> pa.Schema:
        return pa.schema({name: pa.type_for_alias(kind) for name, kind in self.columns.items()})

    def _tables(
        self, blocks: Blocks, text: "hashlib._Hash", moved: Moved, group: int
    ) -> Iterator[pa.Table]:
        """Whole row groups, but for the last."""
        waiting: list[pa.Table] = []
        rows = 0
        for block in blocks:
            text.update(block)
            moved(len(block))
            table = self._parsed(block)
            waiting, rows = [*waiting, table], rows + table.num_rows
            if rows >= group:
                whole, cut = pa.concat_tables(waiting), rows - rows % group
                yield whole.slice(0, cut)
                waiting, rows = [whole.slice(cut)], rows - cut
        if rows:
            yield pa.concat_tables(waiting)

    def _parsed(self, block: memoryview) -> pa.Table:
        """Whole lines; the first block may be, or begin with, the header."""
        header = (",".join(self.columns) + "\n").encode()
        lines = block[len(header) :] if block[: len(header)] == header else block
        schema = self._schema()
        if not len(lines):
            return schema.empty_table()
        return csv.read_csv(
            pa.py_buffer(lines),
            csv.ReadOptions(column_names=schema.names),
            convert_options=csv.ConvertOptions(column_types=schema, null_values=[]),
        )


class _Hashed:
    """What Arrow writes to goes into a file, and into a hash."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The file is its owner's to close."""


def is_table(dataset: Dataset) -> bool:
    """Whether it is made here, line by line."""
    return dataset.make is not None and bool(dataset.columns)


def as_parquet(dataset: Dataset) -> ParquetDataset:
    """The same rows as Parquet. UsageError for what is no table of lines made here."""
    if not is_table(dataset):
        raise UsageError(f"{dataset.name}: --format parquet is for tables that are made here")
    sizes = dataset.sizes.values()
    known = {field.name: getattr(dataset, field.name) for field in fields(Dataset)}
    return ParquetDataset(
        **known
        | {
            "ending": ".parquet",
            "prefixes": False,
            "schema": f"Parquet of {dataset.schema}",
            "sizes": {name: Size(size.rows, size.bytes) for name, size in dataset.sizes.items()},
        },
        text_hashes=tuple((size.rows, size.sha256) for size in sizes if size.sha256 is not None),
    )
