"""The rows of the input, read by the oracle's own means: nothing of the engines' readers is used.

The one idea: Arrow's own CSV reader is given a piece of the file at a time, and where it refuses
one, that goes line by line through Python's csv, int and float. A row can be read where it has as
many fields as the header, a whole number of 64 bits as its id, finite numbers, and a category that
may occur. What cannot be read is left out: under --bad-rows skip that is right, else the engine has
refused it, or the check fails, since rows are missing.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from studykit import storage
from studykit.errors import CheckError
from studykit.options import BAD_ROWS_SKIP
from studykit.run import Run
from studykit.storage import whole_lines

from ray_vs_dask_etl.rows import Columns

READ_BYTES = 16_000_000
PARQUET_ROWS = 100_000
DELIMITERS = ",;\t|"
INTEGER = re.compile("-?[0-9]{1,40}")
AT_QUOTE = re.compile(rb'[ \t]"|"[ \t]')


def read_tables(run: Run) -> Iterator[pa.Table]:
    """The rows that can be read, piece by piece: the id, the numbers and the category."""
    columns, skip = run.parameters.read, run.options.bad_rows == BAD_ROWS_SKIP
    for uri in storage.list_files(run.dataset.uri):
        with storage.open_inflated(uri) as file:
            if file.peek(4)[:4] == b"PAR1":
                yield from _of_parquet(file, columns)
            else:
                yield from of_text(whole_lines.pieces(file, READ_BYTES), columns, skip)


def of_text(pieces: Iterator[bytes], columns: Columns, skip: bool) -> Iterator[pa.Table]:
    wanted = [columns.id, *columns.values, columns.category]
    schema = _schema(columns)
    names: list[str] | None = None
    for piece in pieces:
        if names is None:
            header, piece = whole_lines.header(piece)
            names, delimiter = _named(header, wanted)
            places = [names.index(name) for name in wanted]
        doubtful = (b'"' in piece and AT_QUOTE.search(piece)) or (skip and _is_doubtful(piece))
        table = None if doubtful else _by_arrow(piece, len(names), places, delimiter, schema)
        if table is None:
            read = (_row(line, len(names), places, delimiter) for line in io.BytesIO(piece))
            found = [row for row in read if row]
            fields = list(zip(*found, strict=True)) or [()] * len(wanted)
            kinds = zip(fields, schema.types, strict=True)
            table = pa.table([pa.array(list(some), kind) for some, kind in kinds], schema=schema)
        rows = right(table, columns)
        if rows.num_rows:
            yield rows


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


def _by_arrow(
    piece: bytes, count: int, places: Sequence[int], delimiter: str, schema: pa.Schema
) -> pa.Table | None:
    """None where Arrow does not take the piece."""
    kinds = dict(zip(map(str, places), schema.types, strict=True))
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(piece),
            arrow_csv.ReadOptions(column_names=[str(place) for place in range(count)]),
            arrow_csv.ParseOptions(delimiter=delimiter),
            arrow_csv.ConvertOptions(
                column_types=kinds, include_columns=list(kinds), null_values=[]
            ),
        ).rename_columns(schema.names)
    except (pa.ArrowInvalid, ValueError):
        return None
    return table


def _row(line: bytes, count: int, places: Sequence[int], delimiter: str) -> tuple[Any, ...] | None:
    """Id, numbers and category; None where the line cannot be read, or is blank."""
    text = line.decode(errors="surrogateescape")
    if text.endswith("\n"):
        text = text[:-2] if text.endswith("\r\n") else text[:-1]
    if not text.strip(" " if delimiter == "\t" else " \t") or "\0" in text or "\r" in text:
        return None
    try:
        fields = _fields(text, delimiter)
    except csv.Error:
        return None
    if len(fields) != count:
        return None
    number, *texts, category = (fields[place] for place in places)
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


def _of_parquet(file: Any, columns: Columns) -> Iterator[pa.Table]:
    schema = _schema(columns)
    for batch in parquet.ParquetFile(file).iter_batches(PARQUET_ROWS, columns=schema.names):
        table = pa.Table.from_batches([batch]).select(schema.names).drop_null().cast(schema)
        rows = right(table, columns)
        if rows.num_rows:
            yield rows


def right(table: pa.Table, columns: Columns) -> pa.Table:
    """The rows of finite numbers whose category may occur."""
    keep = np.ones(len(table), bool)
    for name in columns.values:
        keep &= np.isfinite(table[name].to_numpy())
    known = pc.is_in(table[columns.category], value_set=pa.array(columns.categories))
    return table.filter(pa.array(keep & known.to_numpy()))
