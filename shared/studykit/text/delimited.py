"""Delimited text → Arrow columns: the exact reader, which says what is wrong with a line.

The one idea: Arrow's CSV reader takes a block whole where that is certain to be right; whatever
it refuses, or would read too kindly, goes through the line reader below, which either reads it
or says what is wrong. Which line that is `bad_rows` finds out, for all readers.

Read: LF and CRLF, blank lines, comment lines, fields in double quotes, blanks around numbers, a
last line without its end; a file's header and byte order mark stand before (`lines.blocks_from`).
Refused, as a `DataError` with file and column: another number of fields, a value of another type,
a missing value, a number that does not fit, NUL bytes, a carriage return or a line break inside a
line.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from studykit.errors import DataError
from studykit.storage.splitting import Block, Split
from studykit.text import arrow_csv, lines
from studykit.text.dialects import (
    Dialect,
    WrongLine,
    fields_of,
    header_names,
    is_missing,
    odd_blank,
    shown,
    text_of,
    wrong_count,
)

__all__ = ["Dialect", "header", "header_names", "read"]

_INTEGER = re.compile(r"-?[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")


def header(uri: str, rows: str = "rows") -> tuple[list[str], lines.Line]:
    """The names in the first line of a file that is not blank, and that line.

    DataError where there is none or it cannot be read; `rows` is what such a file has none of."""
    line = lines.first_filled(uri)
    if line is None:
        raise DataError(f"no {rows}: the file is empty", uri=uri)
    try:
        return header_names(line.text), line
    except DataError as error:
        raise DataError(error.reason, uri=uri, line=line.number) from None


def read(
    block: Block, dialect: Dialect, schema: pa.Schema, split: Split, names: list[str] | None = None
) -> pa.Table:
    """Whole lines → a table of exactly this schema: integers, floats, strings, timestamps …

    With `names`, the names of all columns of the file, the columns of the schema are picked by
    name; without, the file has the schema's columns in its order. DataError as said above, and
    where the schema names a column that the file has not, or has twice.
    An error names no line: `bad_rows.read_rows` finds it.
    """
    columns = list(schema.names if names is None else names)
    for name in schema.names:
        if columns.count(name) != 1:
            problem = f"column {name!r} twice" if name in columns else f"no column {name!r}"
            has = ", ".join(map(shown, columns))
            raise DataError(f"{problem}; the file has: {has}", uri=split.uri)
    table = arrow_csv.read(block.data.tobytes(), dialect, schema, columns)
    if table is not None:
        return table
    return _read_lines(block, dialect, schema, split, columns)


def _read_lines(
    block: Block, dialect: Dialect, schema: pa.Schema, split: Split, columns: list[str]
) -> pa.Table:
    positions = [columns.index(name) for name in schema.names]
    converters = [_converter(field.type) for field in schema]
    values: list[list[Any]] = [[] for _ in positions]
    for line in _data_lines(block, dialect):
        name = None
        try:
            text = text_of(line)
            fields = fields_of(text, dialect)
            if len(fields) != len(columns):
                raise wrong_count(text, len(fields), len(columns), dialect)
            for position, convert, column in zip(positions, converters, values, strict=True):
                name = columns[position]
                column.append(convert(fields[position]))
        except WrongLine as wrong:
            raise DataError(str(wrong), uri=split.uri, column=name) from None
    arrays = [pa.array(column, kind) for column, kind in zip(values, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _data_lines(block: Block, dialect: Dialect) -> Iterator[bytes]:
    """Every line, with its end, that is not blank and no comment."""
    text, start = block.data.tobytes(), 0
    blank = b" \r\n" if dialect.delimiter == "\t" else b" \t\r\n"
    marks = [dialect.comment[i : i + 1] for i in range(len(dialect.comment))]
    while start < len(text):
        stop = text.find(b"\n", start) + 1 or len(text)
        line = text[start:stop]
        if line.strip(blank) and line.lstrip(b" \t")[:1] not in marks:
            yield line
        start = stop


def _converter(kind: pa.DataType) -> Callable[[str], Any]:
    """Text → a Python value, or an Arrow scalar, of a type; `WrongLine` where it is none."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return str
    bounds = np.iinfo(kind.to_pandas_dtype()) if pa.types.is_integer(kind) else None

    def convert(field: str) -> Any:
        text = field.strip(" \t")
        if not text:
            raise WrongLine(f"a missing value, {shown(field)}")
        try:
            if bounds is not None:
                return _integer(text, int(bounds.min), int(bounds.max), kind)
            if pa.types.is_floating(kind) and text.isascii() and "_" not in text:
                return float(text)
            return pa.scalar(text).cast(kind)
        except (ValueError, pa.ArrowException):
            raise WrongLine(_no_number(text, f"a {kind}")) from None

    return convert


def _integer(text: str, smallest: int, largest: int, kind: pa.DataType) -> int:
    if not _INTEGER.fullmatch(text):
        raise WrongLine(_no_number(text, "an integer"))
    # The length first: Python refuses to convert thousands of digits.
    value = int(text) if len(text) < 100 else largest + 1
    if not smallest <= value <= largest:
        raise WrongLine(f"{shown(text)} does not fit {kind} ({smallest} … {largest})")
    return value


def _no_number(text: str, wanted: str) -> str:
    if is_missing(text):
        return f"a missing value, {shown(text)}"
    reason = f"{shown(text)} is not {wanted}"
    if (blank := odd_blank(text)) is not None:
        return f"{reason}: {blank}"
    if _THOUSANDS.fullmatch(text):
        return f"{reason}: it has a thousands separator, which numbers here have not"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"{reason}: it has a comma where numbers here have a point"
    return reason
