"""What one worker holds, and what it does between two exchanges: no engine, one process.

In order: `load` its splits, tell which ids `occur`, `relabel` once all have told, `scatter` its
edges to the owners of their destinations, `build` its rows from what it got, and `step` until the
ranks stand still. Each engine moves what these methods return to where it is needed next.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from studykit import compiling, pages, storage
from studykit.phases import Phases
from studykit.storage import Split
from studykit.text.bad_rows import BadRows

from twitter_pagerank import clean_lines, core_cache, edges, kernel, relabel, windows
from twitter_pagerank.edge_format import EdgeFormat
from twitter_pagerank.edges import EdgeChunk
from twitter_pagerank.kernel import Buckets, Counts, Floats, Keys
from twitter_pagerank.rows import Rows

TASKS_PER_THREAD = 2
"""Pieces of an iteration per thread: enough to even out, and few, because each reads all
contributions into the cache once."""

SUMS_BYTES = 4 << 20
"""Of a piece at most: each segment comes back to the sums of all its rows, which shall still be in
the last-level cache, of which a core has some megabytes. (8.2 million vertices on two threads: four
pieces took 0.35 s an iteration, sixteen 0.18, sixty-four 0.25.)"""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Loaded:
    """What a worker read: edges as they stand in the files, the largest id, lines per file.

    `bad` are the lines that cannot be read and were skipped.
    """

    edges: int
    largest: int
    lines: dict[str, int]
    bad: BadRows


@dataclass(frozen=True)
class Parcel:
    """Edges on their way to an owner: keys in the order of its buckets, and how many in each."""

    keys: Keys
    edges_of_bucket: Counts


class Worker:
    """One worker of `threads` threads. `phases` are its own seconds, as `worker_phases` wants.

    `segment_bits` say how many sources an iteration takes at a time: see `core_cache`.
    """

    def __init__(self, threads: int = 1, damping: float = 0.85) -> None:
        self.threads, self.damping, self.phases = threads, damping, Phases()
        self.segment_bits = core_cache.segment_bits(core_cache.second_level_bytes())
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="kernel")
        self._groups: list[list[EdgeChunk]] = []

    def _map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        return list(self._pool.map(work, items))

    def load(
        self, splits: Sequence[Split], formats: Mapping[str, EdgeFormat], reverse: bool = False
    ) -> Loaded:
        """Parse the splits. `reverse` for files whose edges point against the flow of rank."""
        with self.phases("load"):
            per_split = storage.map_splits(
                self._pool, lambda split: _flow(split, formats[split.uri], reverse), splits
            )
        chunks = [chunk for chunks, _, _ in per_split for chunk in chunks]
        self._groups = [chunks[thread :: self.threads] for thread in range(self.threads)]
        lines: dict[str, int] = {}
        for split, (_, count, _) in zip(splits, per_split, strict=True):
            lines[split.uri] = lines.get(split.uri, 0) + count
        return Loaded(
            edges=sum(len(chunk) for chunk in chunks),
            largest=max((chunk.largest for chunk in chunks), default=-1),
            lines=lines,
            bad=BadRows.total(bad for *_, bad in per_split),
        )

    def occurring(self, largest: int, dense: bool) -> npt.NDArray[np.generic]:
        """The ids that this worker saw: see `relabel.occurring`. `largest` is over all workers."""
        with self.phases("load"):
            parts = self._map(lambda group: relabel.occurring(group, largest, dense), self._groups)
            return relabel.join(parts, dense)

    def relabel(self, joined: npt.NDArray[np.generic], dense: bool) -> Counts:
        """Number the vertices 0 … n-1; returns this worker's edges per bucket, int64[buckets]."""
        with self.phases("load"):
            self.vertices = relabel.vertices(joined, dense)
            self.buckets = Buckets.of(self.vertices.count)
            self._counts = np.array(self._map(self._relabel_group, self._groups))
            return self._counts.sum(axis=0)  # type: ignore[no-any-return]

    def _relabel_group(self, group: list[EdgeChunk]) -> Counts:
        counts = np.zeros(self.buckets.count, np.int64)
        for chunk in group:
            chunk.sources = self.vertices.numbers(chunk.sources)
            chunk.destinations = self.vertices.numbers(chunk.destinations)
            kernel.count_buckets(chunk.destinations, self.buckets.shift, counts)
        return counts

    @property
    def edges_loaded(self) -> int:
        """Edges that `scatter` will give away."""
        return int(self._counts.sum())

    def scatter(self, cuts: Sequence[int], keys: Keys | None = None) -> list[Parcel]:
        """Its edges, a parcel per owner: owner i has the buckets cuts[i] … cuts[i + 1] - 1.

        The parcels lie one behind the other in `keys`, uint64[edges_loaded].
        """
        with self.phases("load"):
            counts = self._counts
            totals = counts.sum(axis=0)
            begins = np.cumsum(totals) - totals
            # Each thread's place in a bucket comes after those of the threads before it.
            places = begins + np.cumsum(counts, axis=0) - counts
            # Of ordinary pages: they fill up everywhere at once, as chunks are let go.
            keys = pages.empty((self.edges_loaded,), np.uint64) if keys is None else keys
            self._map(
                lambda item: self._scatter_group(*item, keys),
                zip(self._groups, places, strict=True),
            )
            self._groups = []
        borders = [0, *np.cumsum(totals).tolist()]
        return [
            Parcel(keys[borders[first] : borders[stop]], totals[first:stop])
            for first, stop in pairwise(cuts)
        ]

    def _scatter_group(self, group: list[EdgeChunk], places: Counts, keys: Keys) -> None:
        bits = self.buckets.shift, self.buckets.strip_bits, self.buckets.source_bits
        while group:  # Chunks are let go one by one: edges are held twice for a moment only.
            chunk = group.pop()
            kernel.scatter(chunk.sources, chunk.destinations, *bits, places, keys)

    def build(
        self, parcels: Sequence[Parcel], first_bucket: int, stop_bucket: int
    ) -> npt.NDArray[np.uint32]:
        """Parcels of all workers → this one's rows; returns out-degrees seen here, uint32[n]."""
        with self.phases("load"):
            counts = np.array([parcel.edges_of_bucket for parcel in parcels])
            totals = counts.sum(axis=0)
            ends = np.cumsum(counts, axis=1)
            begins = np.cumsum(totals) - totals
            owned, room = range(first_bucket, stop_bucket), int(totals.sum())
            self.rows = Rows.empty(self.buckets, owned, room, self.segment_bits)

            def fill(local: int) -> None:
                pieces = [
                    parcel.keys[end[local] - count[local] : end[local]]
                    for parcel, count, end in zip(parcels, counts, ends, strict=True)
                ]
                self.rows.fill(first_bucket + local, pieces, int(begins[local]))

            self._map(fill, range(len(owned)))
            sums_bytes = 8 * (self.rows.stop - self.rows.first)
            pieces = max(TASKS_PER_THREAD, math.ceil(sums_bytes / self.threads / SUMS_BYTES))
            tasks = kernel.shares(self.rows.edges_of_bucket + 1, self.threads * pieces)
            self._tasks = [range(begin, stop) for begin, stop in pairwise(tasks) if begin < stop]
            out_degree = np.zeros(self.vertices.count, np.uint32)
            self._map(
                lambda segment: self.rows.count_sources(segment, out_degree),
                range(self.rows.segments),
            )
            return out_degree

    def start(self, out_degree: npt.NDArray[np.uint32], window: Floats | None = None) -> Floats:
        """From the out-degrees of all vertices, uint32[n], the first sums for `step`.

        `window` is shared with the other workers of this host (see `windows`); its own without.
        """
        with self.phases("compute"):
            rows, count = self.rows, self.vertices.count
            self._window = windows.private_window(count) if window is None else window
            self._turn = 0
            self._degree = out_degree[rows.first : rows.stop].copy()
            self.ranks = np.full(rows.stop - rows.first, 1.0 / count)
            sums = np.zeros((rows.stop_bucket - rows.first_bucket, 2))
            kernel.spread(self.ranks, self._degree, self.buckets.shift, self.outgoing, sums)
            return sums

    def step(self, sums: Floats) -> Floats:
        """One iteration: the sums of all workers, float64[all buckets, 2] → this one's.

        The contributions of all vertices must be in the window; it leaves its own there.
        """
        with self.phases("compute"):
            base = kernel.base_rank(sums, self.vertices.count, self.damping)
            rows, contribution = self.rows, self._window[self._turn]
            self._turn = 1 - self._turn
            mine = np.empty((rows.stop_bucket - rows.first_bucket, 2))
            self._map(
                lambda task: kernel.pull(
                    task.start, task.stop, self.buckets.shift, self.buckets.strip_bits,
                    rows.segment_bits, rows.cells, rows.edges, contribution, base, self.damping,
                    self._degree, self.ranks, self.outgoing, mine,
                ),
                self._tasks,
            )  # fmt: skip
            return mine

    @property
    def outgoing(self) -> Floats:
        """The contributions of this worker's vertices, in the window."""
        return self.contributions(self.rows.first, self.rows.stop)

    def contributions(self, first: int, stop: int) -> Floats:
        """Those of vertices first … stop-1, in the window: where another host's arrive too."""
        return self._window[self._turn, first:stop]

    @property
    def edges(self) -> int:
        """Edges owned, duplicates counted once."""
        return int(self.rows.edges_of_bucket.sum())

    def close(self) -> None:
        self._pool.shutdown()


def _flow(split: Split, form: EdgeFormat, reverse: bool) -> tuple[list[EdgeChunk], int, BadRows]:
    bad = BadRows()
    return *edges.flow(split, form, reverse, bad), bad


def warm_up() -> None:
    compiling.warm_up(_meet_every_kernel)


def _meet_every_kernel() -> None:
    data = np.frombuffer(b"1 2\n2 1\n", np.uint8)
    for kind in (np.uint32, np.int64):
        columns = np.empty(4, kind), np.empty(4, kind)
        clean_lines.parse(data, *columns, clean_lines.ANY_BLANKS, False, 100)
    worker = Worker()
    one = np.array([1, 2], np.uint32), np.array([2, 1], np.uint32)
    worker._groups = [[EdgeChunk(*one, 2)]]
    counts = worker.relabel(worker.occurring(2, True), True)
    parcels = worker.scatter([0, len(counts)])
    sums = worker.start(worker.build(parcels, 0, len(counts)))
    worker.step(sums)
    worker.vertices.ids(0, 2)
    worker.close()
