"""The nearest training rows of a query so far, exactly, and what may still be nearer.

A search sees rows in the smaller space of `span`, by single floats: what it sees is a little wrong.
`limit` is the largest squared distance that it may see of a row which is truly no farther than the
last of the nearest so far; of all that is seen within it the distance is measured anew, from the
rows' own features and in double floats, added up feature by feature as scikit-learn's trees do.
Of equal distances the smaller row is nearer. So the answer is that of a full sort of all distances.
"""

import numba
import numpy as np
import numpy.typing as npt

Distances = npt.NDArray[np.float64]
"""Squared, float64[queries, k], the nearest first."""
Places = npt.NDArray[np.int64]
"""Of the neighbours among the training rows, int64[queries, k]."""

NOT_YET = np.iinfo(np.int64).max
"""The place of a neighbour that is still to be found, at an infinite distance."""
ROUNDING = 2.0**-23
"""Twice what rounding to a single float changes at most, in relation to the number."""
TINY = 2.0**-140
"""More than squares lose that are too small for a single float."""


def nothing_yet(queries: int, k: int) -> tuple[Distances, Places]:
    return np.full((queries, k), np.inf), np.full((queries, k), NOT_YET)


@numba.njit(nogil=True, cache=True)
def squared_distance(own, query, features, row):  # type: ignore[no-untyped-def]
    total = 0.0
    for feature in range(own.shape[1]):
        step = np.float64(own[query, feature]) - np.float64(features[row, feature])
        total += step * step
    return total


@numba.njit(nogil=True, cache=True)
def offer(distance, place, distances, places, query):  # type: ignore[no-untyped-def]
    """Take a row into the nearest so far of a query; whether it belongs there."""
    at = distances.shape[1] - 1
    last = distances[query, at]
    if distance > last or (distance == last and place > places[query, at]):
        return False
    while at > 0:
        before = distances[query, at - 1]
        if before < distance or (before == distance and places[query, at - 1] < place):
            break
        distances[query, at], places[query, at] = before, places[query, at - 1]
        at -= 1
    distances[query, at], places[query, at] = distance, place
    return True


@numba.njit(nogil=True, cache=True)
def limit(distance, norm, scale, dimensions):  # type: ignore[no-untyped-def]
    """What a row that is no farther than `distance`, squared, is seen at: at most, float32.

    norm: the query's own distance from the centre, in units of the smaller space, which are
    1 / scale. With q, t the exact places there, |q - t| ≤ true. Each is rounded by at most
    ROUNDING / 2 times its distance from the centre, with what turning it took: norm, and norm +
    true. The sum of the squares is rounded once for each of its terms, and twice more.
    """
    true = np.sqrt(distance) * scale
    seen = true + ROUNDING * (2 * norm + 2 * true)
    return np.float32(seen * seen * (1 + (dimensions + 5) * ROUNDING) + TINY)
