"""Tables of samples that are hard on a search, and the nearest by a full sort of all distances."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from synthetic_classifiers import nearest, span

POOL = ThreadPoolExecutor(2)


def table(rows, dimensions=5, redundant=0, seed=0, kind="normal"):
    """float32[rows, dimensions + redundant]: `redundant` combinations of the others come after."""
    rng = np.random.default_rng(seed)
    if kind == "grid":
        values = rng.integers(0, 3, (rows, dimensions)).astype(float)
    else:
        values = rng.standard_normal((rows, dimensions))
    if kind == "far":
        values += 1e6 * rng.standard_normal(dimensions)
    if kind == "outlier":
        values[0], values[rows // 2] = 1e30, -1e25
    if kind == "tiny":
        values *= 1e-30
    if kind == "huge":
        values *= 1e37
    combined = values @ rng.uniform(-1, 1, (dimensions, redundant))
    return np.hstack([values, combined]).astype(np.float32)


def sorted_out(queries, rows, k):
    """Squared distances and rows of the k nearest, of equal ones the first."""
    distances = np.zeros((len(queries), len(rows)))
    for feature in range(rows.shape[1]):
        distances += np.subtract.outer(queries[:, feature].astype(float), rows[:, feature]) ** 2
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def space_of(features, parts=1):
    """As so many workers find it, each from its rows."""
    found = [span.moments(own, features[0], POOL) for own in np.array_split(features, parts)]
    return span.smaller_space(span.Moments.total(found), features[0])


def found_by_trees(features, queries, k, workers=1):
    """As workers of one host search: each grows two trees, each asks for some of the queries."""
    space, slabs = space_of(features, workers), 2 * workers
    edges = nearest.slab_edges(space, features, slabs)
    grown = [
        nearest.arrays_of(
            [nearest.grow(features, space, edges, slab, k) for slab in (2 * w, 2 * w + 1)]
        )
        for w in range(workers)
    ]
    trees = [tree for arrays in grown for tree in nearest.trees_of(arrays)]
    found = [
        nearest.by_trees(features, space, trees, edges, own, k, POOL)
        for own in np.array_split(queries, workers)
    ]
    return [
        np.concatenate([getattr(one, name) for one in found]) for name in ("distances", "places")
    ]


def found_by_products(features, queries, k, workers=1):
    space = space_of(features, workers)
    found = [
        nearest.by_products(features, space, own, k, POOL)
        for own in np.array_split(queries, workers)
    ]
    return [
        np.concatenate([getattr(one, name) for one in found]) for name in ("distances", "places")
    ]


WAYS = {"trees": found_by_trees, "products": found_by_products}
KINDS = ["normal", "grid", "far", "outlier", "tiny", "huge"]
