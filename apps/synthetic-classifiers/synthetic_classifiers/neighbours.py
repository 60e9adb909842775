"""k nearest neighbours by all workers: the space that rows span, the trees of each host, the votes.

A worker has `train` and `test` samples of its own, `host_features` and `host_labels`, the host's
one copy of all training samples in their order, a `pool` of `threads` threads, and what it `kept`:
there "arrays" are what each worker of its host made for all of them, in the workers' order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic_classifiers import nearest, span
from synthetic_classifiers.layout import Features
from synthetic_classifiers.nearest import Found
from synthetic_classifiers.span import Floats, Moments, Space
from synthetic_classifiers.team import OnAll
from synthetic_classifiers.worker import Worker


@dataclass(frozen=True)
class Neighbours:
    """What a worker has to know to answer. places: where memory is shared, of every worker."""

    k: int
    space: Space
    places: Sequence[str]
    by_trees: bool
    facts: dict[str, Any]


def fitted(
    on_all: OnAll, share: Callable[..., Any], places: Sequence[str], rows: int, tests: int, k: int
) -> Neighbours:
    """Of `rows` training samples, asked `tests` times. `share` is `on_all` for a step that returns
    arrays: after it every worker has kept those of its host's workers.

    DataError where there are not more than k rows, or a feature is missing.
    """
    nearest.require(k, rows)
    reference = on_all(_first)[0]
    space = span.smaller_space(Moments.total(on_all(_moments, reference)), reference)
    by_trees = nearest.trees_pay(rows, tests, space.dimensions)
    facts: dict[str, Any] = {"features": len(reference), "dimensions": space.dimensions}
    if by_trees:
        share(_trees, space, places, k)
        tried = on_all(_tried, space, places, k)
        leaves = sum(looked for looked, _ in tried) / max(1, sum(count for _, count in tried))
        by_trees = nearest.trees_are_faster(rows, space.dimensions, leaves)
        facts["leaves_of_a_query"] = leaves
    facts["search"] = "trees" if by_trees else "products"
    return Neighbours(k, space, places, by_trees, facts)


def probabilities(worker: Worker, model: Neighbours, classes: int) -> Floats:
    """Of a worker's test samples the shares of each class among the neighbours, float64[n, K]."""
    found = _found(worker, model, worker.test.features)
    return nearest.shares(found.places, worker.host_labels, classes)


def _found(worker: Worker, model: Neighbours, queries: Features) -> Found:
    features, space = worker.host_features, model.space.own()
    if not model.by_trees:
        return nearest.by_products(features, space, queries, model.k, worker.pool)
    trees = [tree for arrays in worker.kept["arrays"] for tree in nearest.trees_of(arrays)]
    edges = nearest.slab_edges(space, features, len(trees))
    return nearest.by_trees(features, space, trees, edges, queries, model.k, worker.pool)


def _first(worker: Worker) -> Features:
    """A training row, the same on every host."""
    first: Features = worker.host_features[0].copy()
    return first


def _moments(worker: Worker, reference: Features) -> Moments:
    return span.moments(worker.train.features, reference, worker.pool)


def _trees(
    worker: Worker, space: Space, places: Sequence[str], k: int
) -> dict[str, npt.NDArray[Any]]:
    """Of a worker's own slabs, one for each of its threads."""
    space = space.own()
    mates = [number for number, place in enumerate(places) if place == places[worker.number]]
    edges = nearest.slab_edges(space, worker.host_features, len(mates) * worker.threads)
    first = mates.index(worker.number) * worker.threads
    return nearest.arrays_of(
        list(
            worker.pool.map(
                lambda slab: nearest.grow(worker.host_features, space, edges, slab, k),
                range(first, first + worker.threads),
            )
        )
    )


def _tried(worker: Worker, space: Space, places: Sequence[str], k: int) -> tuple[int, int]:
    """Leaves that some of the test samples look into, and how many samples."""
    queries = nearest.tried(worker.test.features)
    found = _found(worker, Neighbours(k, space, places, True, {}), queries)
    return found.leaves, len(queries)


def warm_up() -> None:
    """Meet every kernel, as a search would."""
    features = np.arange(40, dtype=np.float32).reshape(20, 2)
    with ThreadPoolExecutor(1) as pool:
        space = span.smaller_space(span.moments(features, features[0], pool), features[0])
        edges = nearest.slab_edges(space, features, 1)
        trees = [nearest.grow(features, space, edges, 0, 1)]
        nearest.by_trees(features, space, trees, edges, features, 1, pool)
        nearest.by_products(features, space, features, 1, pool)
