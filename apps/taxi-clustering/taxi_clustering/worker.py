"""What one worker holds, and what it does between two exchanges: no engine, one process.

In order: `load` its splits, `step` until the centres stand still, then `score` them and, for a
map, tell its `density`. Each engine moves what these methods return to where it is needed next.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from studykit import compiling, storage
from studykit.phases import Phases
from studykit.storage import Split
from studykit.text.bad_rows import BadRows

from taxi_clustering import clean_rows, kernel, times, trips
from taxi_clustering.city import DENSITY_CELLS
from taxi_clustering.columns import TripFormat
from taxi_clustering.kernel import Centres, Floats
from taxi_clustering.sample import Sample
from taxi_clustering.trips import Points

PIECE = 1 << 18
"""Points of a task: enough not to matter, few enough to even out."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Loaded:
    """What a worker read: rows, how many it kept, how often each rule was broken, a sample.

    `bad` are the rows that cannot be read and were skipped.
    """

    rows: int
    kept: int
    rejects: npt.NDArray[np.int64]
    sample: Sample
    bad: BadRows


@dataclass
class Worker:
    """One worker of `threads` threads. `phases` are its own seconds, as `worker_phases` wants."""

    threads: int = 1
    phases: Phases = field(default_factory=Phases)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="kernel")
        self.points: list[Points] = []

    def _map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        return list(self._pool.map(work, items))

    def load(
        self,
        splits: Sequence[Split],
        formats: Mapping[str, TripFormat],
        sample_size: int,
        seed: int,
    ) -> Loaded:
        """Parse the splits, judge every trip, keep the pickups of the good ones."""
        with self.phases("load"):
            read = storage.map_splits(
                self._pool,
                lambda split: trips.read(split, formats[split.uri], sample_size, seed),
                splits,
            )
            self.points = _pieces([part for one in read for part in one.points])
            return Loaded(
                rows=sum(one.rows for one in read),
                kept=sum(one.kept for one in read),
                rejects=np.sum([one.rejects for one in read], axis=0, dtype=np.int64)
                + np.zeros(len(trips.RULES), np.int64),  # Of a worker without a split.
                sample=Sample.of([one.sample for one in read], sample_size),
                bad=BadRows.total(one.bad for one in read),
            )

    def step(self, centres: Centres) -> Floats:
        """One iteration: centres float32[k, 2] → trips, metres east and north, float64[k, 3]."""
        centres = np.array(centres)  # What Ray hands over is read-only: compiled for no one else.

        def add_up(points: Points) -> Floats:
            sums = np.zeros((len(centres), 3))
            kernel.add_up(points, centres, sums)
            return sums

        with self.phases("compute"):
            parts = self._map(add_up, self.points)
            return kernel.combine([np.zeros((len(centres), 3)), *parts])

    def score(self, centres: Centres) -> float:
        """The inertia of its points, in square metres."""
        centres = np.array(centres)
        with self.phases("compute"):
            return sum(self._map(lambda points: kernel.inertia(points, centres), self.points))

    def density(self) -> npt.NDArray[np.int64]:
        """Pickups in each cell of the city's box, int64[cells, cells], south to north by rows."""

        def count(points: Points) -> npt.NDArray[np.int64]:
            cells = np.zeros((DENSITY_CELLS, DENSITY_CELLS), np.int64)
            kernel.count_cells(points, cells)
            return cells

        with self.phases("write"):
            parts = self._map(count, self.points)
            return np.sum([np.zeros((DENSITY_CELLS, DENSITY_CELLS), np.int64), *parts], axis=0)

    def close(self) -> None:
        self._pool.shutdown()


def _pieces(points: list[Points]) -> list[Points]:
    """The same points in pieces of an even length; lets go of what it was given."""
    pieces: list[Points] = []
    while points:
        some = [points.pop()]
        while points and sum(part.shape[1] for part in some) < PIECE:
            some.append(points.pop())
        pieces.append(np.concatenate(some, axis=1) if len(some) > 1 else some[0])
    return pieces


def warm_up() -> None:
    """Compile, or load from the cache, every kernel: its time belongs to `start`."""
    compiling.warm_up(_meet_every_kernel)


def _meet_every_kernel() -> None:
    rejects = np.zeros(len(trips.RULES), np.int64)
    key = np.uint64(clean_rows.mix(np.uint64(0)))
    points, keys = np.zeros((2, 4), np.float32), np.zeros(4, np.uint64)
    text = np.frombuffer(b"\n", np.uint8)
    roles, plain = np.zeros(1, np.int64), clean_rows.plain_bytes(",")
    clean_rows.parse(
        text, 0, roles, np.uint8(ord(",")), plain, key, False, np.zeros(2, np.int64),
        rejects, points, keys, 0,
    )  # fmt: skip
    moments, numbers = np.zeros((1, 2), np.int64), np.zeros((1, 6))
    clean_rows.judge_all(moments, numbers, key, rejects, points, keys, 0)
    # Not of an Arrow array made of a list: that imports pandas, half a second.
    times.read_texts(text, np.frombuffer(bytes(16), np.int64))
    worker = Worker()
    worker.points = [points]
    worker.step(points.T[:2].copy())
    worker.score(points.T[:2].copy())
    worker.density()
    worker.close()
