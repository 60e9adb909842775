"""The in-links that one worker owns, in the order in which an iteration reads them.

Rows are cut into strips and sources into segments, so that edges fall into cells of a grid (Zhu,
Han, Chen 2015, GridGraph). The sums of a strip and the contributions of a segment both fit in a
core's cache, and an edge is 32 bits: its row within the strip, its source within the segment.
Within a cell edges are ordered by source: contributions are then read in sequence, and sums, which
lie closest, at random; one row's additions seldom wait for each other.

A strip's cells lie one behind the other, by ascending segment, which is nothing but the order of
its edges by source: no second array is needed to build them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from twitter_pagerank.kernel import Buckets, Counts, Keys

DIGIT_BITS = 11
"""Of a radix pass: 2048 places to write to stay within the first-level cache."""


@dataclass
class Rows:
    """The distinct edges into the vertices of the buckets first_bucket … stop_bucket-1.

    edges uint32[m]: row within the strip << 16 | source within the segment of 2^segment_bits. The
    cell of strip s (counted from the worker's first) and segment g is edges[cells[s, g] :
    cells[s, g + 1]]; cells int64[strips, segments + 1]. Buckets may be filled in any order and by
    any thread.
    """

    buckets: Buckets
    first_bucket: int
    stop_bucket: int
    segment_bits: int
    cells: Counts
    edges: npt.NDArray[np.uint32]
    edges_of_bucket: Counts

    @classmethod
    def empty(cls, buckets: Buckets, owned: range, edges: int, segment_bits: int) -> "Rows":
        """Room for `edges` edges into the buckets `owned`, duplicates counted in.

        Pages that are not used are never touched.
        """
        segments = ((buckets.vertices - 1) >> segment_bits) + 1
        cells = np.zeros((len(owned) * buckets.strips, segments + 1), np.int64)
        room = np.empty(edges, np.uint32)
        counts = np.zeros(len(owned), np.int64)
        return cls(buckets, owned.start, owned.stop, segment_bits, cells, room, counts)

    @property
    def first(self) -> int:
        """Vertex."""
        return self.buckets.first_vertex(self.first_bucket)

    @property
    def stop(self) -> int:
        return self.buckets.first_vertex(self.stop_bucket)

    def strips_of(self, local: int) -> slice:
        """Those of a bucket, counted from the first of the worker's."""
        return slice(local * self.buckets.strips, (local + 1) * self.buckets.strips)

    def fill(self, bucket: int, pieces: Sequence[Keys], begin: int) -> None:
        """Sort the keys of one bucket, from all workers, into its cells from edges[begin] on."""
        source_bits, strip_bits = self.buckets.source_bits, self.buckets.strip_bits
        keys = np.concatenate(pieces)
        keys = sort_keys(keys, np.empty_like(keys), self.buckets.shift + source_bits)
        local = bucket - self.first_bucket
        cells = self.cells[self.strips_of(local)]
        end = _fill_cells(
            keys, strip_bits, source_bits, self.segment_bits, cells, self.edges, begin
        )
        self.edges_of_bucket[local] = end - begin

    def out_degree(self, buckets: Iterable[int]) -> npt.NDArray[np.uint32]:
        """Edges of some buckets, counted from the worker's first, by source: uint32[n]."""
        counts = np.zeros(self.buckets.vertices, np.uint32)
        for local in buckets:
            _count_sources(self.cells[self.strips_of(local)], self.segment_bits, self.edges, counts)
        return counts

    def compressed(self) -> tuple[Counts, npt.NDArray[np.uint32]]:
        """The same as a compressed sparse matrix: offsets int64[rows + 1] into sources uint32."""
        bits, rows = self.buckets.strip_bits, self.stop - self.first
        firsts = np.arange(self.cells.shape[1] - 1, dtype=np.uint32) << np.uint32(self.segment_bits)
        counts, sources = np.zeros(len(self.cells) << bits, np.int64), [np.empty(0, np.uint32)]
        for strip, cells in enumerate(self.cells):
            edges = self.edges[cells[0] : cells[-1]]
            row = (edges >> 16).astype(np.uint16)
            counts[strip << bits : (strip + 1) << bits] = np.bincount(row, minlength=1 << bits)
            source = np.repeat(firsts, np.diff(cells)) + (edges & 0xFFFF)
            sources.append(source[np.argsort(row, kind="stable")])
        return np.concatenate([[0], np.cumsum(counts[:rows])]), np.concatenate(sources)


@numba.njit(nogil=True, cache=True)
def sort_keys(keys, scratch, bits):  # type: ignore[no-untyped-def]
    """Sort keys uint64 below 2^bits; returns the one of the two buffers that holds the result.

    A least-significant-digit radix sort: three or four passes over data in the cache, some ten
    times the speed of a comparison sort.
    """
    passes = (bits + DIGIT_BITS - 1) // DIGIT_BITS
    for turn in range(passes):
        low, high = bits * turn // passes, bits * (turn + 1) // passes
        shift, mask = np.uint64(low), np.uint64((1 << (high - low)) - 1)
        places = np.zeros((1 << (high - low)) + 1, np.int64)
        for k in range(keys.size):
            places[((keys[k] >> shift) & mask) + np.uint64(1)] += 1
        for digit in range(1, places.size):
            places[digit] += places[digit - 1]
        for k in range(keys.size):
            value = (keys[k] >> shift) & mask
            scratch[places[value]] = keys[k]
            places[value] += 1
        keys, scratch = scratch, keys
    return keys


@numba.njit(nogil=True, cache=True)
def _fill_cells(  # type: ignore[no-untyped-def]
    keys, strip_bits, source_bits, segment_bits, cells, edges, begin
):
    """Ascending keys uint64 of a bucket → its distinct edges from `begin` on; returns their end.

    Sets cells int64[strips, segments + 1], of which the last of a strip is the first of the next.
    """
    borders = cells.reshape(cells.size)
    of_strip, of_source = np.uint64((1 << strip_bits) - 1), np.uint64((1 << source_bits) - 1)
    of_segment, half = np.uint64((1 << segment_bits) - 1), np.uint64(16)
    source_shift, strip_shift = np.uint64(strip_bits), np.uint64(strip_bits + source_bits)
    border, place, previous = 0, begin, np.uint64(0)
    for k in range(keys.size):
        key = keys[k]
        if k > 0 and key == previous:
            continue
        previous = key
        source = (key >> source_shift) & of_source
        cell = np.int64(key >> strip_shift) * cells.shape[1] + np.int64(
            source >> np.uint64(segment_bits)
        )
        while border <= cell:
            borders[border] = place
            border += 1
        edges[place] = np.uint32(((key & of_strip) << half) | (source & of_segment))
        place += 1
    borders[border:] = place
    return place


@numba.njit(nogil=True, cache=True)
def _count_sources(cells, segment_bits, edges, counts):  # type: ignore[no-untyped-def]
    for strip in range(cells.shape[0]):
        for segment in range(cells.shape[1] - 1):
            of_sources = counts[segment << segment_bits :]
            cell = edges[cells[strip, segment] : cells[strip, segment + 1]]
            for k in range(cell.size):
                of_sources[np.uint64(cell[k]) & np.uint64(0xFFFF)] += np.uint32(1)
