"""The nearest rows by products of matrices: every distance, where boxes of a tree leave too much.

The one idea: |q - t|² - |q|² = |t|² - 2 q·t, which is one product of a block of queries and a chunk
of rows, each with a column more (1, and |t|²). Its rounding is bounded by the sizes of q and t: of
rows that it leaves possible the distance is measured exactly (`candidates`).
"""

import numba
import numpy as np

from synthetic_classifiers import span
from synthetic_classifiers.candidates import (
    ROUNDING,
    Distances,
    Places,
    limit,
    offer,
    squared_distance,
)
from synthetic_classifiers.layout import Features
from synthetic_classifiers.span import Floats, Points, Space

QUERIES, ROWS = 256, 512
"""A block of distances: 512 KiB of single floats, which the second-level cache holds."""
VECTOR = 64
"""Distances that are compared at a time, as numbers of 32 bits all: so they are vectorised."""
BEYOND = 1e18
"""Of places that are farther from the centre single floats cannot hold the squares."""


def search(
    features: Features, space: Space, own: Features, points: Points, norms: Floats,
    distances: Distances, places: Places,
) -> None:  # fmt: skip
    """Take the rows features float32[n, d] into the nearest so far of all queries given.

    own float32[q, d], points float32[q, dimensions], norms float64[q]: of the queries.
    """
    asked = np.ones((len(points), space.dimensions + 1), np.float32)
    asked[:, :-1] = points
    squares = np.square(points.astype(np.float64)).sum(axis=1)
    room = np.empty(QUERIES * ROWS, np.float32)
    for start in range(0, len(features), ROWS):
        chunk = span.points_of(space, features[start : start + ROWS])
        sizes = np.square(chunk.astype(np.float64)).sum(axis=1)
        against = np.empty((asked.shape[1], len(chunk)), np.float32)
        np.multiply(chunk.T, -2, out=against[:-1])
        against[-1] = sizes
        farthest = float(np.sqrt(sizes.max()))
        for first in range(0, len(asked), QUERIES):
            block = asked[first : first + QUERIES]
            given = room[: len(block) * len(chunk)].reshape(len(block), len(chunk))
            # A query beyond single floats is infinitely far by them: its rows are all measured.
            with np.errstate(over="ignore", invalid="ignore"):
                np.matmul(block, against, out=given)
            here = slice(first, first + len(block))
            _keep(
                given, start, farthest, features, space.scale, own[here], space.dimensions,
                squares[here], norms[here], distances[here], places[here],
            )  # fmt: skip


@numba.njit(nogil=True, cache=True)
def _possible(distance, square, norm, farthest, scale, dimensions):  # type: ignore[no-untyped-def]
    """What the product may give, at most, of a row that is no farther.

    A sum of dimensions + 1 products, each at most (|q| + |t|)², is rounded so many times.
    """
    size = np.sqrt(square) + farthest
    rounded = (dimensions + 6) * ROUNDING * size * size
    most = np.float64(limit(distance, norm, scale, dimensions)) - square + rounded
    return np.float32(most) if size < BEYOND else np.float32(np.inf)


@numba.njit(nogil=True, cache=True)
def _keep(  # type: ignore[no-untyped-def]
    given, start, farthest, features, scale, own, dimensions, squares, norms, distances, places
):
    """Take given float32[q, n], of the rows from `start` on, into the nearest so far."""
    last, end = distances.shape[1] - 1, given.shape[1]
    for query in range(len(given)):
        square, norm = squares[query], norms[query]
        bound = _possible(distances[query, last], square, norm, farthest, scale, dimensions)
        for begin in range(0, end, VECTOR):
            stop = min(begin + VECTOR, end)
            part, nearer = given[query, begin:stop], np.int32(0)
            for place in range(len(part)):
                nearer |= np.int32(part[place] <= bound)
            if nearer or bound == np.inf:
                for place in range(begin, stop):
                    # What is beyond single floats may be no number: it is possible.
                    if given[query, place] <= bound or bound == np.inf:
                        row = start + place
                        distance = squared_distance(own, query, features, row)
                        if offer(distance, row, distances, places, query):
                            bound = _possible(
                                distances[query, last], square, norm, farthest, scale, dimensions
                            )
