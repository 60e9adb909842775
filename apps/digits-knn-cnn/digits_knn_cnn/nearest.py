"""The nearest training rows of every query, exactly: the kernel of k nearest neighbours.

The one idea: |q - t|² = |q|² + (|t|² - 2 q·t), and what stands in brackets is one matrix product
of a block of queries and a chunk of training rows, each with a column more (1, and |t|²). A block
of it stays in the cache, where a compiled loop keeps the k smallest of each query. Almost all are
larger than the k-th so far, so that it compares a vector of them at a time with that.

Squared distances of whole numbers are whole numbers, and a product of matrices gives them without
an error while all that is added up can be counted by the type: up to 2^24 by a single float.
Fractions are added up pixel by pixel in the order of the pixels instead, because the rounding of a
product of matrices depends on how it is cut. So the answer does not depend on blocks, chunks or
parts. Rows are given in the order that breaks ties: of equal distances the earlier row is nearer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

QUERIES, ROWS = 256, 512
"""A block of distances: 512 KiB of single floats, which the second-level cache holds."""
VECTOR = 32
"""Distances that are compared at a time."""
COUNTED_BY_SINGLE = 1 << 24

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Labels = npt.NDArray[np.uint8]
Pixels = npt.NDArray[Any]


@dataclass(frozen=True)
class Nearest:
    """Of every query its neighbours, the nearest first: [queries, k] each.

    Squared distances; places of the neighbours in the training part; their labels.
    """

    distances: Floats
    places: Places
    labels: Labels


def merge(parts: Sequence[Nearest], k: int) -> Nearest:
    """The k nearest of what several parts of the training rows gave for the same queries.

    A part of fewer than k rows gives them all.
    """
    if len(parts) == 1:
        return parts[0]
    distances = np.concatenate([part.distances for part in parts], axis=1)
    places = np.concatenate([part.places for part in parts], axis=1)
    labels = np.concatenate([part.labels for part in parts], axis=1)
    order = np.lexsort((places, distances), axis=1)[:, :k]
    return Nearest(*(np.take_along_axis(a, order, axis=1) for a in (distances, places, labels)))


def search(queries: Pixels, rows: Pixels, k: int) -> tuple[Floats, Places]:
    """Squared distances of the nearest rows and their numbers: [queries, k or all of the rows].

    queries [q, pixels], rows [n, pixels]: uint8, or float64 where any number is no byte.
    """
    kept = min(k, len(rows))
    if kept == 0 or len(queries) == 0:
        return np.empty((len(queries), kept)), np.empty((len(queries), kept), np.int64)
    if queries.dtype == rows.dtype == np.uint8:
        return _by_products(queries, rows, kept)
    return _by_differences(queries, rows, kept)


def fits_single(queries: Pixels, rows: Pixels) -> bool:
    """Whether single floats count all that a product of these bytes adds up."""
    largest = max(int(queries.max()), int(rows.max()))
    return 2 * rows.shape[1] * largest**2 < COUNTED_BY_SINGLE


def _by_products(queries: Pixels, rows: Pixels, kept: int) -> tuple[Floats, Places]:
    kind = np.float32 if fits_single(queries, rows) else np.float64
    asked = np.ones((len(queries), rows.shape[1] + 1), kind)
    asked[:, :-1] = queries
    squares = np.square(asked[:, :-1]).sum(axis=1)
    distances, found = _nothing_yet(len(queries), kept, kind)
    room = np.empty(QUERIES * ROWS, kind)
    for start in range(0, len(rows), ROWS):
        chunk = rows[start : start + ROWS].astype(kind)
        points = np.empty((asked.shape[1], len(chunk)), kind)
        np.multiply(chunk.T, -2, out=points[:-1])
        points[-1] = np.square(chunk).sum(axis=1)
        for first in range(0, len(asked), QUERIES):
            block = asked[first : first + QUERIES]
            given = room[: len(block) * len(chunk)].reshape(len(block), len(chunk))
            np.matmul(block, points, out=given)
            own = slice(first, first + len(block))
            _keep(given, start, distances[own], found[own])
    return distances.astype(np.float64) + squares[:, np.newaxis], found


def _by_differences(queries: Pixels, rows: Pixels, kept: int) -> tuple[Floats, Places]:
    asked = np.array(queries, np.float64)
    distances, found = _nothing_yet(len(queries), kept, np.float64)
    room = np.empty(QUERIES * ROWS)
    for start in range(0, len(rows), ROWS):
        points = rows[start : start + ROWS].T.astype(np.float64, order="C")
        for first in range(0, len(asked), QUERIES):
            block = asked[first : first + QUERIES]
            given = room[: len(block) * points.shape[1]].reshape(len(block), points.shape[1])
            _add_up(block, points, given)
            own = slice(first, first + len(block))
            _keep(given, start, distances[own], found[own])
    return distances, found


def _nothing_yet(queries: int, kept: int, kind: type[Any]) -> tuple[npt.NDArray[Any], Places]:
    return np.full((queries, kept), np.inf, kind), np.full((queries, kept), -1, np.int64)


@numba.njit(nogil=True, cache=True)
def _add_up(block, points, given):  # type: ignore[no-untyped-def]
    """Squared distances of queries [q, pixels] and points [pixels, n] → given [q, n]."""
    for query in range(block.shape[0]):
        sums = given[query]
        sums[:] = 0.0
        for pixel in range(points.shape[0]):
            value = block[query, pixel]
            for place in range(points.shape[1]):
                step = value - points[pixel, place]
                sums[place] += step * step


@numba.njit(nogil=True, cache=True)
def _keep(given, start, distances, found):  # type: ignore[no-untyped-def]
    """Take given [q, n], of the rows from `start` on, into the nearest so far, both [q, kept]."""
    last = distances.shape[1] - 1
    for query in range(given.shape[0]):
        row, nearest, numbers = given[query], distances[query], found[query]
        begin = 0
        while begin < row.size:
            stop, farthest = min(begin + VECTOR, row.size), nearest[last]
            nearer = 0
            for place in range(begin, stop):
                nearer |= row[place] < farthest
            if nearer:
                for place in range(begin, stop):
                    distance = row[place]
                    if distance < nearest[last]:
                        at = last
                        while at > 0 and nearest[at - 1] > distance:
                            nearest[at], numbers[at] = nearest[at - 1], numbers[at - 1]
                            at -= 1
                        nearest[at], numbers[at] = distance, start + place
            begin = stop


def warm_up() -> None:
    """Meet every kernel, of both kinds of floats."""
    for row in (np.ones((2, 1), np.uint8), np.full((2, 4000), 255, np.uint8), np.full((2, 1), 0.5)):
        search(row, row, 1)
