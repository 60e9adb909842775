"""Reading taxi trips: CSV or Parquet of the city → the pickups of trips that make sense.

The one idea: the header says where the eight columns of the study stand; their names differ by
month in case, underscores and prefixes, and nothing else about the file is trusted. A row with
another number of fields than the header is an error with its line, never shifted.

Schema: https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page, yellow trips 2009 - June 2016.
The ETL is that of Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.A.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block
from studykit.storage import Split
from studykit.text import delimited
from studykit.text import lines
from studykit.text.dialects import is_header

from taxi_clustering import clean_rows
from taxi_clustering import trip_tables
from taxi_clustering.sample import Sample

SUB_BLOCK_BYTES = 8 << 20
SMALLEST_ROW_BYTES = 2 * len("2015-01-01 00:00:00,") + 6 * len("0,")

RULES = ("pickup_location", "dropoff_location", "duration", "distance", "speed", "total")
"""What a trip can break, in the order in which `clean_rows.judge` counts."""

ROLES: dict[str, tuple[str, ...]] = {
    "pickup time": ("tpeppickupdatetime", "pickupdatetime", "trippickupdatetime"),
    "dropoff time": ("tpepdropoffdatetime", "dropoffdatetime", "tripdropoffdatetime"),
    "trip distance": ("tripdistance",),
    "pickup longitude": ("pickuplongitude", "startlon"),
    "pickup latitude": ("pickuplatitude", "startlat"),
    "dropoff longitude": ("dropofflongitude", "endlon"),
    "dropoff latitude": ("dropofflatitude", "endlat"),
    "total amount": ("totalamount", "totalamt"),
}
"""{what is needed: its names over the years, without case, blanks and underscores}."""
LOCATION_IDS = ("pulocationid", "dolocationid")

Points = npt.NDArray[np.float32]
"""float32[2, n]: metres east and north of the city's centre, on its grid."""


@dataclass(frozen=True)
class TripFormat:
    """Of one file: the names of its columns, which of them play the ROLES, where its rows begin."""

    names: list[str]
    columns: list[int]
    body: int

    @property
    def wanted(self) -> list[str]:
        """The names of the eight columns, in the order of the ROLES."""
        return [self.names[column] for column in self.columns]

    @property
    def roles(self) -> npt.NDArray[np.int64]:
        """For each column the number of its role, or that it is skipped."""
        roles = np.full(len(self.names), clean_rows.SKIPPED, np.int64)
        roles[self.columns] = np.arange(len(self.columns))
        return roles


@dataclass(frozen=True)
class Trips:
    """What some bytes held: the kept pickups, a sample of them, and what was counted."""

    points: list[Points]
    sample: Sample
    rows: int
    rejects: npt.NDArray[np.int64]
    """Of each of the RULES; a row may break several."""

    @property
    def kept(self) -> int:
        return sum(part.shape[1] for part in self.points)

    def joined(self, other: "Trips", size: int) -> "Trips":
        return Trips(
            self.points + other.points,
            self.sample.joined(other.sample, size),
            self.rows + other.rows,
            self.rejects + other.rejects,
        )


def formats(uris: list[str]) -> dict[str, TripFormat]:
    """Look at the head of every file. DataError where one has not the columns of the study."""
    return {uri: sniff(uri) for uri in uris}


def sniff(uri: str) -> TripFormat:
    """The format of one file, from its header or its schema."""
    if columnar.is_parquet(uri):
        names = columnar.schema(uri).names
        form = TripFormat(names, _columns(names, uri, None), 0)
        columnar.require(uri, trip_tables.schema(form.wanted))
        return form
    header = lines.first_filled(uri)
    if header is None:
        raise DataError("no trips: the file is empty", uri=uri)
    try:
        names = delimited.header_names(header.text)
    except DataError as error:
        raise DataError(error.reason, uri=uri, line=header.number) from None
    return TripFormat(names, _columns(names, uri, header.number), header.stop)


def _columns(names: list[str], uri: str, line: int | None) -> list[int]:
    """The places of those that play the ROLES, in their order."""
    plain = [name.lower().replace("_", "").replace(" ", "") for name in names]
    if any(name in LOCATION_IDS for name in plain):
        raise DataError(
            "no coordinates: since July 2016 trips have location ids (PULocationID) instead;"
            " take a month up to June 2016",
            uri=uri,
            line=line,
        )
    if not is_header(names):
        raise DataError("no header: the first line must name the columns", uri=uri, line=line)
    columns = []
    for role, known in ROLES.items():
        found = [place for place, name in enumerate(plain) if name in known]
        if len(found) != 1:
            problem = f"no column for the {role}" if not found else f"two columns for the {role}"
            raise DataError(f"{problem}; the file has: {', '.join(names)}", uri=uri, line=line)
        columns += found
    return columns


def read(split: Split, form: TripFormat, sample_size: int, seed: int) -> Trips:
    """The trips of one split, kept or counted as rejects."""
    return reduce(
        lambda one, other: one.joined(other, sample_size),
        _parts(split, form, seed),
        Trips([], Sample.empty(), 0, np.zeros(len(RULES), np.int64)),
    )


def _parts(split: Split, form: TripFormat, seed: int) -> Iterator[Trips]:
    if isinstance(split, RowGroups):
        for times, numbers in trip_tables.read(split, form.wanted):
            yield _judge_all(times, numbers, seed)
        return
    for block in lines.blocks_from(split, form.body):
        data, offset, start = block.data, block.offset, 0
        while start < len(data):
            stop = lines.line_end(data, start + SUB_BLOCK_BYTES)
            yield _read_lines(Block(data[start:stop], offset + start), split, form, seed)
            start = stop


def _key(seed: int) -> np.uint64:
    return np.uint64(clean_rows.mix(np.uint64(seed % 2**64)))


def _judge_all(times: npt.NDArray[np.int64], numbers: npt.NDArray[np.float64], seed: int) -> Trips:
    """Of rows that are numbers already: seconds int64[n, 2], float64[n, 6]."""
    points, keys = np.empty((2, len(times)), np.float32), np.empty(len(times), np.uint64)
    rejects = np.zeros(len(RULES), np.int64)
    kept = clean_rows.judge_all(times, numbers, _key(seed), rejects, points, keys)
    found = points[:, :kept].copy()
    return Trips([found] if kept else [], Sample(keys[:kept], found), len(times), rejects)


def _read_lines(block: Block, split: Split, form: TripFormat, seed: int) -> Trips:
    capacity = len(block.data) // SMALLEST_ROW_BYTES + 1
    points, keys = np.empty((2, capacity), np.float32), np.empty(capacity, np.uint64)
    rejects, key = np.zeros(len(RULES), np.int64), _key(seed)
    rows, kept, stopped = clean_rows.parse(block.data, form.roles, key, rejects, points, keys)
    if stopped < len(block.data):
        # Something that only the exact reader can judge: it takes the rest.
        rest = Block(block.data[stopped:], block.offset + int(stopped))
        times, numbers = _read_exactly(rest, split, form)
        kept += clean_rows.judge_all(times, numbers, key, rejects, points[:, kept:], keys[kept:])
        rows += len(times)
    # A copy of what was filled gives back the rest of the buffers' pages.
    found = points[:, :kept].copy()
    return Trips([found] if kept else [], Sample(keys[:kept], found), int(rows), rejects)


def _read_exactly(
    block: Block, split: Split, form: TripFormat
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Seconds int64[n, 2] and numbers float64[n, 6]. DataError with the line of a wrong row."""
    dialect = delimited.Dialect()
    names = form.wanted
    kinds = [pa.timestamp("s")] * 2 + [pa.float64()] * 6
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    table = delimited.read(block, dialect, schema, split, form.names)
    times = [table[name].cast(pa.int64()).to_numpy() for name in names[:2]]
    numbers = np.stack([table[name].to_numpy() for name in names[2:]], axis=1)
    wrong = np.argwhere(~np.isfinite(numbers))
    if len(wrong):
        row, column = wrong[0]
        raise DataError(
            f"{numbers[row, column]} is no finite number",
            uri=split.uri,
            line=delimited.line_of_row(block, dialect, split, int(row)),
            column=names[2 + column],
        )
    return np.stack(times, axis=1), numbers


def by_rule(rejects: npt.NDArray[np.int64]) -> dict[str, int]:
    return dict(zip(RULES, rejects.tolist(), strict=True))
