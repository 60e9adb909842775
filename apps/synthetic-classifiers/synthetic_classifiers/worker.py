"""What one worker holds, and what it does between two exchanges: no engine, one process.

In order: `load_own` its splits, `divide` them into training and test samples once the rows of all
are counted, then whatever a classifier asks. Every step is a function of the worker and of what it
is told, which the engine calls on all workers at once (see `team`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit import compiling, storage
from studykit.cutting import Input
from studykit.phases import Phases

from synthetic_classifiers import clean_samples, dividing, logistic, samples
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Features, Labels, RowNumbers, SampleFormat, Samples


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
        self.train: Samples
        self.test: Samples
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


def load_own(worker: Worker, source: Input[SampleFormat], classes: int) -> Loaded:
    """Read the splits of this worker, every count-th of all."""
    read = storage.map_splits(
        worker.pool,
        lambda split: samples.read(split, source.formats[split.uri]),
        source.of_worker(worker.number, worker.count),
    )
    worker.loaded = list(read)
    counted = np.zeros(classes, np.int64)
    for _, labels in read:
        counted += np.bincount(labels, minlength=classes)
    return Loaded([len(labels) for _, labels in read], counted)


def divide(worker: Worker, division: Division, seed: int, classes: int) -> npt.NDArray[np.int64]:
    """Training and test samples apart; returns the training samples of each class.

    Each split's arrays are let go as soon as they are copied: the table is not held twice.
    """
    mine = range(worker.number, len(division.first_row), worker.count)
    parts = [part for part in worker.loaded if part is not None]
    tests = list(
        worker.pool.map(
            lambda split, part: dividing.tests_of(division.first_row[split], len(part[1]), seed),
            mine,
            parts,
        )
    )
    columns = parts[0][0].shape[1] if parts else 0
    test_counts = [int(is_test.sum()) for is_test in tests]
    worker.lengths = [len(part[1]) - test for part, test in zip(parts, test_counts, strict=True)]
    worker.starts = [division.first_train[split] for split in mine]
    del parts
    worker.train = _room(sum(worker.lengths), columns)
    worker.test = _room(sum(test_counts), columns)
    train_ends, test_ends = np.cumsum(worker.lengths), np.cumsum(test_counts)

    def copy(place: int) -> None:
        part = worker.loaded[place]
        assert part is not None
        worker.loaded[place] = None
        for into, chosen, end in (
            (worker.train, ~tests[place], train_ends[place]),
            (worker.test, tests[place], test_ends[place]),
        ):
            found = np.flatnonzero(chosen)
            here = slice(end - len(found), end)
            into.rows[here] = found + division.first_row[mine[place]]
            # Not "raise", by which NumPy fills a copy first, and then `out`.
            np.take(part[0], found, axis=0, out=into.features[here], mode="clip")
            np.take(part[1], found, out=into.labels[here], mode="clip")

    for _ in worker.pool.map(copy, range(len(tests))):
        pass
    worker.loaded = []
    return np.bincount(worker.train.labels, minlength=classes)


def _room(count: int, columns: int) -> Samples:
    return Samples(
        np.empty(count, np.int64), np.empty((count, columns), np.float32), np.empty(count, np.int32)
    )


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
    dividing.sampled(np.empty(1, np.int64), 0.5, 0)
    logistic.warm_up()
