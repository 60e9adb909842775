"""The oracle's own reading of the input, by none of the study's readers: text → trips, or why not.

A piece of the file, one by every core, is read sign by sign where all of it is plain
(oracle_plain.py), else by Arrow's CSV reader where that is sure to be right; where it refuses, the
piece goes line by line through Python's csv, float and datetime. A line can be read where it has as
many fields as the header, two times and six finite numbers; it lacks a value where one of the eight
is empty or a word for nothing.
"""

import csv
import datetime
import functools
import io
import math
import re
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from studykit import machine, storage
from studykit.errors import CheckError
from studykit.storage import whole_lines

from taxi_clustering import oracle_arrow, oracle_plain
from taxi_clustering.oracle_arrow import Header

READ_BYTES = 8_000_000
DELIMITERS = ",;\t|"
COLUMNS = {
    "from": "(tpep|trip)?pickupdatetime",
    "to": "(tpep|trip)?dropoffdatetime",
    "miles": "tripdistance",
    "lon0": "pickuplongitude|startlon",
    "lat0": "pickuplatitude|startlat",
    "lon1": "dropofflongitude|endlon",
    "lat1": "dropofflatitude|endlat",
    "total": "totalamount|totalamt",
}
"""{what: its name in full, by small letters and digits alone}."""
TIMES = ("from", "to")
NOTHING = ("", "nan", "nat", "na", "n/a", "null", "none", "\\n")
TIME = re.compile(
    r"(?:([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}))"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?: ?([AaPp])[Mm])?"
    r"( ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)

Columns = dict[str, npt.NDArray[Any]]
"""{name of COLUMNS: its values}; times are microseconds since 1970 on New York's clock."""


@dataclass(frozen=True)
class Batch:
    """Some lines: those with all values; how many lack one; how many cannot be read."""

    columns: Columns
    missing: int = 0
    bad: int = 0

    @property
    def rows(self) -> int:
        return len(self.columns["from"]) + self.missing


Made = TypeVar("Made")


def batches_for(uri: str, strict: bool, skip: bool, use: Callable[[Batch], Made]) -> Iterator[Made]:
    """What `use` makes of all lines, some at a time, in their order. Several threads call it.

    `strict` where lines may be wrong: Arrow takes too many. Where bad lines are skipped, empty
    fields too many at the end of one do not make it bad.
    """
    return whole_lines.over(lambda read: use(read()), _readings(uri, strict, skip), machine.cores())


def _readings(uri: str, strict: bool, skip: bool) -> Iterator[Callable[[], Batch]]:
    """What reads a piece, for every piece."""
    for file in storage.list_files(uri):
        header: Header | None = None
        for text in _pieces(file):
            if header is None:
                header, text = _header(text)
            if text and not text.isspace():
                yield partial(_of_piece, text, header, strict, skip)


def _of_piece(text: bytes, header: Header, strict: bool, skip: bool) -> Batch:
    columns = oracle_plain.read(text, header)
    if columns is None and not (strict and _doubtful(text)):
        columns = oracle_arrow.read(text, header)
    return _by_lines(text, header, skip) if columns is None else Batch(columns)


def _pieces(file: str) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    with storage.open_inflated(file) as stream:
        if stream.peek(4)[:4] == b"PAR1":
            yield from oracle_arrow.text_of_parquet(stream, _places)
        else:
            yield from whole_lines.pieces(stream, READ_BYTES)


def _header(text: bytes) -> tuple[Header, bytes]:
    """The first line that is not blank, and what is behind it."""
    written, rest = whole_lines.header(text)
    split = {delimiter: _fields(written, delimiter) or [] for delimiter in DELIMITERS}
    delimiter = max(split, key=lambda one: len(split[one]))
    return Header(len(split[delimiter]), delimiter, _places(split[delimiter])), rest


def _places(names: Sequence[str]) -> dict[str, int]:
    """Where COLUMNS stand among these."""
    plain, places = [re.sub("[^a-z0-9]", "", name.lower()) for name in names], {}
    for what, pattern in COLUMNS.items():
        fitting = [place for place, name in enumerate(plain) if re.fullmatch(pattern, name)]
        if len(fitting) != 1:
            raise CheckError(f"the oracle finds {len(fitting)} columns for '{what}' in: {names}")
        places[what] = fitting[0]
    return places


def _doubtful(text: bytes) -> bool:
    """Whether Arrow might read something as a value that is none, or one line as two."""
    return b'"' in text or b"\0" in text or text.count(b"\r") != text.count(b"\r\n")


def _by_lines(text: bytes, header: Header, skip: bool) -> Batch:
    values: dict[str, list[float]] = {what: [] for what in header.places}
    missing = bad = 0
    for line in io.BytesIO(text):
        if not line.strip(b" \r\n" if header.delimiter == "\t" else b" \t\r\n"):
            continue
        row = _row(line, header, skip)
        if row is None:
            bad += 1
        elif not row:
            missing += 1
        else:
            for what, value in zip(header.places, row, strict=True):
                values[what].append(value)
    kinds = {what: np.int64 if what in TIMES else np.float64 for what in values}
    columns = {what: np.array(column, kinds[what]) for what, column in values.items()}
    return Batch(columns, missing, bad)


def _row(line: bytes, header: Header, skip: bool) -> Sequence[float] | None:
    """The eight values; none where one is missing; None where it cannot be read."""
    text = line.decode(errors="surrogateescape")  # Bytes of other columns are nobody's business.
    if text.endswith("\n"):
        text = text[:-2] if text.endswith("\r\n") else text[:-1]
    fields = None if "\r" in text or "\0" in text else _fields(text, header.delimiter)
    if fields is not None and skip and not any(f.strip(" \t") for f in fields[header.fields :]):
        fields = fields[: header.fields]
    if fields is None or len(fields) != header.fields:
        return None
    texts = {what: fields[place].strip(" \t") for what, place in header.places.items()}
    if any(text.lower() in NOTHING for text in texts.values()):
        return ()
    values = [_time(text) if what in TIMES else _number(text) for what, text in texts.items()]
    return None if None in values else [value for value in values if value is not None]


def _fields(text: str, delimiter: str) -> list[str] | None:
    """None where quotes do not match; blanks around them are no part of a field."""
    if '"' in text:
        sign, blanks = re.escape(delimiter), "[ ]*" if delimiter == "\t" else "[ \t]*"
        quoted = rf'(\A|{sign}){blanks}("(?:[^"]|"")*"){blanks}(?={sign}|\Z)'
        text = re.sub(quoted, r"\1\2", text)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _time(text: str) -> int | None:
    """Microseconds since 1970 on New York's clock."""
    parts = TIME.fullmatch(text)
    if parts is None:
        return None
    year, month, day, month_2, day_2, year_2, hour, minute, second, fraction, half, zone = (
        parts.groups(default="")
    )
    if year_2 and not half:
        return None
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (half in "Pp")
    try:
        moment = datetime.datetime(
            int(year or year_2), int(month or month_2), int(day or day_2),
            hours, int(minute or 0), int(second or 0), int(fraction[:6].ljust(6, "0")),
        )  # fmt: skip
        if zone:
            moment = _in_new_york(moment, zone.strip())
    except (ValueError, OverflowError):
        return None
    return (moment - EPOCH) // MICROSECOND


def _in_new_york(moment: datetime.datetime, zone: str) -> datetime.datetime:
    """ValueError where the zone is none, or the year is before all towns had the same summer."""
    minutes = 0
    if zone not in ("Z", "UTC"):
        digits = zone[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if int(digits[:2]) > 14 or int(digits[2:]) > 59:
            raise ValueError(zone)
        minutes = -minutes if zone[0] == "-" else minutes
    if moment.year < 1967:
        raise ValueError(moment)
    there = moment - datetime.timedelta(minutes=minutes)
    return there.replace(tzinfo=datetime.UTC).astimezone(_new_york()).replace(tzinfo=None)


@functools.cache
def _new_york() -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo("America/New_York")
    except zoneinfo.ZoneInfoNotFoundError:
        raise CheckError(
            "the oracle needs the time zones of the world and finds none: install the system's or"
            " Python's package tzdata, or give --no-check"
        ) from None
