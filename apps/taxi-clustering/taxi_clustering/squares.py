"""The points of a worker in small squares of the city, of which an iteration looks at few.

The one idea: all points of a square go to one centre where no other can be nearer to any corner of
it (`kernel`); then their number and sums, kept here, are all that is needed of them. Squares of
32 m stand in tiles of 512 m, so that few squares have to be looked at either. Points are sorted
once, by tiles and in a tile by squares, so that those of a square, and of a tile, stand together:
a counting sort, its first pass from what the splits left, its second within a tile.

Kanungo et al. 2002, An efficient k-means clustering algorithm: analysis and implementation, section
3; Pelleg and Moore 1999, Accelerating exact k-means algorithms with geometric reasoning. Theirs are
trees; two levels of a grid do for a city.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

SIDE, TILE = 32.0, 512.0
"""Metres of a square's side, and of a tile's."""
REACH = 32_768.0
"""Metres to each side of the city's centre that tiles cover; its box ends at 19,400."""
TILES, SQUARES = int(2 * REACH / TILE), int(TILE / SIDE)
"""To the side of the map; to the side of a tile. Powers of two."""
OF_A_TILE = SQUARES * SQUARES
SHARES = 4
"""Of the work, to a thread: few enough not to matter, enough to even out."""

Points = npt.NDArray[np.float32]
"""float32[2, n]: metres east and north on the grid of `city`."""
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]]
"""`map` over the threads of a worker."""


class Squares(NamedTuple):
    """Those s squares and t tiles that have a point, in the order of their places."""

    points: Points
    """float32[2, n], square by square."""
    places: Ints
    """int64[s]: number of its tile × OF_A_TILE + its own in there, by rows from the south-west."""
    first: Ints
    """int64[s + 1]: its first point; the last entry is n."""
    metres: Floats
    """float64[s, 2]: metres east and north of its points, added up: exact (see `city`)."""
    tiles: Ints
    """int64[t + 1]: the first square of a tile; the last entry is s."""
    tile_metres: Floats
    """float64[t, 2]"""

    def shares(self, count: int) -> list[tuple[int, int]]:
        """The tiles in at most `count` ranges, of about as many squares each."""
        even = np.linspace(0, len(self.places), count + 1)
        return list(pairwise(np.unique(np.searchsorted(self.tiles, even)).tolist()))


def sort(parts: list[Points], threads: int, spread: Spread) -> Squares:
    """The points of all parts in their squares. They must lie within REACH, as the city's box does.

    Parts are taken out of the list, and let go of one by one.
    """
    heaps = [parts[thread::threads] for thread in range(threads)]
    parts.clear()
    counts = np.stack(spread(_count, heaps))  # Of every thread's heap, by tile.
    ends = np.cumsum(counts.T).reshape(counts.T.shape).T
    starts = np.ascontiguousarray(ends - counts)
    points = np.empty((2, int(counts.sum())), np.float32)
    spread(lambda job: _move(job[0], job[1], points), zip(heaps, starts, strict=True))
    occupied = np.flatnonzero(counts.any(axis=0))
    bounds = np.append(0, ends[-1, occupied])
    even = np.linspace(0, points.shape[1], SHARES * threads + 1)
    cuts = pairwise(np.unique(np.searchsorted(bounds, even)).tolist())
    settled = spread(lambda cut: _settled(points, occupied, bounds, *cut), cuts)
    return _together(points, settled)


def _count(heap: list[Points]) -> Ints:
    counts = np.zeros(TILES * TILES, np.int64)
    for part in heap:
        count_tiles(part, counts)
    return counts


def _move(heap: list[Points], slots: Ints, points: Points) -> None:
    while heap:
        move_to_tiles(heap.pop(), slots, points)


def _settled(points: Points, occupied: Ints, bounds: Ints, begin: int, end: int) -> list[Any]:
    """Places, first points and metres of the squares of some tiles, once sorted."""
    most = min(int(bounds[end] - bounds[begin]), (end - begin) * OF_A_TILE)
    places, first, metres = np.empty(most, np.int64), np.empty(most, np.int64), np.zeros((most, 2))
    count = settle(points, occupied[begin:end], bounds[begin : end + 1], places, first, metres)
    return [places[:count].copy(), first[:count].copy(), metres[:count].copy()]


def _together(points: Points, settled: list[list[Any]]) -> Squares:
    none = [np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2))]
    places, first, metres = map(np.concatenate, zip(none, *settled, strict=True))
    tiles = np.flatnonzero(np.diff(places // OF_A_TILE, prepend=-1))
    return Squares(
        points,
        places,
        np.append(first, points.shape[1]),
        metres,
        np.append(tiles, len(places)),
        np.add.reduceat(metres, tiles, axis=0) if len(tiles) else metres,
    )


@numba.njit(nogil=True, cache=True, inline="always")
def cell(east, north, side, across):  # type: ignore[no-untyped-def]
    """The number of a point's tile on the map, or of its square in the tile: `across` to a row."""
    column, row = np.int64((east + REACH) / side), np.int64((north + REACH) / side)
    return (row & (across - 1)) * across + (column & (across - 1))  # It is a power of two.


@numba.njit(nogil=True, cache=True)
def corner(place):  # type: ignore[no-untyped-def]
    """The south-west corner of a square, metres east and north; of the first also its tile's."""
    tile, square = place // OF_A_TILE, place % OF_A_TILE
    return (
        tile % TILES * TILE + square % SQUARES * SIDE - REACH,
        tile // TILES * TILE + square // SQUARES * SIDE - REACH,
    )


@numba.njit(nogil=True, cache=True)
def count_tiles(points, counts):  # type: ignore[no-untyped-def]
    """Add the points of every tile to counts, int64[TILES²]."""
    for i in range(points.shape[1]):
        counts[cell(points[0, i], points[1, i], TILE, TILES)] += 1


@numba.njit(nogil=True, cache=True)
def move_to_tiles(part, slots, points):  # type: ignore[no-untyped-def]
    """Put every point of a part into the next slot of its tile; slots: int64[TILES²]."""
    for i in range(part.shape[1]):
        tile = cell(part[0, i], part[1, i], TILE, TILES)
        at = slots[tile]
        points[0, at], points[1, at] = part[0, i], part[1, i]
        slots[tile] = at + 1


@numba.njit(nogil=True, cache=True)
def settle(points, tiles, bounds, places, first, metres):  # type: ignore[no-untyped-def]
    """Sort the points of some tiles by squares; fill in what is kept of those → how many there are.

    tiles: int64[t], their numbers; the points of the i-th are bounds[i] … bounds[i + 1]. `metres`
    is added to.
    """
    found, slots, order = 0, np.empty(OF_A_TILE, np.int64), np.empty(OF_A_TILE, np.int64)
    for tile in range(tiles.size):
        at = bounds[tile]
        unsorted = points[:, at : bounds[tile + 1]].copy()
        slots[:] = 0
        for i in range(unsorted.shape[1]):
            slots[cell(unsorted[0, i], unsorted[1, i], SIDE, SQUARES)] += 1
        for square in range(OF_A_TILE):
            size = slots[square]
            slots[square], order[square] = at, found
            if size > 0:
                places[found], first[found] = tiles[tile] * OF_A_TILE + square, at
                found += 1
            at += size
        for i in range(unsorted.shape[1]):
            east, north = unsorted[0, i], unsorted[1, i]
            square = cell(east, north, SIDE, SQUARES)
            at = slots[square]
            points[0, at], points[1, at] = east, north
            slots[square] = at + 1
            metres[order[square], 0] += east
            metres[order[square], 1] += north
    return found
