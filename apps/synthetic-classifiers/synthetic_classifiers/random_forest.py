"""The random forest by all workers: each grows trees of its own, and says what they say of all.

A worker has `host_features` and `host_labels`, the host's one copy of all training samples in their
order, `test` samples of its own, a `pool` of threads, and keeps its trees under "trees".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from synthetic_classifiers import forest
from synthetic_classifiers.forest import Votes
from synthetic_classifiers.layout import Features
from synthetic_classifiers.team import OnAll
from synthetic_classifiers.worker import Worker


def grown(on_all: OnAll, seed: int, trees: int) -> dict[str, Any]:
    """Every worker has its trees: tree i of the forest is with worker i mod count. Facts."""
    nodes = on_all(_grow, seed, trees)
    return {"trees": trees, "nodes": sum(map(sum, nodes))}


def predicted(on_all: OnAll, classes: int, trees: int) -> list[npt.NDArray[np.float64]]:
    """Probabilities of every worker's test samples, float64[n, classes] each."""
    tests: list[Features] = on_all(_tests)
    sums = on_all(_votes, tests, classes)
    shares = forest.probabilities(np.sum(sums, axis=0), trees)
    return np.split(shares, np.cumsum([len(own) for own in tests])[:-1])


def collected(on_all: OnAll, seed: int, trees: int) -> RandomForestClassifier:
    """scikit-learn's forest of the trees of all workers, which all come here."""
    kept = on_all(_trees)
    classes, rows, features = on_all(_shape)[0]
    in_order = [kept[number % len(kept)][number // len(kept)] for number in range(trees)]
    return forest.assembled(in_order, seed, classes, rows, features)


def _grow(worker: Worker, seed: int, trees: int) -> list[int]:
    """Nodes of each of the worker's trees."""
    seeds = forest.seeds_of(seed, trees)[worker.number :: worker.count]
    grown = forest.grow(worker.host_features, worker.host_labels, seeds, worker.pool)
    worker.kept["trees"] = grown
    return [tree.tree_.node_count for tree in grown]


def _tests(worker: Worker) -> Features:
    features: Features = worker.test.features
    return features


def _votes(worker: Worker, tests: Sequence[Features], classes: int) -> Votes:
    """What the worker's trees say of all workers' test samples."""
    return np.concatenate(
        [forest.votes(worker.kept["trees"], own, classes, worker.pool) for own in tests]
    )


def _trees(worker: Worker) -> list[DecisionTreeClassifier]:
    trees: list[DecisionTreeClassifier] = worker.kept["trees"]
    return trees


def first_tree(worker: Worker) -> DecisionTreeClassifier | None:
    """Of the forest: the first of worker 0."""
    return None if worker.number else worker.kept["trees"][0]


def _shape(worker: Worker) -> tuple[npt.NDArray[np.int32], int, int]:
    """Classes, training rows and features."""
    rows, features = worker.host_features.shape
    return np.unique(worker.host_labels), rows, features
