"""What the records of a sweep say: medians with their intervals, and ratios within a round.

A shared machine drifts by factors over an hour and by little within a minute, so an engine's time
is divided by the time that `plain` took in the same round, and the ratios' median and range are
what is published. A time counts only where its answer was checked (or is `published`, whose
answer is known to be another one). Times of a GPU are divided by no times of a CPU.
"""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from studykit.records import PEER, PLAIN, DatasetInfo, Record

REASON_LENGTH = 160
ANSWER_PHASES = ("load", "compute", "communicate")
TIMED_PHASES = ("start", *ANSWER_PHASES, "write")


@dataclass(frozen=True)
class Interval:
    """Median, smallest and largest of `count` values."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> "Interval | None":
        known = list(values)
        if not known:
            return None
        return cls(statistics.median(known), min(known), max(known), len(known))

    def __str__(self) -> str:
        if self.count == 1:
            return _brief(self.median)
        return f"{_brief(self.median)} ({_brief(self.low)}-{_brief(self.high)})"


def _brief(value: float) -> str:
    """Three digits: as many as a shared machine's times are good for."""
    digits = next((n for n, least in enumerate((100, 10, 1)) if abs(value) >= least), 3)
    return f"{value:.{digits}f}"


def publishable(record: Record) -> bool:
    """May this record's time be shown? Only beside an answer that was checked, or `published`."""
    right = record.check.passed is True or record.method == "published"
    return record.status == "done" and right


def phase_seconds(name: str) -> Callable[[Record], float]:
    return lambda record: record.phases.get(name, 0.0)


def answer_seconds(record: Record) -> float:
    """Load + compute + communicate: the time to the answer without starting the engine."""
    return sum(record.phases.get(name, 0.0) for name in ANSWER_PHASES)


def device_of(record: Record) -> str | None:
    """Where a run computed, `cpu` or `cuda`; None of a run that did not come to it."""
    if not record.devices:
        return None
    return "cuda" if any(device.startswith("cuda") for device in record.devices) else "cpu"


@dataclass(frozen=True)
class Row:
    """One cell on one kind of device over its rounds. Ratios are None where no round has both
    times."""

    records: tuple[Record, ...]
    device: str = "cpu"
    to_plain: Interval | None = None
    phases_to_plain: dict[str, Interval] = field(default_factory=dict)
    load_to_peers: dict[str, Interval] = field(default_factory=dict)
    store: str = ""
    """Where the data lay, if the same data was read from several stores."""

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def name(self) -> str:
        """The engine, and where it computed unless that was the CPU, which all engines have."""
        engine = self.first.engine
        return engine if self.device == "cpu" else f"{engine} on {self.device}"

    @property
    def dataset(self) -> DatasetInfo:
        return max((record.dataset for record in self.records), key=lambda data: data.bytes)

    @property
    def data_label(self) -> str:
        """The data's size, and its store where there are several."""
        return ", ".join(filter(None, (size_label(self.dataset.bytes), self.store)))

    @property
    def split_size(self) -> str | None:
        value = self.first.parameters.get("split_size")
        return None if value is None else str(value)

    @property
    def nodes(self) -> int | None:
        """Hosts of a cluster that was started for each run; None on one machine."""
        value = self.first.parameters.get("nodes")
        return None if value is None else int(value)

    @property
    def shown(self) -> list[Record]:
        return [record for record in self.records if publishable(record)]

    @property
    def status(self) -> str:
        """`done`, or every status with its count where the rounds differ."""
        counts = Counter(record.status for record in self.records)
        if len(counts) == 1:
            return self.first.status
        return ", ".join(f"{status} {count}" for status, count in counts.items())

    @property
    def reason(self) -> str | None:
        """The first error; of a long one its end, where the frameworks put what went wrong."""
        error = next((record.error for record in self.records if record.error), None)
        if error is None or len(error) <= REASON_LENGTH:
            return error
        return "… " + error[-REASON_LENGTH:]

    def over(self, value: Callable[[Record], float]) -> Interval | None:
        """A figure's median and range over the rounds whose time may be shown."""
        return Interval.of(value(record) for record in self.shown)

    @property
    def seconds(self) -> Interval | None:
        return self.over(answer_seconds)

    @property
    def wall(self) -> Interval | None:
        return self.over(lambda record: record.wall_seconds)


def summarise(records: Iterable[Record]) -> list[Row]:
    """Records → a row per cell and device, by data, workers, store and split size, plain first."""
    cells: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        key = (record.study, record.engine, record.config_hash)
        cells.setdefault(key, []).append(record)
    rows = [row for cell in cells.values() for row in _by_device(cell)]
    rows.sort(key=_order)
    return [_with_ratios(row, rows) for row in rows]


def _by_device(cell: Sequence[Record]) -> list[Row]:
    """A cell's records as rows. With `auto` rounds may have met different devices."""
    known = [device for record in cell if (device := device_of(record)) is not None]
    asked = "cuda" if cell[0].parameters.get("device") == "cuda" else "cpu"
    # A round that came to no device belongs to those that did.
    other = known[0] if known else asked
    rounds: dict[str, list[Record]] = {}
    for record in sorted(cell, key=lambda record: record.repeat):
        rounds.setdefault(device_of(record) or other, []).append(record)
    return [Row(tuple(of_device), device) for device, of_device in rounds.items()]


def by_round(
    above: Row, below: Row, value: Callable[[Record], float] = answer_seconds
) -> Interval | None:
    """The ratio of two cells, taken within each round that has both."""
    divisors = {record.round: value(record) for record in below.shown}
    return Interval.of(
        value(record) / divisors[record.round]
        for record in above.shown
        if divisors.get(record.round, 0.0) > 0
    )


def plain_beside(row: Row, rows: Sequence[Row]) -> Row | None:
    """The plain process on the same data, cores and kind of device, with the same split size where
    it has one. Beside hosts it is one process on one of them: the same for all numbers of hosts."""
    beside = [
        other
        for other in rows
        if other.first.engine == PLAIN
        and other.first.method == "exact"
        and _setting(other, of_hosts=row.nodes is not None)
        == _setting(row, of_hosts=row.nodes is not None)
    ]
    same_split = [other for other in beside if other.split_size == row.split_size]
    return next(iter(same_split or beside), None)


def _with_ratios(row: Row, rows: Sequence[Row]) -> Row:
    plain = plain_beside(row, rows)
    phases = {
        name: None if plain is None else by_round(row, plain, phase_seconds(name))
        for name in TIMED_PHASES
        if any(name in record.phases for record in row.records)
    }
    peers = {
        other.first.engine: by_round(row, other, phase_seconds("load"))
        for other in rows
        if other.first.method == PEER != row.first.method and _setting(other) == _setting(row)
    }
    # A peer does one step of the study: its whole time against a whole run would say nothing.
    whole = None if plain is None or row.first.method == PEER else by_round(row, plain)
    return Row(row.records, row.device, whole, _known(phases), _known(peers), _store(row, rows))


def _store(row: Row, rows: Sequence[Row]) -> str:
    """A data set of the catalogue lies in its store as DATASET/SIZE."""
    name = (row.dataset.name, row.dataset.bytes)
    uris = {o.dataset.uri for o in rows if (o.dataset.name, o.dataset.bytes) == name}
    return row.dataset.uri.rsplit("/", 2)[0] if len(uris) > 1 else ""


def _known(ratios: dict[str, Interval | None]) -> dict[str, Interval]:
    return {name: ratio for name, ratio in ratios.items() if ratio is not None}


def _setting(row: Row, *, of_hosts: bool = False) -> tuple[str, str, int | None, int, str]:
    data, workers = row.dataset, None if of_hosts else row.first.workers
    return data.name, data.uri, workers, row.first.threads, row.device


def _order(row: Row) -> tuple[Any, ...]:
    first = row.first
    rank = (first.method == PEER, first.engine != PLAIN, row.name, first.method)
    data = row.dataset
    size = (data.bytes, data.name, row.nodes or 0, first.workers, data.uri)
    return *size, row.split_size or "", *rank


def size_label(size: int) -> str:
    """Bytes for people: 1 GB, 2.5 GB, 24.7 GB, 1.9 MB."""
    value, unit = float(size), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        # 999.96 MB reads as 1 GB: data sets are made to their size within one per cent.
        if value < 990:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}"
