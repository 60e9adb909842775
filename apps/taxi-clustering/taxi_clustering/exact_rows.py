"""Rows of trips that are not plain: quotes, blanks, exponents, missing values; and what is wrong.

The one idea: the eight columns are read as text, and each kind of value is converted for all rows
at once; where one of them is none, `bad_rows.read_rows` finds its line.
"""

import csv
import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit import columnar
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited
from studykit.text.bad_rows import BadRows, Take
from studykit.text.dialects import Dialect, WrongLine, fields_of, odd_blank, text_of

from taxi_clustering import times
from taxi_clustering.columns import TripFormat

MISSING = r"(?i)^(|nan|nat|na|n/a|null|none|\\n)$"
"""As pandas, R, SQL and Hive write that there is no value; case does not matter."""
TIMES = 2
"""The first columns; the others are numbers."""
SHOWN_CHARACTERS = 40
SURPLUS = "empty fields too many at its end"

Moments = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]


class MissingValue(DataError):
    """A row that lacks a value, and is whole otherwise."""


def read(
    block: Block, split: Split, form: TripFormat, take: Take, bad: BadRows
) -> Iterator[tuple[Moments, Numbers]]:
    """Whole lines → moments int64[n, 2] and numbers float64[n, 6], of the rows that have them.

    `take` is told of every other row, and raises or goes on; a `MissingValue` is one. Where bad
    rows may be skipped, one with empty fields too many at its end is read, and noted in `bad`.
    """

    def converted(some: Block) -> tuple[Moments, Numbers]:
        try:
            return _converted(some, split, form)
        except DataError:
            shorter = _without_surplus(some, form) if form.skip_bad else None
            if shorter is None:
                raise
        found = _converted(shorter, split, form)
        bad.mend(split.uri, SURPLUS, [some.offset])
        return found

    return bad_rows.read_rows(block, converted, take)


def _converted(block: Block, split: Split, form: TripFormat) -> tuple[Moments, Numbers]:
    schema = pa.schema([(name, pa.string()) for name in form.wanted])
    dialect = Dialect(form.delimiter)
    table = delimited.read(block, dialect, schema, split, form.names)
    # All columns behind one another: to ask Arrow costs more than one row of them does.
    everything = pa.concat_arrays([table[name].combine_chunks() for name in form.wanted])
    everything = pc.utf8_trim(everything, " \t")
    if (place := pc.index(pc.match_substring_regex(everything, MISSING), True).as_py()) >= 0:
        said = everything[place].as_py()
        shown = f" ({said!r})" if said else ""
        reason = f"a missing value{shown}: --missing count counts such trips"
        name = form.wanted[place // table.num_rows]
        raise MissingValue(reason, uri=split.uri, column=name)
    texts = {
        name: everything.slice(place * table.num_rows, table.num_rows)
        for place, name in enumerate(form.wanted)
    }
    moments = [_moments(texts[name], split, name) for name in form.wanted[:TIMES]]
    numbers = [_numbers(texts[name], split, name) for name in form.wanted[TIMES:]]
    return np.stack(moments, axis=1), np.stack(numbers, axis=1)


def _without_surplus(block: Block, form: TripFormat) -> Block | None:
    """A line without the empty fields that are too many at its end; None where there are none."""
    line = block.data.tobytes()
    if b"\n" in line[:-1]:
        return None
    try:
        fields = fields_of(text_of(line), Dialect(form.delimiter))
    except WrongLine:
        return None
    wanted, surplus = fields[: len(form.names)], fields[len(form.names) :]
    if not surplus or any(field.strip(" \t") for field in surplus):
        return None
    written = io.StringIO()
    csv.writer(written, delimiter=form.delimiter).writerow(wanted)
    return Block(np.frombuffer(written.getvalue().encode(), np.uint8), block.offset)


def _moments(texts: pa.Array, split: Split, name: str) -> Moments:
    found = times.read_column(texts)
    _refuse(found == times.NO_TIME, texts, f"is no time: write {times.FORMS}", split, name)
    return found


def _numbers(texts: pa.Array, split: Split, name: str) -> Numbers:
    try:
        found = columnar.as_numpy(texts.cast(pa.float64()))
    except pa.ArrowInvalid:
        # Where Arrow and Python differ, Python takes more: +1.5.
        found = np.array([_number(text) for text in texts.to_pylist()])
    reason = "is no finite number: write digits with a point, without commas or units"
    _refuse(~np.isfinite(found), texts, reason, split, name)
    return found


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() and "_" not in text else np.nan
    except ValueError:
        return np.nan


def _refuse(
    wrong: npt.NDArray[np.bool_], texts: pa.Array, reason: str, split: Split, name: str
) -> None:
    if wrong.any():
        text = texts[int(np.argmax(wrong))].as_py()
        shown = repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")
        blank = odd_blank(text)
        reason = reason if blank is None else f"{reason.split(': ')[0]}: {blank}"
        raise DataError(f"{shown} {reason}", uri=split.uri, column=name)
