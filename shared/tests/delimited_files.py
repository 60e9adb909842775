"""Files of delimited text for tests, and what is read of them."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from studykit import storage
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, lines
from studykit.text.delimited import Dialect

EDGES = pa.schema([("source", pa.int64()), ("destination", pa.int64())])
CSV = Dialect(",", comment=b"#%")
BLANKS = Dialect(None, comment=b"#%")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delimited") / "edges.csv"


def read(
    path: Path,
    text: bytes,
    dialect: Dialect = CSV,
    schema: pa.Schema = EDGES,
    names: list[str] | None = None,
    split_size: int = 1 << 20,
    header: bool = False,
) -> list[tuple[Any, ...]]:
    """All rows of a file, read split by split."""
    path.write_bytes(text)
    rows = []
    for split, block in blocks(path, dialect, split_size, header):
        made_of = functools.partial(
            delimited.read, dialect=dialect, schema=schema, split=split, names=names
        )
        for table in bad_rows.read_rows(block, made_of, bad_rows.refuse):
            assert table.schema == schema
            rows += [tuple(row.values()) for row in table.to_pylist()]
    return rows


def blocks(
    path: Path, dialect: Dialect, split_size: int, header: bool
) -> Iterator[tuple[Split, Block]]:
    """The blocks behind a file's byte order mark and header, as a study asks for them."""
    head = lines.head(str(path))
    body = head[0].start
    if header:
        data = (line for line in head if line.text.strip() and line.text[0] not in dialect.comment)
        body = next(data).stop
    for split in storage.splits(str(path), split_size):
        for block in lines.blocks_from(split, body):
            yield split, block
