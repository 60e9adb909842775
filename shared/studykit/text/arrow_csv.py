"""A block of delimited text by Arrow's CSV reader, where the outcome is certain to be exact.

Arrow is fast, and kind to what the exact reader must refuse or name: it takes 0x1F for a number,
a lone carriage return for a line end, `"1"5` for 15. The one idea: look for these in the bytes,
all at once, before; and leave the block to the line reader of `delimited` where one is found.
"""

import re

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from studykit.text.dialects import Dialect
from studykit.text.lines import BYTE_ORDER_MARK

_LARGEST_BLOCK = 1 << 30  # Arrow counts the bytes of a block in 32 bits
_NEWLINE, _RETURN, _QUOTE = b'\n\r"'


def read(text: bytes, dialect: Dialect, schema: pa.Schema, columns: list[str]) -> pa.Table | None:
    """Lines without a header → a table of this schema, or None: read them one by one.

    `columns` names all columns of the text, in its order; the schema may have fewer.
    """
    if text.find(b"\n", 0, -1) < 0:
        return None  # One line, as wrong ones come: to ask Arrow costs more than to read it.
    text = _without_comments(text, dialect.comment)
    if not _is_plain(text, dialect, schema):
        return None
    if dialect.delimiter is None:
        text = _single_blanks(text)
    if not text.strip():
        return schema.empty_table()
    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            csv.ReadOptions(
                use_threads=False, column_names=columns, block_size=min(len(text), _LARGEST_BLOCK)
            ),
            csv.ParseOptions(
                delimiter=dialect.delimiter or " ",
                quote_char=False if dialect.delimiter is None else '"',
            ),
            csv.ConvertOptions(
                column_types=schema,
                include_columns=schema.names,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None
    return pa.Table.from_arrays(table.columns, schema=schema)


def _without_comments(text: bytes, comment: bytes) -> bytes:
    if any(comment[i : i + 1] in text for i in range(len(comment))):
        return re.sub(rb"(?m)^[ \t]*[" + re.escape(comment) + rb"].*\n?", b"", text)
    return text


def _is_plain(text: bytes, dialect: Dialect, schema: pa.Schema) -> bool:
    if text.startswith(BYTE_ORDER_MARK):  # not the file's: Arrow would skip it
        return False
    if b"\0" in text or text.count(b"\r") != text.count(b"\r\n"):
        return False
    integers = any(pa.types.is_integer(kind) for kind in schema.types)
    if integers and (b"0x" in text or b"0X" in text):
        return False
    if dialect.delimiter is None or b'"' not in text:
        return True
    return _quotes_are_plain(np.frombuffer(text, np.uint8), ord(dialect.delimiter))


def _quotes_are_plain(data: NDArray[np.uint8], delimiter: int) -> bool:
    """Whether every quote opens or closes a whole field (or is doubled in one), within a line."""
    quotes = np.flatnonzero(data == _QUOTE)
    before_line_ends = np.searchsorted(quotes, np.flatnonzero(data == _NEWLINE))
    if len(quotes) % 2 or np.any(before_line_ends % 2):
        return False
    opening, closing = quotes[::2], quotes[1::2]
    before = data[np.maximum(opening - 1, 0)]
    behind = data[np.minimum(closing + 1, len(data) - 1)]
    opens = (opening == 0) | np.isin(before, [delimiter, _NEWLINE, _QUOTE])
    closes = (closing == len(data) - 1) | np.isin(behind, [delimiter, _NEWLINE, _RETURN, _QUOTE])
    return bool(np.all(opens) and np.all(closes))


def _single_blanks(text: bytes) -> bytes:
    """Runs of blanks and tabs → one blank; none at the ends of lines."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    for wide, narrow in ((b"\n ", b"\n"), (b" \r\n", b"\r\n"), (b" \n", b"\n")):
        text = text.replace(wide, narrow)
    return text.strip(b" ")
