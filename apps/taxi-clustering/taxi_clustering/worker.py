"""What one worker holds, and what it does between two exchanges: no engine, one process.

In order: `load` its splits, `step` until the centres stand still, then `score` them and, for a
map, tell its `density`. Each engine moves what these methods return to where it is needed next.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from studykit import compiling, storage
from studykit.phases import Phases
from studykit.storage import Split
from studykit.text.bad_rows import BadRows

from taxi_clustering import clean_rows, kernel, squares, times, trips
from taxi_clustering.city import DENSITY_CELLS
from taxi_clustering.columns import TripFormat
from taxi_clustering.kernel import Centres, Floats
from taxi_clustering.sample import Sample
from taxi_clustering.squares import SHARES, Squares
from taxi_clustering.trips import Points

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
    """One worker of `threads` threads. `phases` are its own seconds, as `worker_phases` wants.

    `points` are the kept pickups as they were read, until the first iteration sorts them: so that
    is time of `compute`.
    """

    threads: int = 1
    phases: Phases = field(default_factory=Phases)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="kernel")
        self.points: list[Points] = []
        self._squares: Squares | None = None

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
            self.points = [part for one in read for part in one.points]
            return Loaded(
                rows=sum(one.rows for one in read),
                kept=sum(one.kept for one in read),
                rejects=np.sum([one.rejects for one in read], axis=0, dtype=np.int64)
                + np.zeros(len(trips.RULES), np.int64),  # Of a worker without a split.
                sample=Sample.of([one.sample for one in read], sample_size),
                bad=BadRows.total(one.bad for one in read),
            )

    def squares(self) -> Squares:
        """The points, sorted when that is first asked for."""
        if self._squares is None or self.points:
            self._squares = squares.sort(self.points, self.threads, self._map)
        return self._squares

    def _over_tiles(self, work: Callable[[Squares, int, int], Result]) -> list[Result]:
        whole = self.squares()
        shares = whole.shares(SHARES * self.threads)
        return self._map(lambda share: work(whole, *share), shares)

    def step(self, centres: Centres) -> Floats:
        """One iteration: centres float32[k, 2] → trips, metres east and north, float64[k, 3]."""
        centres = np.array(centres)  # What Ray hands over is read-only: compiled for no one else.

        def add_up(whole: Squares, begin: int, end: int) -> Floats:
            sums = np.zeros((len(centres), 3))
            kernel.add_up(whole, begin, end, centres, sums)
            return sums

        with self.phases("compute"):
            parts = self._over_tiles(add_up)
            return kernel.combine([np.zeros((len(centres), 3)), *parts])

    def score(self, centres: Centres) -> Fraction:
        """The inertia of its points, square metres: exact, to be rounded when all are added up."""
        centres = np.array(centres)

        def inertia(whole: Squares, begin: int, end: int) -> Fraction:
            return kernel.square_metres(*kernel.inertia(whole, begin, end, centres))

        with self.phases("compute"):
            return sum(self._over_tiles(inertia), Fraction())

    def density(self) -> npt.NDArray[np.int64]:
        """Pickups in each cell of the city's box, int64[cells, cells], south to north by rows."""

        def count(whole: Squares, begin: int, end: int) -> npt.NDArray[np.int64]:
            cells = np.zeros((DENSITY_CELLS, DENSITY_CELLS), np.int64)
            kernel.count_cells(whole, begin, end, cells)
            return cells

        with self.phases("write"):
            parts = self._over_tiles(count)
            return np.sum([np.zeros((DENSITY_CELLS, DENSITY_CELLS), np.int64), *parts], axis=0)

    def close(self) -> None:
        self._pool.shutdown()


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
