"""Reading taxi trips: CSV or Parquet of the city → the pickups of trips that make sense.

The one idea: the header says where the eight columns of the study stand and what is between them;
their names differ by month in case, underscores and prefixes, and nothing else about the file is
trusted. A row with another number of fields than the header is an error with its line, never
shifted. `clean_rows` reads what is plain, `exact_rows` the rest.

Schema: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page, yellow trips 2009 - June 2016.
The ETL is that of Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.A.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import numpy.typing as npt
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.storage.splitting import Bytes
from studykit.text import bad_rows, lines
from studykit.text.bad_rows import SHOWN_ROWS, BadRows

from taxi_clustering import clean_rows, exact_rows, trip_tables
from taxi_clustering.columns import TripFormat, columns_of, places_of
from taxi_clustering.exact_rows import MissingValue, Moments, Numbers
from taxi_clustering.sample import Sample

SUB_BLOCK_BYTES = 8 << 20
SMALLEST_ROW_BYTES = 2 * len("2015-01-01,") + 6 * len("0,")
MOST_LINES = 1 << 16
"""Given to the exact reader, which gets a line first and more while they come often."""
RARE = 1000
"""Plain rows from one that is not to the next, from which a call of the exact reader pays off."""

REFUSE, COUNT = MISSING_VALUES = ("refuse", "count")
MISSING = "missing"
RULES = ("pickup_location", "dropoff_location", "duration", "distance", "speed", "total", MISSING)
"""What a trip can break, in the order in which `clean_rows.judge` counts; and, where it is asked
for, that a value is missing: such a trip is judged by no other."""

Points = npt.NDArray[np.float32]
"""float32[2, n]: metres east and north of the city's centre, on its grid."""


@dataclass(frozen=True)
class Trips:
    """What some bytes held: the kept pickups, a sample of them, and what was counted."""

    points: list[Points]
    sample: Sample
    rows: int
    rejects: npt.NDArray[np.int64]
    """Of each of the RULES; a row may break several."""
    bad: BadRows = field(default_factory=BadRows)
    """Rows that cannot be read, and are not among `rows`."""

    @property
    def kept(self) -> int:
        return sum(part.shape[1] for part in self.points)

    def joined(self, other: "Trips", size: int) -> "Trips":
        return Trips(
            self.points + other.points,
            self.sample.joined(other.sample, size),
            self.rows + other.rows,
            self.rejects + other.rejects,
            self.bad + other.bad,
        )


def formats(
    uris: list[str], count_missing: bool = False, skip_bad: bool = False
) -> dict[str, TripFormat]:
    """Look at the head of every file. DataError where one has not the columns of the study."""
    return {uri: sniff(uri, count_missing, skip_bad) for uri in uris}


def sniff(uri: str, count_missing: bool = False, skip_bad: bool = False) -> TripFormat:
    """The format of one file, from its header or its schema."""
    if columnar.is_parquet(uri):
        names = columnar.schema(uri).names
        form = TripFormat(names, places_of(names, uri), 0, ",", count_missing, skip_bad)
        columnar.require(uri, trip_tables.schema(uri, form.wanted))
        return form
    header = lines.first_filled(uri)
    if header is None:
        raise DataError("no trips: the file is empty", uri=uri)
    try:
        names, columns, delimiter = columns_of(header.text)
    except DataError as error:
        raise DataError(error.reason, uri=uri, line=header.number) from None
    return TripFormat(names, columns, header.stop, delimiter, count_missing, skip_bad)


def read(split: Split, form: TripFormat, sample_size: int, seed: int) -> Trips:
    """The trips of one split, kept or counted as rejects."""
    return reduce(
        lambda one, other: one.joined(other, sample_size),
        _parts(split, form, seed),
        Trips([], Sample.empty(), 0, np.zeros(len(RULES), np.int64)),
    )


def _parts(split: Split, form: TripFormat, seed: int) -> Iterator[Trips]:
    if isinstance(split, RowGroups):
        others = _Filling(0, split, form, seed)
        for moments, numbers in trip_tables.read(split, form.wanted, others.leave_out):
            filling = _Filling(len(moments), split, form, seed)
            filling.add(moments, numbers)
            yield filling.trips(0)
        yield others.trips(0)
        return
    for block in lines.blocks_from(split, form.body):
        data, offset, start = block.data, block.offset, 0
        while start < len(data):
            stop = lines.line_end(data, start + SUB_BLOCK_BYTES)
            yield _read_lines(Block(data[start:stop], offset + start), split, form, seed)
            start = stop


def _read_lines(block: Block, split: Split, form: TripFormat, seed: int) -> Trips:
    data, at, unclean = block.data, 0, 1
    filling = _Filling(len(data) // SMALLEST_ROW_BYTES + 1, split, form, seed)
    while at < len(data):
        plain, at = filling.add_plain(data, at)
        if at == len(data):
            break
        # Something that only the exact reader can judge. It is given one line, and more where
        # rows that it can read come often.
        unclean = 1 if plain >= RARE else unclean
        end, before = lines.line_end(data, at, unclean), filling.left_out
        filling.add_unusual(Block(data[at:end], block.offset + at))
        at, unclean = end, min(2 * unclean, MOST_LINES) if filling.left_out == before else 1
    return filling.trips(block.offset)


class _Filling:
    """Room for the trips of some lines, `most` of them, and what is counted on the way."""

    def __init__(self, most: int, split: Split, form: TripFormat, seed: int) -> None:
        self._split, self._form = split, form
        self._seed = np.uint64(clean_rows.mix(np.uint64(seed % 2**64)))
        self._points, self._keys = np.empty((2, most), np.float32), np.empty(most, np.uint64)
        self._mended = np.zeros(1 + SHOWN_ROWS, np.int64)
        self._rejects, self._bad = np.zeros(len(RULES), np.int64), BadRows()
        self._rows = self._kept = 0

    @property
    def left_out(self) -> int:
        """Rows that are bad, or lack a value."""
        return self._bad.count + int(self._rejects[-1])

    def add_plain(self, data: Bytes, at: int) -> tuple[int, int]:
        """Plain rows from byte `at` on → how many, and the byte where something else begins."""
        form = self._form
        rows, self._kept, stopped = clean_rows.parse(
            data, at, form.roles, np.uint8(ord(form.delimiter)), form.plain, self._seed,
            form.skip_bad, self._mended, self._rejects, self._points, self._keys, self._kept,
        )  # fmt: skip
        self._rows += rows
        return rows, stopped

    def add_unusual(self, block: Block) -> None:
        for moments, numbers in exact_rows.read(
            block, self._split, self._form, self.leave_out, self._bad
        ):
            self.add(moments, numbers)

    def add(self, moments: Moments, numbers: Numbers) -> None:
        """Rows that are numbers already: microseconds int64[n, 2], float64[n, 6]."""
        self._kept = clean_rows.judge_all(
            moments, numbers, self._seed, self._rejects, self._points, self._keys, self._kept
        )
        self._rows += len(moments)

    def leave_out(self, error: DataError, offset: int) -> None:
        """A row that lacks a value or cannot be read: counted, or the run ends."""
        if self._form.count_missing and isinstance(error, MissingValue):
            self._rejects[-1] += 1
            self._rows += 1
        elif self._form.skip_bad:
            self._bad.take(error, offset)
        else:
            bad_rows.refuse(error, offset)

    def trips(self, offset: int) -> Trips:
        """All of them; the lines began at byte `offset` of the file."""
        mended = int(self._mended[0])
        if mended:
            first = (offset + self._mended[1 : 1 + min(mended, SHOWN_ROWS)]).tolist()
            self._bad.mend(self._split.uri, exact_rows.SURPLUS, first, mended)
        # A copy of what was filled gives back the rest of the buffers' pages.
        found = self._points[:, : self._kept].copy()
        sample = Sample(self._keys[: self._kept], found)
        points = [found] if self._kept else []
        return Trips(points, sample, self._rows, self._rejects, self._bad)


def by_rule(rejects: npt.NDArray[np.int64], count_missing: bool = False) -> dict[str, int]:
    """{rule: rows that break it}; missing values only where they are counted."""
    counted = dict(zip(RULES, rejects.tolist(), strict=True))
    return counted if count_missing else {rule: counted[rule] for rule in RULES[:-1]}
