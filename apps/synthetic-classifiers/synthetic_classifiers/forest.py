"""scikit-learn's random forest, its trees shared out over workers: the same trees, the same bits.

Breiman 2001, "Random forests". Tree i of `RandomForestClassifier(n_estimators, random_state=seed)`
depends on all training rows in their order and on a seed of its own, which the forest draws for
its trees one after the other. So tree i is grown by worker i mod count, from the host's one copy of
the rows, and is the very tree that scikit-learn would grow, whoever grows it.

To predict, test rows travel to the trees and not trees to the rows: ten trees of a million nodes
are 800 MB, two million test rows of ten features 80 MB. A tree's probabilities are counted in whole
multiples of 2^-40, whose sum does not depend on the order of the trees.
"""

import io
from collections.abc import Sequence
from concurrent.futures import Executor

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from synthetic_classifiers.layout import Features, Labels

TREES = 10
UNITS = float(1 << 40)
"""Parts of a probability: up to 2^13 trees of them are whole numbers of a double float."""
BLOCK_ROWS = 1 << 14
"""Test rows that a thread takes through all trees at a time."""

Votes = npt.NDArray[np.int64]
"""Sums over trees, in parts of a probability, int64[rows, classes]."""


def seeds_of(seed: int, trees: int) -> list[int]:
    """What `RandomForestClassifier` seeds its trees with: `sklearn.base.clone`d one by one."""
    drawn = np.random.RandomState(seed).randint(np.iinfo(np.int32).max, size=trees)
    return [int(one) for one in drawn]


def grow_tree(
    features: Features, labels: npt.NDArray[np.float64], seed: int
) -> DecisionTreeClassifier:
    """A tree of a bootstrap sample: rows drawn n times of n count as often as they were drawn.

    features float32[n, d] in C order, which are read in place; labels float64[n].
    """
    rows = len(features)
    drawn = np.random.RandomState(seed).randint(0, rows, rows).astype(np.int32)
    counts = np.bincount(drawn, minlength=rows)
    del drawn
    tree = DecisionTreeClassifier(max_features="sqrt", random_state=seed)
    return tree.fit(features, labels, sample_weight=counts)


def grow(
    features: Features, labels: Labels, seeds: Sequence[int], pool: Executor
) -> list[DecisionTreeClassifier]:
    """The trees of these seeds, one in each thread at a time: growing lets other threads run."""
    as_floats = labels.astype(np.float64)
    return list(pool.map(lambda seed: grow_tree(features, as_floats, seed), seeds))


def votes(
    trees: Sequence[DecisionTreeClassifier], features: Features, classes: int, pool: Executor
) -> Votes:
    """What these trees, of any part of a forest, say of test rows float32[n, d]."""
    found = np.zeros((len(features), classes), np.int64)

    def of_block(start: int) -> None:
        block = features[start : start + BLOCK_ROWS]
        for tree in trees:
            shares = tree.predict_proba(block)
            found[start : start + BLOCK_ROWS] += np.rint(shares * UNITS).astype(np.int64)

    list(pool.map(of_block, range(0, len(features), BLOCK_ROWS)))
    return found


def probabilities(sums: Votes, trees: int) -> npt.NDArray[np.float64]:
    """Of the votes of all trees, float64[n, classes]."""
    return sums / (UNITS * trees)


def assembled(
    trees: Sequence[DecisionTreeClassifier], seed: int, classes: Labels, rows: int, features: int
) -> RandomForestClassifier:
    """The forest of these trees, in order: what `fit` of so many rows would have left."""
    forest = RandomForestClassifier(len(trees), random_state=seed)
    forest.estimator_ = DecisionTreeClassifier()
    forest.estimators_ = list(trees)
    forest.classes_ = classes
    forest.n_classes_ = len(forest.classes_)
    forest.n_outputs_, forest.n_features_in_ = 1, features
    forest._n_samples = forest._n_samples_bootstrap = rows
    forest._sample_weight = None
    return forest


def model_bytes(forest: RandomForestClassifier) -> bytes:
    """scikit-learn's own way to keep a model, for `joblib.load`: a pickle. The same version of
    scikit-learn reads it; and as reading it runs what stands in it, only from whom one trusts."""
    written = io.BytesIO()
    joblib.dump(forest, written)
    return written.getvalue()
