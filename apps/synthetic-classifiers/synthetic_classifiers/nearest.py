"""k nearest neighbours, exactly: space cut into slabs, a tree in each, and the votes.

Every worker of a host grows trees of slabs of its own, as many as it has threads, along the first
axis of the smaller space; all of them read all trees, and each searches for its own queries: first
in the slab where a query lies, then in the others, whose boxes are mostly too far.

Where a tree leaves too much to look into, in many dimensions, products of matrices take less: a
few queries tried with the trees tell how many leaves a query looks into.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from studykit.errors import DataError
from threadpoolctl import threadpool_limits

from synthetic_classifiers import candidates, kd_search, kd_tree, products, span
from synthetic_classifiers.candidates import Distances, Places
from synthetic_classifiers.kd_tree import Tree
from synthetic_classifiers.layout import Features
from synthetic_classifiers.span import Points, Space

SAMPLE = 1 << 16
"""Rows, at most, by which space is cut into slabs."""
BLOCK = 2048
"""Queries that a thread takes at a time."""
TRIED = 64
"""Queries, at most, by which the costs of a tree are judged."""

LEAF_NS = 250.0, 10.0
PRODUCT_NS = 0.6, 0.03
BUILD_NS = 15.0, 3.0
"""Nanoseconds: of a leaf looked into, of a distance by products, of a row on a level of a tree that
is built; a constant, and a part for each dimension. Measured in November 2026 on a Xeon of 2.1 GHz
with AVX-512: 200,000 normal points of 2 to 60 dimensions, where both ways meet at 11. They choose
the way, never the answer."""


def require(k: int, rows: int) -> None:
    """DataError where there are not more than k training rows."""
    if k >= rows:
        raise DataError(f"{k} neighbours need more than {k} training samples; there are {rows}")


def slab_edges(space: Space, features: Features, slabs: int) -> Points:
    """Where slabs of about as many rows meet on the first axis, float32[slabs - 1]."""
    sample = features[:: -(-len(features) // SAMPLE)]
    return np.quantile(
        span.points_of(space, sample)[:, 0], np.arange(1, slabs) / slabs, method="nearest"
    )


def grow(features: Features, space: Space, edges: Points, slab: int, k: int) -> Tree:
    """The tree of the rows float32[n, d] that lie in one slab, of len(edges) + 1."""
    ends = np.concatenate([[-np.inf], edges, [np.inf]]).astype(np.float32)
    rows = _inside(features, space.centre, space.axes, ends[slab], ends[slab + 1])
    return kd_tree.build(span.points_of(space, features, rows), rows, features, k)


@numba.njit(nogil=True, cache=True)
def _inside(features, centre, axes, low, high):  # type: ignore[no-untyped-def]
    """Rows whose first coordinate is low or more and less than high, int32[m]."""
    inside = np.empty(len(features), np.bool_)
    for row in range(len(features)):
        total = 0.0
        for feature in range(len(centre)):
            total += (np.float64(features[row, feature]) - centre[feature]) * axes[feature, 0]
        inside[row] = low <= np.float32(total) < high
    return np.flatnonzero(inside).astype(np.int32)


def arrays_of(trees: Sequence[Tree]) -> dict[str, npt.NDArray[Any]]:
    """Trees as plain arrays, for memory that is shared."""
    return {
        f"{number} {name}": array
        for number, tree in enumerate(trees)
        for name, array in tree._asdict().items()
    }


def trees_of(arrays: Mapping[str, npt.NDArray[Any]]) -> list[Tree]:
    return [
        Tree(*(arrays[f"{number} {name}"] for name in Tree._fields))
        for number in range(len(arrays) // len(Tree._fields))
    ]


@dataclass(frozen=True)
class Queries:
    """features float32[q, d], points float32[q, dimensions], norms float64[q]."""

    features: Features
    points: Points
    norms: span.Floats

    @classmethod
    def of(cls, space: Space, features: Features) -> "Queries":
        return cls(features, span.points_of(space, features), span.norms_of(space, features))


@dataclass(frozen=True)
class Found:
    """Of every query its neighbours, the nearest first; leaves that were looked into."""

    distances: Distances
    places: Places
    leaves: int = 0


def by_trees(
    features: Features, space: Space, trees: Sequence[Tree], edges: Points, queries: Features,
    k: int, pool: Executor,
) -> Found:  # fmt: skip
    """The k nearest of the rows features float32[n, d], which the trees of all slabs hold."""
    asked = Queries.of(space, queries)
    distances, places = candidates.nothing_yet(len(queries), k)

    def search(block: tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]) -> int:
        slab, numbers, homes = block
        looked = 0
        for other in sorted(range(len(trees)), key=lambda one: abs(one - slab)):
            begin = homes if other == slab else np.full_like(homes, kd_search.NO_HOME)
            looked += kd_search.search(
                *trees[other], features, space.scale, numbers, begin,
                asked.points, asked.features, asked.norms, distances, places,
            )  # fmt: skip
        return looked

    looked = sum(pool.map(search, _blocks(trees, edges, asked.points, pool)))
    return Found(distances, places, looked)


def _blocks(
    trees: Sequence[Tree], edges: Points, points: Points, pool: Executor
) -> list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """(slab, numbers of queries, leaves where they lie): neighbours one after the other."""
    slabs = np.searchsorted(edges, points[:, 0], side="right")

    def of_slab(slab: int) -> list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        numbers = np.flatnonzero(slabs == slab)
        homes = kd_search.homes(trees[slab].boxes, trees[slab].firsts, points[numbers])
        order = np.argsort(homes, kind="stable")
        numbers, homes = numbers[order], homes[order]
        starts = range(0, len(numbers), BLOCK)
        return [(slab, numbers[s : s + BLOCK], homes[s : s + BLOCK]) for s in starts]

    return [block for of_one in pool.map(of_slab, range(len(trees))) for block in of_one]


def by_products(
    features: Features, space: Space, queries: Features, k: int, pool: Executor
) -> Found:
    """The k nearest of the rows features float32[n, d], by all distances."""
    asked = Queries.of(space, queries)
    distances, places = candidates.nothing_yet(len(queries), k)

    def search(start: int) -> None:
        here = slice(start, start + BLOCK)
        products.search(
            features, space, asked.features[here], asked.points[here], asked.norms[here],
            distances[here], places[here],
        )  # fmt: skip

    # Searches go on side by side, one in each thread: BLAS starts none of its own.
    with threadpool_limits(1, user_api="blas"):
        list(pool.map(search, range(0, len(queries), BLOCK)))
    return Found(distances, places)


def tried(queries: Features) -> Features:
    """Some of the queries, from all over them."""
    return queries[:: max(1, -(-len(queries) // TRIED))]


def trees_pay(rows: int, queries: int, dimensions: int) -> bool:
    """Whether trees of so many rows are built sooner than so many queries are answered without."""
    levels = max(rows, 2).bit_length()
    return queries * _of(PRODUCT_NS, dimensions) > levels * _of(BUILD_NS, dimensions)


def trees_are_faster(rows: int, dimensions: int, leaves_of_a_query: float) -> bool:
    by_trees = leaves_of_a_query * _of(LEAF_NS, dimensions)
    return by_trees <= rows * _of(PRODUCT_NS, dimensions)


def _of(cost: tuple[float, float], dimensions: int) -> float:
    return cost[0] + cost[1] * dimensions


def shares(places: Places, labels: npt.NDArray[np.int32], classes: int) -> span.Floats:
    """Of each query's k neighbours the share of every class, float64[q, classes].

    The first of the largest is the answer, as scikit-learn's: of equal votes the smaller class.
    """
    counts = np.zeros((len(places), classes))
    queries = np.arange(len(places))
    for neighbour in range(places.shape[1]):
        counts[queries, labels[places[:, neighbour]]] += 1
    return counts / places.shape[1]
