"""k-means: what one worker does with its points in an iteration, and how the parts combine.

The one idea: a block of 512 points stays in the cache while all centres pass over it, one after
the other, so that the inner loop is over points and runs in vector registers. What leaves a block
is k × 3 numbers: trips, and their metres east and north, added up. Those sums are exact (see
`city`), so parts may be cut and combined in any way: the next centres are the same to the last bit.

Lloyd 1982, Least squares quantization in PCM; Arthur and Vassilvitskii 2007, k-means++.
"""

from collections.abc import Iterable

import numba
import numpy as np
import numpy.typing as npt

from taxi_clustering import city

BLOCK = 512
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
def nearest(east, north, centres, distance, label):  # type: ignore[no-untyped-def]
    """Of a block of points, the nearest centre and the square of its distance (ties: the first)."""
    size = east.size
    for i in range(size):
        distance[i] = np.inf
        label[i] = 0
    for c in range(centres.shape[0]):
        x, y = centres[c, 0], centres[c, 1]
        for i in range(size):
            dx = east[i] - x
            dy = north[i] - y
            square = dx * dx + dy * dy
            closer = square < distance[i]
            distance[i] = square if closer else distance[i]
            label[i] = c if closer else label[i]


@numba.njit(nogil=True, cache=True)
def add_up(points, centres, sums):  # type: ignore[no-untyped-def]
    """Assign points float32[2, n]; add trips, metres east and north to sums, float64[k, 3]."""
    distance, label = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
    for start in range(0, points.shape[1], BLOCK):
        stop = min(start + BLOCK, points.shape[1])
        east, north = points[0, start:stop], points[1, start:stop]
        nearest(east, north, centres, distance, label)
        for i in range(stop - start):
            c = label[i]
            sums[c, 0] += 1.0
            sums[c, 1] += east[i]
            sums[c, 2] += north[i]


@numba.njit(nogil=True, cache=True)
def inertia(points, centres):  # type: ignore[no-untyped-def]
    """Sum of the squares of the distances to the nearest centre, in square metres."""
    distance, label = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.int32)
    total = 0.0
    for start in range(0, points.shape[1], BLOCK):
        stop = min(start + BLOCK, points.shape[1])
        nearest(points[0, start:stop], points[1, start:stop], centres, distance, label)
        for i in range(stop - start):
            total += distance[i]
    return total


@numba.njit(nogil=True, cache=True)
def labels(points, centres):  # type: ignore[no-untyped-def]
    """The nearest centre of each point, int32[n]."""
    found = np.empty(points.shape[1], np.int32)
    distance = np.empty(BLOCK, np.float32)
    for start in range(0, points.shape[1], BLOCK):
        stop = min(start + BLOCK, points.shape[1])
        block = points[0, start:stop], points[1, start:stop]
        nearest(block[0], block[1], centres, distance, found[start:stop])
    return found


@numba.njit(nogil=True, cache=True)
def count_cells(points, cells):  # type: ignore[no-untyped-def]
    """Add points float32[2, n] to the cells of the city's box, int64[m, m], rows from the south."""
    west, south, east, north = BOX
    across, along = cells.shape[1] / (east - west), cells.shape[0] / (north - south)
    for i in range(points.shape[1]):
        column = min(max(int((points[0, i] - west) * across), 0), cells.shape[1] - 1)
        row = min(max(int((points[1, i] - south) * along), 0), cells.shape[0] - 1)
        cells[row, column] += 1


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
