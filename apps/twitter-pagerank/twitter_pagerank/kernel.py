"""PageRank on one partition: the in-links of a contiguous range of vertices.

Vertices are numbered 0 … n-1. They fall into at most `BUCKETS` buckets of 2^shift vertices each,
whatever the number of workers; a worker owns whole buckets. An edge travels as one 64-bit key to
the bucket of its destination, where the keys are put in the order in which an iteration reads the
edges, and duplicates are left out (rows.py).

The new rank of v is (1 - d) / n + d (Σ contribution of v's sources + dangling mass / n), where
contribution = rank / out-degree. The contributions of a large graph do not fit in a core's cache,
so an iteration takes its sources segment by segment, each of which does (Zhang et al. 2017, Making
Caches Work for Graph Analytics), and carries the sums of its rows along. Every row is summed in the
order of its sources and scalars bucket by bucket, so that every engine, number of workers, split
size and length of segments gives the same ranks to the last bit.

Source: Page, Brin, Motwani, Winograd (1999), The PageRank Citation Ranking; dangling mass as in
Langville & Meyer (2006), Google's PageRank and Beyond, section 4.5.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

BUCKETS = 512
"""Enough that the keys of a bucket of a gigabyte's graph fit in a core's cache (1 MB), and few
enough that scattering into all of them at once stays within the translation buffers."""

LOCAL_BITS = 16
"""Of a row within its strip, and of a source within its segment: an edge is 32 bits."""

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Buckets:
    """How `vertices` vertices fall into buckets of 2^shift each, and these into strips.

    A strip has 2^strip_bits vertices. It is the bucket itself up to 33 million vertices.
    """

    vertices: int
    shift: int
    strip_bits: int

    @classmethod
    def of(cls, vertices: int) -> "Buckets":
        shift = 0
        while vertices > BUCKETS << shift:
            shift += 1
        return cls(vertices, shift, min(shift, LOCAL_BITS))

    @property
    def count(self) -> int:
        return (self.vertices + (1 << self.shift) - 1) >> self.shift

    @property
    def strips(self) -> int:
        """Of one bucket."""
        return 1 << (self.shift - self.strip_bits)

    @property
    def source_bits(self) -> int:
        return (self.vertices - 1).bit_length()

    def first_vertex(self, bucket: int) -> int:
        """Of the bucket; `vertices` for the one after the last."""
        return min(bucket << self.shift, self.vertices)


def cut(edges_of_bucket: Counts, buckets: Buckets, parts: int) -> list[int]:
    """Bucket borders [0, …, count] that share out the work: edges, and a little per vertex.

    An edge costs a read within the cache and a vertex some 8 sequential ones and a division, about
    two edges' worth.
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
def scatter(  # type: ignore[no-untyped-def]
    sources, destinations, shift, strip_bits, source_bits, positions, keys
):
    """Write each edge's key to its bucket's next free place; advances positions int64[buckets].

    A key is, from its highest bit: the strip in the bucket, the source, the row in the strip.
    """
    of_bucket, of_strip = np.uint64((1 << shift) - 1), np.uint64((1 << strip_bits) - 1)
    strip_shift, source_shift = np.uint64(strip_bits), np.uint64(source_bits)
    for k in range(destinations.size):
        bucket = destinations[k] >> shift
        place = positions[bucket]
        row = np.uint64(destinations[k]) & of_bucket
        key = ((row >> strip_shift) << source_shift) | np.uint64(sources[k])
        keys[place] = (key << strip_shift) | (row & of_strip)
        positions[bucket] = place + 1


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


_HALF, _LOW_HALF = np.uint64(16), np.uint64(0xFFFF)


@numba.njit(nogil=True, cache=True)
def add_contributions(  # type: ignore[no-untyped-def]
    strip, stop, strip_bits, segment_bits, cells, edges, contribution, totals
):
    """Σ contribution of every row's sources, over the strips strip … stop-1 of the worker's.

    A segment of contribution float64[n] stays in the cache while all these strips take from it.
    """
    totals[strip << strip_bits : stop << strip_bits] = 0.0
    for segment in range(cells.shape[1] - 1):
        of_sources = contribution[segment << segment_bits :]
        for s in range(strip, stop):
            of_rows = totals[s << strip_bits :]
            cell = edges[cells[s, segment] : cells[s, segment + 1]]
            for k in range(cell.size):
                edge = np.uint64(cell[k])
                of_rows[edge >> _HALF] += of_sources[edge & _LOW_HALF]


@numba.njit(nogil=True, cache=True)
def pull(  # type: ignore[no-untyped-def]
    bucket, stop, shift, strip_bits, segment_bits, cells, edges, contribution, base, damping,
    out_degree, ranks, outgoing, sums,
):  # fmt: skip
    """One iteration over the buckets bucket … stop-1 (counted from the worker's first).

    cells and edges are those of `Rows`, `contribution` float64[n] is of all vertices. out_degree
    uint32, ranks and outgoing (the next contribution; until then the sums) float64 are of the
    worker's. Sets sums float64[buckets, 2]: the dangling mass, and the L1 distance to the ranks
    before, of each bucket.
    """
    first, end = bucket << shift >> strip_bits, stop << shift >> strip_bits
    add_contributions(first, end, strip_bits, segment_bits, cells, edges, contribution, outgoing)
    for b in range(bucket, stop):
        dangling, residual = 0.0, 0.0
        for v in range(b << shift, min((b + 1) << shift, ranks.size)):
            rank = base + damping * outgoing[v]
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
