"""PageRank on one partition: the in-links of a contiguous range of vertices.

Vertices are numbered 0 … n-1. They fall into at most `BUCKETS` buckets of 2^shift vertices each,
whatever the number of workers; a worker owns whole buckets. An edge travels as one 64-bit key,
destination << 32 | source, so that sorting the keys of a bucket (which fit in the cache) gives its
rows, each with ascending sources, and puts duplicates side by side.

The iteration pulls: the new rank of v is (1 - d) / n + d (Σ contribution of v's sources +
dangling mass / n), where contribution = rank / out-degree. Rows are summed in the order of their
sources and scalars bucket by bucket, so that every engine, number of workers and split size gives
the same ranks to the last bit.

Source: Page, Brin, Motwani, Winograd (1999), The PageRank Citation Ranking; dangling mass as in
Langville & Meyer (2006), Google's PageRank and Beyond, section 4.5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

BUCKETS = 512
"""Enough that the keys of a bucket of a gigabyte's graph fit in a core's cache (1 MB), and few
enough that scattering into all of them at once stays within the translation buffers."""

DIGIT_BITS = 11
"""Of a radix pass: 2048 places to write to stay within the first-level cache."""

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Buckets:
    """How `vertices` vertices fall into buckets of 2^shift each."""

    vertices: int
    shift: int

    @classmethod
    def of(cls, vertices: int) -> "Buckets":
        shift = 0
        while vertices > BUCKETS << shift:
            shift += 1
        return cls(vertices, shift)

    @property
    def count(self) -> int:
        return (self.vertices + (1 << self.shift) - 1) >> self.shift

    def first_vertex(self, bucket: int) -> int:
        """Of the bucket; `vertices` for the one after the last."""
        return min(bucket << self.shift, self.vertices)


def cut(edges_of_bucket: Counts, buckets: Buckets, parts: int) -> list[int]:
    """Bucket borders [0, …, count] that share out the work: edges, and a little per vertex.

    An edge costs a random read and a vertex some 8 sequential ones, about two edges' worth.
    """
    width = np.diff([buckets.first_vertex(b) for b in range(buckets.count + 1)])
    return shares(edges_of_bucket + 2 * width, parts)


def shares(work: Counts, parts: int) -> list[int]:
    """Borders [0, …, len(work)] of `parts` ranges with about as much of the work each."""
    done = np.cumsum(work)
    targets = done[-1] * np.arange(1, parts) / parts if len(work) else np.zeros(parts - 1)
    inner = np.searchsorted(done, targets, side="left") + 1
    return [0, *np.minimum(inner, len(work)).tolist(), len(work)]


@numba.njit(nogil=True, cache=True)
def count_buckets(destinations, shift, counts):  # type: ignore[no-untyped-def]
    """Add to counts int64[buckets] the edges of destinations uint32[m] per bucket."""
    for k in range(destinations.size):
        counts[destinations[k] >> shift] += 1


@numba.njit(nogil=True, cache=True)
def scatter(sources, destinations, shift, positions, keys):  # type: ignore[no-untyped-def]
    """Write each edge's key to its bucket's next free place; advances positions int64[buckets]."""
    for k in range(destinations.size):
        bucket = destinations[k] >> shift
        place = positions[bucket]
        keys[place] = (np.uint64(destinations[k]) << np.uint64(32)) | np.uint64(sources[k])
        positions[bucket] = place + 1


@dataclass
class Rows:
    """The in-links that one worker owns, without duplicates, bucket after bucket.

    Bucket b (counted from `first_bucket`) has its rows at offsets[vertices before it + b :], one
    more than it has vertices, so that buckets may be filled in any order and by any thread.
    offsets int64[vertices + buckets] into sources uint32[m], ascending within a row.
    """

    buckets: Buckets
    first_bucket: int
    stop_bucket: int
    offsets: Counts
    sources: npt.NDArray[np.uint32]
    edges_of_bucket: Counts

    @classmethod
    def empty(cls, buckets: Buckets, first_bucket: int, stop_bucket: int, edges: int) -> "Rows":
        """Room for `edges` edges, duplicates counted in: pages not used are never touched."""
        width = buckets.first_vertex(stop_bucket) - buckets.first_vertex(first_bucket)
        owned = stop_bucket - first_bucket
        offsets = np.zeros(width + owned, np.int64)
        sources = np.empty(edges, np.uint32)
        counts = np.zeros(owned, np.int64)
        return cls(buckets, first_bucket, stop_bucket, offsets, sources, counts)

    @property
    def source_bits(self) -> int:
        return (self.buckets.vertices - 1).bit_length()

    @property
    def first(self) -> int:
        return self.buckets.first_vertex(self.first_bucket)

    @property
    def stop(self) -> int:
        return self.buckets.first_vertex(self.stop_bucket)

    def fill(self, bucket: int, pieces: Sequence[Keys], begin: int) -> None:
        """Sort the keys of one bucket, from all workers, into its rows from sources[begin] on."""
        keys = np.concatenate(pieces)
        keys = sort_keys(keys, np.empty_like(keys), self.source_bits, self.buckets.shift)
        first, stop = self.buckets.first_vertex(bucket), self.buckets.first_vertex(bucket + 1)
        local = bucket - self.first_bucket
        place = first - self.first + local
        offsets = self.offsets[place : place + stop - first + 1]
        end = _unique_rows(keys, first, offsets, self.sources, begin)
        self.edges_of_bucket[local] = end - begin


@numba.njit(nogil=True, cache=True)
def sort_keys(keys, scratch, source_bits, destination_bits):  # type: ignore[no-untyped-def]
    """Sort keys uint64 of one bucket; returns the one of the two buffers that holds the result.

    A least-significant-digit radix sort over the bits that differ within a bucket: three or four
    passes over data in the cache, some ten times the speed of a comparison sort.
    """
    for part in range(2):
        bits = source_bits if part == 0 else destination_bits
        passes = (bits + DIGIT_BITS - 1) // DIGIT_BITS
        for turn in range(passes):
            low, high = bits * turn // passes, bits * (turn + 1) // passes
            shift = np.uint64(32 * part + low)
            mask = np.uint64((1 << (high - low)) - 1)
            places = np.zeros((1 << (high - low)) + 1, np.int64)
            for k in range(keys.size):
                places[np.int64((keys[k] >> shift) & mask) + 1] += 1
            for digit in range(1, places.size):
                places[digit] += places[digit - 1]
            for k in range(keys.size):
                value = np.int64((keys[k] >> shift) & mask)
                scratch[places[value]] = keys[k]
                places[value] += 1
            keys, scratch = scratch, keys
    return keys


@numba.njit(nogil=True, cache=True)
def _unique_rows(keys, first, offsets, sources, begin):  # type: ignore[no-untyped-def]
    row, place, previous = 0, begin, np.uint64(0)
    offsets[0] = begin
    for k in range(keys.size):
        key = keys[k]
        if k > 0 and key == previous:
            continue
        previous = key
        destination = np.int64(key >> np.uint64(32)) - first
        while row < destination:
            row += 1
            offsets[row] = place
        sources[place] = np.uint32(key & np.uint64(0xFFFFFFFF))
        place += 1
    while row < offsets.size - 1:
        row += 1
        offsets[row] = place
    return place


@numba.njit(nogil=True, cache=True)
def count_sources(sources, out_degree):  # type: ignore[no-untyped-def]
    """Add to out_degree uint32[n] the occurrences in sources uint32[m]."""
    for k in range(sources.size):
        out_degree[sources[k]] += np.uint32(1)


@numba.njit(nogil=True, cache=True)
def spread(ranks, out_degree, shift, outgoing, sums):  # type: ignore[no-untyped-def]
    """The first contributions of a worker's vertices, from their ranks float64.

    All arrays begin at the worker's first vertex; sums float64[buckets, 2] gets the dangling mass.
    """
    for v in range(ranks.size):
        if out_degree[v] == 0:
            sums[v >> shift, 0] += ranks[v]
            outgoing[v] = 0.0
        else:
            outgoing[v] = ranks[v] / out_degree[v]


@numba.njit(nogil=True, cache=True)
def pull(  # type: ignore[no-untyped-def]
    bucket, stop, shift, offsets, sources, contribution, base, damping, out_degree, ranks,
    outgoing, sums,
):  # fmt: skip
    """One iteration over the buckets bucket … stop-1 (counted from the worker's first).

    `contribution` float64[n] is of all vertices. out_degree uint32, ranks and outgoing (the next
    contribution) float64 are of the worker's. Sets sums float64[buckets, 2]: the dangling mass,
    and the L1 distance to the ranks before, of each bucket.
    """
    for b in range(bucket, stop):
        dangling, residual = 0.0, 0.0
        for v in range(b << shift, min((b + 1) << shift, ranks.size)):
            total = 0.0
            for k in range(offsets[v + b], offsets[v + b + 1]):
                total += contribution[sources[k]]
            rank = base + damping * total
            residual += abs(rank - ranks[v])
            ranks[v] = rank
            if out_degree[v] == 0:
                dangling += rank
                outgoing[v] = 0.0
            else:
                outgoing[v] = rank / out_degree[v]
        sums[b, 0], sums[b, 1] = dangling, residual


def base_rank(sums: Floats, vertices: int, damping: float) -> float:
    """What every vertex gets whoever links to it: teleport, and its part of the dangling mass."""
    return (1.0 - damping + damping * math.fsum(sums[:, 0])) / vertices


def residual(sums: Floats) -> float:
    """L1 distance between the ranks of two iterations, from sums float64[all buckets, 2]."""
    return math.fsum(sums[:, 1])
