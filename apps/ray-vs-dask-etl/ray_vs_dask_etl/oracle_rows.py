"""The rows of the input, read by the oracle's own means: nothing of the engines' readers is used.

The one idea: a piece of the file at a time, one by every core, is read sign by sign where all of it
is plain (oracle_plain.py), else by Arrow's own CSV reader, and where that refuses it, line by line
through Python's csv, int and float. A row can be read where it has as many fields as the header, a
whole number of 64 bits as its id, finite numbers, and a category that may occur. What cannot be
read is left out: under --bad-rows skip that is right, else the engine has refused it, or the check
fails, since rows are missing.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from studykit import machine, storage
from studykit.errors import CheckError
from studykit.options import BAD_ROWS_SKIP
from studykit.run import Run
from studykit.storage import whole_lines

from ray_vs_dask_etl import oracle_plain
from ray_vs_dask_etl.rows import Columns

READ_BYTES = 8_000_000
PARQUET_ROWS = 100_000
DELIMITERS = ",;\t|"
INTEGER = re.compile("-?[0-9]{1,40}")
AT_QUOTE = re.compile(rb'[ \t]"|"[ \t]')


Made = TypeVar("Made")


@dataclass(frozen=True)
class Rows:
    """ids int64[n], values float64[columns, n], codes int64[n]: places in `Columns.categories`."""

    ids: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]


def read_for(run: Run, use: Callable[[Rows], Made]) -> Iterator[Made]:
    """What `use` makes of the rows that can be read, piece by piece. Several threads call it.

    No piece is without rows.
    """

    def work(piece: Callable[[], Rows]) -> Made | None:
        rows = piece()
        return use(rows) if len(rows.ids) else None

    made = whole_lines.over(work, _pieces(run), machine.cores())
    return (one for one in made if one is not None)


def first_rows(run: Run) -> Rows:
    """Of the first piece that has some. CheckError where none has."""
    for piece in _pieces(run):
        rows = piece()
        if len(rows.ids):
            return rows
    raise CheckError("the check finds no row that can be read")


def _pieces(run: Run) -> Iterator[Callable[[], Rows]]:
    columns, skip = run.parameters.read, run.options.bad_rows == BAD_ROWS_SKIP
    for uri in storage.list_files(run.dataset.uri):
        with storage.open_inflated(uri) as file:
            if file.peek(4)[:4] == b"PAR1":
                yield from _of_parquet(file, columns)
            else:
                yield from of_text(whole_lines.pieces(file, READ_BYTES), columns, skip)


@dataclass(frozen=True)
class Header:
    """How many fields a line has, what is between them, and where the wanted ones stand."""

    count: int
    delimiter: str
    places: list[int]

    def fields(self, columns: Columns) -> list[int]:
        """What every field is, for oracle_plain."""
        found = [oracle_plain.UNUSED] * self.count
        number, *values, category = self.places
        found[number], found[category] = oracle_plain.ID, oracle_plain.CATEGORY
        for value, place in enumerate(values):
            found[place] = oracle_plain.VALUE + value
        return found


def of_text(pieces: Iterator[bytes], columns: Columns, skip: bool) -> Iterator[Callable[[], Rows]]:
    """What reads a piece, for every piece."""
    wanted = [columns.id, *columns.values, columns.category]
    header: Header | None = None
    for piece in pieces:
        if header is None:
            first, piece = whole_lines.header(piece)
            names, delimiter = _named(first, wanted)
            header = Header(len(names), delimiter, [names.index(name) for name in wanted])
        yield partial(_of_piece, piece, header, columns, skip)


def _of_piece(piece: bytes, header: Header, columns: Columns, skip: bool) -> Rows:
    fields = header.fields(columns)
    plain = oracle_plain.read(piece, header.delimiter, fields, columns.categories)
    if plain is not None:
        return Rows(*plain)
    schema = _schema(columns)
    doubtful = (b'"' in piece and AT_QUOTE.search(piece)) or (skip and _is_doubtful(piece))
    table = None if doubtful else _by_arrow(piece, header, schema)
    if table is None:
        read = (_row(line, header) for line in io.BytesIO(piece))
        found = [row for row in read if row]
        texts = list(zip(*found, strict=True)) or [()] * len(header.places)
        kinds = zip(texts, schema.types, strict=True)
        table = pa.table([pa.array(list(some), kind) for some, kind in kinds], schema=schema)
    return right(table, columns)


def _schema(columns: Columns) -> pa.Schema:
    numbers = [(name, pa.float64()) for name in columns.values]
    return pa.schema([(columns.id, pa.int64()), *numbers, (columns.category, pa.string())])


def _named(header: str, wanted: Sequence[str]) -> tuple[list[str], str]:
    for delimiter in DELIMITERS:
        try:
            names = [name.strip() for name in _fields(header, delimiter)]
        except csv.Error:
            continue
        if set(wanted) <= set(names):
            return names, delimiter
    raise CheckError(f"the check finds no columns {', '.join(wanted)}, the engine did")


def _fields(text: str, delimiter: str) -> list[str]:
    """csv.Error where quotes do not match; blanks around them are no part of a field."""
    if '"' in text:
        sign, blanks = re.escape(delimiter), "[ ]*" if delimiter == "\t" else "[ \t]*"
        quoted = rf'(\A|{sign}){blanks}("(?:[^"]|"")*"){blanks}(?={sign}|\Z)'
        text = re.sub(quoted, r"\1\2", text)
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _is_doubtful(piece: bytes) -> bool:
    """Whether Arrow might take for right what an engine leaves out."""
    marks = any(mark in piece for mark in (b'"', b"\0", b"0x", b"0X"))
    return marks or piece.count(b"\r") != piece.count(b"\r\n")


def _by_arrow(piece: bytes, header: Header, schema: pa.Schema) -> pa.Table | None:
    """None where Arrow does not take the piece."""
    kinds = dict(zip(map(str, header.places), schema.types, strict=True))
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(piece),
            arrow_csv.ReadOptions(column_names=[str(place) for place in range(header.count)]),
            arrow_csv.ParseOptions(delimiter=header.delimiter),
            arrow_csv.ConvertOptions(
                column_types=kinds, include_columns=list(kinds), null_values=[]
            ),
        ).rename_columns(schema.names)
    except (pa.ArrowInvalid, ValueError):
        return None
    return table


def _row(line: bytes, header: Header) -> tuple[Any, ...] | None:
    """Id, numbers and category; None where the line cannot be read, or is blank."""
    text = line.decode(errors="surrogateescape")
    if text.endswith("\n"):
        text = text[:-2] if text.endswith("\r\n") else text[:-1]
    if not text.strip(" " if header.delimiter == "\t" else " \t") or "\0" in text or "\r" in text:
        return None
    try:
        fields = _fields(text, header.delimiter)
    except csv.Error:
        return None
    if len(fields) != header.count:
        return None
    number, *texts, category = (fields[place] for place in header.places)
    number, values = number.strip(" \t"), [_number(text) for text in texts]
    if not INTEGER.fullmatch(number) or not -(2**63) <= int(number) < 2**63:
        return None
    return None if None in values else (int(number), *values, category)


def _number(text: str) -> float | None:
    text = text.strip(" \t")
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _of_parquet(file: Any, columns: Columns) -> Iterator[Callable[[], Rows]]:
    names = _schema(columns).names
    for batch in parquet.ParquetFile(file).iter_batches(PARQUET_ROWS, columns=names):
        yield partial(_of_batch, pa.Table.from_batches([batch]).select(names), columns)


def _of_batch(table: pa.Table, columns: Columns) -> Rows:
    return right(table.drop_null().cast(_schema(columns)), columns)


def right(table: pa.Table, columns: Columns) -> Rows:
    """The rows of finite numbers whose category may occur."""
    values = np.array([table[name].to_numpy() for name in columns.values])
    names = pa.array(columns.categories)
    codes = pc.index_in(table[columns.category], names).fill_null(-1).to_numpy()
    keep = np.isfinite(values).all(axis=0) & (codes >= 0)
    ids = table[columns.id].to_numpy()
    return Rows(ids[keep], values[:, keep], codes[keep].astype(np.int64))
