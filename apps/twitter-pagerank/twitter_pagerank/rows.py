"""The in-links that one worker owns, in the order in which an iteration reads them.

Rows are cut into strips and sources into segments, so that edges fall into cells of a grid (Zhu,
Han, Chen 2015, GridGraph). The sums of a strip and the contributions of a segment both fit in a
core's cache, and an edge is 32 bits: its row within the strip, its source within the segment.
Within a cell edges are ordered by source: contributions are then read in sequence, and sums, which
lie closest, at random; one row's additions seldom wait for each other.

A strip's cells lie one behind the other, by ascending segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from studykit import pages

from twitter_pagerank.kernel import Buckets, Counts, Keys

DIGIT_BITS = 8
"""Of a radix pass: 256 places to write to, and the values of a cell, stay in the nearest cache."""

FEW = 24
"""Values that are sooner put in order one by one than counted by their digits."""


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
        room = pages.empty((edges,), np.uint32)
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
        """Sort the keys of one bucket, from all workers, into its cells from edges[begin] on.

        First to the cells, which a key's highest bits name, and then within each: a cell fits in
        the nearest cache, however large the bucket is.
        """
        local, strip_bits = bucket - self.first_bucket, self.buckets.strip_bits
        cells = self.cells[self.strips_of(local)]
        segment_bits = min(self.segment_bits, self.buckets.source_bits)
        cell_bits = segment_bits + strip_bits
        counts = np.zeros(
            1 << (self.buckets.shift + self.buckets.source_bits - cell_bits), np.int64
        )
        for keys in pieces:
            _count_cells(keys, cell_bits, counts)
        ends = np.cumsum(counts)
        places, edges = ends - counts, np.empty(sum(map(len, pieces)), np.uint32)
        for keys in pieces:
            _scatter_cells(keys, cell_bits, places, edges)
        end = _fill_cells(
            edges, ends.reshape(len(cells), -1), strip_bits, segment_bits, cells, self.edges, begin
        )
        self.edges_of_bucket[local] = end - begin

    @property
    def segments(self) -> int:
        return self.cells.shape[1] - 1

    def count_sources(self, segment: int, out_degree: npt.NDArray[np.uint32]) -> None:
        """Add the edges of a segment, whose part of out_degree uint32[n] stays in the cache."""
        first = segment << self.segment_bits
        _count_sources(self.cells, segment, self.edges, out_degree[first:])

    def compressed(self) -> tuple[Counts, npt.NDArray[np.uint32]]:
        """The same as a compressed sparse matrix: offsets int64[rows + 1] into sources uint32."""
        bits, rows = self.buckets.strip_bits, self.stop - self.first
        firsts = np.arange(self.segments, dtype=np.uint32) << np.uint32(self.segment_bits)
        counts, sources = np.zeros(len(self.cells) << bits, np.int64), [np.empty(0, np.uint32)]
        for strip, cells in enumerate(self.cells):
            edges = self.edges[cells[0] : cells[-1]]
            row = (edges >> 16).astype(np.uint16)
            counts[strip << bits : (strip + 1) << bits] = np.bincount(row, minlength=1 << bits)
            source = np.repeat(firsts, np.diff(cells)) + (edges & 0xFFFF)
            sources.append(source[np.argsort(row, kind="stable")])
        return np.concatenate([[0], np.cumsum(counts[:rows])]), np.concatenate(sources)


@numba.njit(nogil=True, cache=True)
def _count_cells(keys, cell_bits, counts):  # type: ignore[no-untyped-def]
    shift = np.uint64(cell_bits)
    for k in range(keys.size):
        counts[keys[k] >> shift] += 1


@numba.njit(nogil=True, cache=True)
def _scatter_cells(keys, cell_bits, places, edges):  # type: ignore[no-untyped-def]
    """Write the low bits of each key, which tell where it lies in its cell, to its cell."""
    shift, low = np.uint64(cell_bits), np.uint64((1 << cell_bits) - 1)
    for k in range(keys.size):
        cell = keys[k] >> shift
        edges[places[cell]] = np.uint32(keys[k] & low)
        places[cell] += 1


@numba.njit(nogil=True, cache=True)
def sort_values(values, scratch, low, high):  # type: ignore[no-untyped-def]
    """Sort values uint32[m] by their bits low … high-1, equal ones in the order that they had.

    A least-significant-digit radix sort over data in the cache, some ten times the speed of a
    comparison sort; few values are put in order one by one. `scratch` is as long; returns the one
    of the two buffers that holds the result.
    """
    if values.size <= FEW:
        shift, mask = np.uint64(low), np.uint64((1 << (high - low)) - 1)
        for k in range(1, values.size):
            value, place = values[k], k
            digit = (value >> shift) & mask
            while place > 0 and (values[place - 1] >> shift) & mask > digit:
                values[place] = values[place - 1]
                place -= 1
            values[place] = value
        return values
    passes = (high - low + DIGIT_BITS - 1) // DIGIT_BITS
    for turn in range(passes):
        first = low + (high - low) * turn // passes
        stop = low + (high - low) * (turn + 1) // passes
        shift, mask = np.uint64(first), np.uint64((1 << (stop - first)) - 1)
        places = np.zeros((1 << (stop - first)) + 1, np.int64)
        for k in range(values.size):
            places[((values[k] >> shift) & mask) + np.uint64(1)] += 1
        for digit in range(1, places.size):
            places[digit] += places[digit - 1]
        for k in range(values.size):
            digit = (values[k] >> shift) & mask
            scratch[places[digit]] = values[k]
            places[digit] += 1
        values, scratch = scratch, values
    return values


@numba.njit(nogil=True, cache=True)
def _fill_cells(  # type: ignore[no-untyped-def]
    keys, ends, strip_bits, segment_bits, cells, edges, begin
):
    """Low bits of keys uint32, cell by cell → a bucket's distinct edges from `begin` on.

    ends int64[strips, segments or more] are those of the cells in `keys`. Sets cells int64[strips,
    segments + 1], of which the last of a strip is the first of the next; returns the edges' end.
    """
    row_bits, of_row, half = np.uint32(strip_bits), np.uint32((1 << strip_bits) - 1), np.uint32(16)
    scratch = np.empty(keys.size, np.uint32)
    # Of each row the source of the edge before, counted from 1: an edge that comes again is known
    # without its neighbours being put in order.
    latest = np.empty(1 << strip_bits, np.uint32)
    start, place = 0, begin
    for strip in range(cells.shape[0]):
        latest[:] = 0
        for segment in range(cells.shape[1] - 1):
            cells[strip, segment] = place
            stop = ends[strip, segment]
            cell = keys[start:stop]
            cell = sort_values(cell, scratch[start:stop], strip_bits, strip_bits + segment_bits)
            start, first = stop, np.uint32((segment << segment_bits) + 1)
            for k in range(cell.size):
                row, source = cell[k] & of_row, cell[k] >> row_bits
                # No branch, which would be guessed wrong at times.
                edges[place] = np.uint32((row << half) | source)
                place += np.int64(latest[row] != first + source)
                latest[row] = first + source
        cells[strip, cells.shape[1] - 1] = place
    return place


@numba.njit(nogil=True, cache=True)
def _count_sources(cells, segment, edges, of_sources):  # type: ignore[no-untyped-def]
    for strip in range(cells.shape[0]):
        cell = edges[cells[strip, segment] : cells[strip, segment + 1]]
        for k in range(cell.size):
            of_sources[np.uint64(cell[k]) & np.uint64(0xFFFF)] += np.uint32(1)
