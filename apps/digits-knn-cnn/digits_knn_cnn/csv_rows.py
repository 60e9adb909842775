"""Reading digits of CSV with a header: pixels and a label, by their names.

The one idea: almost every line is plain, and a compiled loop reads those (clean_pixels.py) straight
out of the split's bytes. What the loop will not judge goes through the exact reader of
`studykit.text.delimited`, which reads what is unusual but right (fractions, quotes, blanks) and
names the line of what is wrong.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit.columnar import as_numpy
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, lines

from digits_knn_cnn import layout
from digits_knn_cnn.clean_pixels import LABEL, SKIPPED, parse
from digits_knn_cnn.layout import BYTE_MAX, DigitFormat, Labels, Pixels

MOST_LINES_AT_ONCE = 1 << 13
"""Given to the exact reader, which gets a line or two first and more while they come often."""
RARE = 1000
"""Clean lines from one that is not to the next, from which a call of the exact reader pays off."""

Part = tuple[Pixels, Labels]


def sniff(uri: str, side: int, max_pixel: int) -> DigitFormat:
    """The layout of one file, from its first line that is not blank."""
    names, header = delimited.header(uri)
    form = layout.table(uri, "csv", names, side, max_pixel, header.number)
    return replace(form, body=header.stop)


def read(split: Split, form: DigitFormat) -> Part:
    """The rows of one split: pixels [n, side²], labels uint8[n]. DataError names the line."""
    blocks = lines.blocks_from(split, form.body)
    parts = [part for block in blocks for part in _of(block, form, split)]
    if not parts:
        return layout.no_rows(form.side)
    if len(parts) == 1:
        return parts[0]
    pixels, labels = zip(*parts, strict=True)
    return np.concatenate(pixels), np.concatenate(labels)


def _of(block: Block, form: DigitFormat, split: Split) -> Iterator[Part]:
    known = {name: place for place, name in enumerate(form.pixels)} | {form.label: LABEL}
    roles = np.array([known.get(name, SKIPPED) for name in form.columns])
    largest = min(form.max_pixel, BYTE_MAX)

    def slowly(some: Block) -> Part:
        return _slowly(some, form, split)

    data, position, unclean = block.data, 0, 1
    while position < len(data):
        # No row is shorter than a digit and a comma or line end for each of its numbers.
        most = (len(data) - position) // (2 * len(known)) + 1
        pixels, labels = np.empty((most, len(form.pixels)), np.uint8), np.empty(most, np.uint8)
        rows, stopped = parse(data, position, roles, largest, pixels, labels)
        if rows:
            yield pixels[:rows], labels[:rows]
        position = int(stopped)
        if position < len(data):
            # One line that is not clean costs one line; a file of them, few calls.
            unclean = 1 if rows >= RARE else min(2 * unclean, MOST_LINES_AT_ONCE)
            end = lines.line_end(data, position, unclean)
            rest = Block(data[position:end], block.offset + position)
            yield from bad_rows.read_rows(rest, slowly, bad_rows.refuse_all)
            position = end


def _slowly(block: Block, form: DigitFormat, split: Split) -> Part:
    names = (*form.pixels, form.label)
    schema = pa.schema([(name, pa.float64()) for name in names])
    table = delimited.read(block, delimited.Dialect(), schema, split, list(form.columns))
    pixels = np.empty((table.num_rows, len(form.pixels)))
    for place, name in enumerate(form.pixels):
        pixels[:, place] = _numbers(table, name)
    labels = _numbers(table, form.label)
    wrong = layout.wrong_value(pixels, labels, form)
    if wrong is not None:
        raise DataError(wrong[2], uri=form.uri, column=wrong[1])
    return layout.packed(pixels), labels.astype(np.uint8)


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """Not by Arrow's own way, which imports pandas where that is installed."""
    column = table.column(name)
    parts = [as_numpy(chunk) for chunk in column.chunks]
    return np.concatenate(parts) if parts else np.empty(0)
