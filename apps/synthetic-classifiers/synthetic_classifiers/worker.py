"""What one worker holds, and what it does between two exchanges: no engine, one process.

In order: `load_own` its splits, `divide` them into training and test samples once the rows of all
are counted, then whatever a classifier asks. Every step is a function of the worker and of what it
is told, which the engine calls on all workers at once (see `team`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit import compiling, storage
from studykit.columnar import RowGroups
from studykit.cutting import Input
from studykit.phases import Phases
from studykit.storage import Split

from synthetic_classifiers import clean_samples, dividing, logistic, sample_tables, samples
from synthetic_classifiers.dividing import Division, Room
from synthetic_classifiers.layout import Column, Features, Labels, RowNumbers, SampleFormat, Samples


@dataclass
class Worker:
    """Number `number` of `count` workers, of `threads` threads each; others reach it at `address`.

    `phases` are its own seconds, as `worker_phases` wants.
    """

    number: int = 0
    count: int = 1
    threads: int = 1
    address: str = "127.0.0.1"
    phases: Phases = field(default_factory=Phases)

    def __post_init__(self) -> None:
        self.pool = ThreadPoolExecutor(self.threads, thread_name_prefix="kernel")
        self.loaded: list[tuple[Features, Labels] | None] = []
        self.starts: list[int] = []
        """Of each of its splits, where its training samples begin among all."""
        self.lengths: list[int] = []
        self.train, self.test = Samples.room(0, 0), Samples.room(0, 0)
        self.host_features: Features
        self.host_labels: Labels
        """All training samples, one copy on a host: see `host_copy`."""
        self.kept: dict[str, Any] = {}
        """What a classifier keeps here between two of its steps."""

    def call(self, phase: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """A step, its seconds booked."""
        with self.phases(phase):
            return function(self, *arguments)

    def close(self) -> None:
        self.pool.shutdown()


@dataclass(frozen=True)
class Loaded:
    """Rows of each of a worker's splits, and of each class."""

    rows: list[int]
    classes: npt.NDArray[np.int64]


def load_own(worker: Worker, source: Input[SampleFormat], classes: int, seed: int) -> Loaded:
    """Read the splits of this worker, every count-th of all."""
    mine = source.of_worker(worker.number, worker.count)
    if all(isinstance(split, RowGroups) for split in source.splits):
        return _load_divided(worker, source, mine, classes, seed)
    read = storage.map_splits(
        worker.pool, lambda split: samples.read(split, source.formats[split.uri]), mine
    )
    worker.loaded = list(read)
    counted = np.zeros(classes, np.int64)
    for _, labels in read:
        counted += np.bincount(labels, minlength=classes)
    return Loaded([len(labels) for _, labels in read], counted)


def _load_divided(
    worker: Worker, source: Input[SampleFormat], mine: Sequence[Split], classes: int, seed: int
) -> Loaded:
    """Of Parquet, which says how many rows it has: each goes at once to where `divide` puts it."""
    rows = [split.rows for split in source.splits if isinstance(split, RowGroups)]
    columns = len(next(iter(source.formats.values())).features)
    rooms = _make_room(worker, Division.of(rows, seed), rows, columns, seed)

    def read(split_and_room: tuple[Split, Room]) -> npt.NDArray[np.int64]:
        split, room = split_and_room
        assert isinstance(split, RowGroups)
        counted = np.zeros(classes, np.int64)

        def take(columns: Sequence[Column], labels: Labels) -> bool:
            np.add(counted, np.bincount(labels, minlength=classes), out=counted)
            return room.put_columns(columns, labels)

        sample_tables.read(split, source.formats[split.uri], take)
        return counted

    counted = sum(worker.pool.map(read, zip(mine, rooms, strict=True)), np.zeros(classes, np.int64))
    return Loaded(rows[worker.number :: worker.count], counted)


def divide(worker: Worker, division: Division, seed: int, classes: int) -> npt.NDArray[np.int64]:
    """Training and test samples apart; returns the training samples of each class.

    Each split's arrays are let go as soon as they are copied: the table is not held twice.
    """
    parts = [part for part in worker.loaded if part is not None]
    if parts:
        rows = [0] * len(division.first_row)
        rows[worker.number :: worker.count] = [len(labels) for _, labels in parts]
        rooms = _make_room(worker, division, rows, parts[0][0].shape[1], seed)
        del parts

        def copy(place: int) -> None:
            part, worker.loaded[place] = worker.loaded[place], None
            assert part is not None
            rooms[place].put(*part)

        for _ in worker.pool.map(copy, range(len(rooms))):
            pass
        worker.loaded = []
    return np.bincount(worker.train.labels, minlength=classes)


def _make_room(
    worker: Worker, division: Division, rows: Sequence[int], columns: int, seed: int
) -> list[Room]:
    """For the samples of each of this worker's splits; `rows` of all splits."""
    mine = range(worker.number, len(division.first_row), worker.count)
    tests = list(
        worker.pool.map(
            lambda split: dividing.tests_of(division.first_row[split], rows[split], seed), mine
        )
    )
    test_counts = [int(is_test.sum()) for is_test in tests]
    worker.lengths = [rows[split] - count for split, count in zip(mine, test_counts, strict=True)]
    worker.starts = [division.first_train[split] for split in mine]
    worker.train = Samples.room(sum(worker.lengths), columns)
    worker.test = Samples.room(sum(test_counts), columns)
    train_ends, test_ends = np.cumsum(worker.lengths), np.cumsum(test_counts)
    return [
        Room(
            division.first_row[split],
            tests[place],
            worker.train.part(train_ends[place] - worker.lengths[place], train_ends[place]),
            worker.test.part(test_ends[place] - test_counts[place], test_ends[place]),
        )
        for place, split in enumerate(mine)
    ]


def tests(worker: Worker) -> tuple[RowNumbers, Labels]:
    """The numbers and classes of a worker's test samples."""
    return worker.test.rows, worker.test.labels


def seconds(worker: Worker) -> dict[str, float]:
    return worker.phases.seconds


def warm_up() -> None:
    """Compile, or load from the cache, every kernel: its time belongs to `start`."""
    compiling.warm_up(_meet_every_kernel)


def _meet_every_kernel() -> None:
    text, roles = np.frombuffer(b"0.5,1\n", np.uint8), np.array([2, 1])
    features, labels = np.empty((1, 1), np.float32), np.empty(1, np.int32)
    clean_samples.parse(text, 0, 1, roles, 2, False, features, labels)
    dividing.tests_of(0, 1, 0)
    column = np.zeros(1, np.float32)
    column.setflags(write=False)
    dividing.place(column, np.zeros(1, np.intp), 0, features)
    dividing.sampled(np.empty(1, np.int64), 0.5, 0)
    logistic.warm_up()
