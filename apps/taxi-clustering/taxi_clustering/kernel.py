"""k-means: what one worker does with its points in an iteration, and how the parts combine.

The one idea: an iteration looks at few points. Where one centre is nearest to all of a tile, or of
a square of it (see `squares`), what was added up of its points before is added to that centre; only
points in squares on a border between centres are looked at, with the few centres that are left
(the filtering algorithm). What leaves a worker is k × 3 numbers: trips, and their metres east and
north, added up. Those sums are exact (see `city`), so parts may be cut and combined in any way: the
next centres are the same to the last bit.

Lloyd 1982, Least squares quantization in PCM; Kanungo et al. 2002, An efficient k-means clustering
algorithm: analysis and implementation; Arthur and Vassilvitskii 2007, k-means++.
"""

from collections.abc import Iterable
from fractions import Fraction

import numba
import numpy as np
import numpy.typing as npt

from taxi_clustering import city
from taxi_clustering.squares import OF_A_TILE, SIDE, TILE, corner

BLOCK = 512
"""Points that stay in the cache while centres pass over them."""
ROUNDING = 2.0**-20
"""A square of a distance is wrong by less than 2^-21.9 of itself in float32 (4 roundings of 2^-24).
So the larger of two that differ by 2^-20.9 of the smaller is the larger there too; the rest is for
float64, in which that is judged."""
UNDERFLOW = 1e-30
"""Square metres: squares below have not all their digits."""
STEPS = 1 << 24
"""To the square metre, of inertia: a float32 from half a square metre on is a multiple of one."""
CANDIDATES = 20
"""Drawn at each step of the seeding, the best of them taken. Usual is 2 + ln k; on a sample these
cost little, and give an inertia lower by 1 % over ten restarts."""

BOX = (
    *map(float, city.to_metres(np.array(city.LONGITUDES[0]), np.array(city.LATITUDES[0]))),
    *map(float, city.to_metres(np.array(city.LONGITUDES[1]), np.array(city.LATITUDES[1]))),
)
"""West, south, east and north of the city's box in metres."""

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.float32]
"""float32[2, n]: metres east and north on the grid of `city`."""
Centres = npt.NDArray[np.float32]
"""float32[k, 2]"""


@numba.njit(nogil=True, cache=True)
def nearest(east, north, centres, among, distance, label):  # type: ignore[no-untyped-def]
    """Of a block of points, the nearest centre and the square of its distance (ties: the first).

    `among`, int64[m], are the centres to look at, in ascending order.
    """
    size = east.size
    for i in range(size):
        distance[i] = np.inf
        label[i] = 0
    for c in among:
        x, y = centres[c, 0], centres[c, 1]
        for i in range(size):
            dx = east[i] - x
            dy = north[i] - y
            square = dx * dx + dy * dy
            closer = square < distance[i]
            distance[i] = square if closer else distance[i]
            label[i] = c if closer else label[i]


@numba.njit(nogil=True, cache=True)
def filtered(west, south, side, centres, among, found):  # type: ignore[no-untyped-def]
    """Of the centres `among`, those to which `nearest` can give a point of a square → how many.

    They are put into `found`, in the same order. Left out is who is farther than the centre that
    is nearest to the middle, from everywhere in the square. The difference of two squares of
    distances is a plane: so it is smallest at the corner that lies farthest in the direction from
    the nearest centre to the other one.
    """
    middle_east, middle_north = west + side / 2, south + side / 2
    best, least = among[0], np.inf
    for c in among:
        dx, dy = centres[c, 0] - middle_east, centres[c, 1] - middle_north
        square = dx * dx + dy * dy
        if square < least:
            best, least = c, square
    x, y = np.float64(centres[best, 0]), np.float64(centres[best, 1])
    across = max(abs(west - x), abs(west + side - x))
    along = max(abs(south - y), abs(south + side - y))
    spare = ROUNDING * (across * across + along * along) + UNDERFLOW
    left = 0
    for c in among:
        u, v = np.float64(centres[c, 0]), np.float64(centres[c, 1])
        east = west + side if u > x else west
        north = south + side if v > y else south
        to_c = (east - u) * (east - u) + (north - v) * (north - v)
        to_best = (east - x) * (east - x) + (north - y) * (north - y)
        if to_c - to_best <= spare:
            found[left] = c
            left += 1
    return left


@numba.njit(nogil=True, cache=True)
def add_up(squares, begin, end, centres, sums):  # type: ignore[no-untyped-def]
    """Assign the points of tiles begin … end; add trips, metres east and north to float64[k, 3]."""
    every, few = np.arange(centres.shape[0]), np.empty(centres.shape[0], np.int64)
    fewer = np.empty_like(few)
    for tile in range(begin, end):
        start, stop = squares.tiles[tile], squares.tiles[tile + 1]
        west, south = corner(squares.places[start] // OF_A_TILE * OF_A_TILE)
        count = filtered(west, south, TILE, centres, every, few)
        if count == 1:
            sums[few[0], 0] += squares.first[stop] - squares.first[start]
            sums[few[0], 1] += squares.tile_metres[tile, 0]
            sums[few[0], 2] += squares.tile_metres[tile, 1]
            continue
        for square in range(start, stop):
            west, south = corner(squares.places[square])
            left = filtered(west, south, SIDE, centres, few[:count], fewer)
            first, last = squares.first[square], squares.first[square + 1]
            if left == 1:
                sums[fewer[0], 0] += last - first
                sums[fewer[0], 1] += squares.metres[square, 0]
                sums[fewer[0], 2] += squares.metres[square, 1]
            else:
                add_points(squares.points, first, last, centres, fewer[:left], sums)


@numba.njit(nogil=True, cache=True)
def add_points(points, first, last, centres, among, sums):  # type: ignore[no-untyped-def]
    """Assign points first … last to centres `among`, and add them to sums, float64[k, 3]."""
    distance, label = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        east, north = points[0, start:stop], points[1, start:stop]
        nearest(east, north, centres, among, distance, label)
        for i in range(stop - start):
            c = label[i]
            sums[c, 0] += 1.0
            sums[c, 1] += east[i]
            sums[c, 2] += north[i]


@numba.njit(nogil=True, cache=True)
def inertia(squares, begin, end, centres):  # type: ignore[no-untyped-def]
    """Squares of the distances to the nearest centre, of tiles begin … end → square metres, STEPS.

    Whole numbers, since those can be added up in any order.
    """
    every, few = np.arange(centres.shape[0]), np.empty(centres.shape[0], np.int64)
    distance, label = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
    metres, steps = np.int64(0), np.int64(0)
    for tile in range(begin, end):
        start, stop = squares.tiles[tile], squares.tiles[tile + 1]
        west, south = corner(squares.places[start] // OF_A_TILE * OF_A_TILE)
        count = filtered(west, south, TILE, centres, every, few)
        last = squares.first[stop]
        for first in range(squares.first[start], last, BLOCK):
            east = squares.points[0, first : min(first + BLOCK, last)]
            north = squares.points[1, first : min(first + BLOCK, last)]
            nearest(east, north, centres, few[:count], distance, label)
            for i in range(east.size):
                whole = np.int64(distance[i])
                metres += whole
                steps += np.int64((distance[i] - whole) * STEPS)
    return metres, steps


@numba.njit(nogil=True, cache=True)
def labels(points, centres):  # type: ignore[no-untyped-def]
    """The nearest centre of each point, int32[n]."""
    found, every = np.empty(points.shape[1], np.int32), np.arange(centres.shape[0])
    distance = np.empty(BLOCK, np.float32)
    for start in range(0, points.shape[1], BLOCK):
        stop = min(start + BLOCK, points.shape[1])
        block = points[0, start:stop], points[1, start:stop]
        nearest(block[0], block[1], centres, every, distance, found[start:stop])
    return found


@numba.njit(nogil=True, cache=True)
def count_cells(squares, begin, end, cells):  # type: ignore[no-untyped-def]
    """Add the points of tiles begin … end to cells of the city's box, int64[m, m], south first."""
    west, south, east, north = BOX
    across, along = cells.shape[1] / (east - west), cells.shape[0] / (north - south)
    points = squares.points
    for i in range(squares.first[squares.tiles[begin]], squares.first[squares.tiles[end]]):
        column = min(max(int((points[0, i] - west) * across), 0), cells.shape[1] - 1)
        row = min(max(int((points[1, i] - south) * along), 0), cells.shape[0] - 1)
        cells[row, column] += 1


def square_metres(metres: int, steps: int) -> Fraction:
    """What `inertia` returned, as one number."""
    return metres + Fraction(steps, STEPS)


def combine(parts: Iterable[Floats]) -> Floats:
    """Sums float64[k, 3] of several workers → those of all; in any order, they are exact."""
    return np.sum(list(parts), axis=0)  # type: ignore[no-any-return]


def next_centres(sums: Floats, centres: Centres, sample: Points) -> Centres:
    """The means. A centre without a trip goes to the sampled trip that is farthest from all."""
    trips = sums[:, :1]
    means = np.where(trips > 0, sums[:, 1:] / np.maximum(trips, 1), centres).astype(np.float32)
    for lonely in np.flatnonzero(trips[:, 0] == 0):
        others = np.delete(means, lonely, axis=0)
        means[lonely] = sample[:, np.argmax(_squares(sample, others).min(axis=0))]
    return means


def movement(before: Centres, after: Centres) -> float:
    """Metres that the centre which moved most has moved."""
    return float(np.hypot(*(after.astype(float) - before).T).max())


def explained(sums: Floats) -> float:
    """What the means of `sums` take away from the points' squared distances: higher is better.

    Exact sums give the same number on every engine, where the inertia itself is rounded in the
    order in which it is added up: so this one chooses between restarts.
    """
    trips = np.maximum(sums[:, 0], 1)
    return float((sums[:, 1] ** 2 / trips + sums[:, 2] ** 2 / trips).sum())


def seeds(sample: Points, clusters: int, seed: int, restart: int) -> Centres:
    """Greedy k-means++ on the sample, float32[2, n] → first centres, float32[k, 2].

    The sample needs `clusters` different places.
    """
    random = np.random.default_rng([seed, restart])
    chosen = [int(random.integers(sample.shape[1]))]
    closest = _squares(sample, sample[:, chosen].T)[0]
    while len(chosen) < clusters:
        cumulated = np.cumsum(closest)
        draws = np.searchsorted(cumulated, random.random(CANDIDATES) * cumulated[-1], side="right")
        reached = np.minimum(closest, _squares(sample, sample[:, draws].T))
        best = int(np.argmin(reached.sum(axis=1)))
        chosen.append(int(draws[best]))
        closest = reached[best]
    return np.ascontiguousarray(sample[:, chosen].T)


def _squares(points: Points, centres: Centres) -> Floats:
    """Squared distances, float64[k, n]."""
    apart = points.astype(np.float64)[None] - centres.astype(np.float64)[:, :, None]
    return (apart**2).sum(axis=1)  # type: ignore[no-any-return]
