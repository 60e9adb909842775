"""The forest, tree by tree and bit by bit, against scikit-learn's own."""

import io
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree._tree import DepthFirstTreeBuilder
from synthetic_classifiers import forest

POOL = ThreadPoolExecutor(2)
TREES = 7


def table(classes=2, rows=900):
    """With equal rows of different labels, so that leaves are not pure, and in single floats."""
    features, labels = make_classification(
        rows, 10, n_informative=5, n_redundant=5, n_classes=classes, flip_y=0.1, random_state=2
    )
    features[: rows // 3] = features[rows // 3 : 2 * (rows // 3)]
    return np.ascontiguousarray(features, np.float32), labels.astype(np.int32)


def dealt_out(features, labels, workers, seed=42):
    """The trees as so many workers grow them, {number of a tree: the tree}."""
    seeds = forest.seeds_of(seed, TREES)
    return [
        dict(
            zip(
                range(worker, TREES, workers),
                forest.grow(features, labels, seeds[worker::workers], POOL),
                strict=True,
            )
        )
        for worker in range(workers)
    ]


def in_order(dealt):
    trees = {number: tree for own in dealt for number, tree in own.items()}
    return [trees[number] for number in range(TREES)]


def bits(tree):
    state = tree.tree_.__getstate__()
    return state["nodes"].tobytes(), state["values"].tobytes(), tree.random_state


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_trees_are_scikit_learns_whoever_grows_them(classes, workers):
    features, labels = table(classes)
    peer = RandomForestClassifier(TREES, random_state=42).fit(features, labels)
    trees = in_order(dealt_out(features, labels, workers))
    assert [bits(tree) for tree in trees] == [bits(tree) for tree in peer.estimators_]


def test_another_seed_grows_other_trees():
    features, labels = table()
    assert bits(forest.grow(features, labels, forest.seeds_of(1, 1), POOL)[0]) != bits(
        forest.grow(features, labels, forest.seeds_of(2, 1), POOL)[0]
    )


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_seeds_are_those_that_scikit_learn_draws(seed):
    peer = RandomForestClassifier(5, random_state=seed).fit(*table(rows=30))
    assert forest.seeds_of(seed, 5) == [tree.random_state for tree in peer.estimators_]


def test_trees_of_rows_with_missing_features_are_scikit_learns():
    features, labels = table()
    features[::7, 3] = np.nan
    peer = RandomForestClassifier(TREES, random_state=42).fit(features, labels)
    trees = in_order(dealt_out(features, labels, 2))
    assert [bits(tree) for tree in trees] == [bits(tree) for tree in peer.estimators_]


def test_rows_are_read_in_place(monkeypatch):
    """One copy on a host serves all its workers: nobody may write to it, or hold another."""
    features, labels = table()
    features.setflags(write=False)
    labels.setflags(write=False)
    given = []

    class Watched(DepthFirstTreeBuilder):  # type: ignore[misc]
        def build(self, tree, rows, *rest):
            given.append(np.shares_memory(rows, features))
            return super().build(tree, rows, *rest)

    monkeypatch.setattr("sklearn.tree._classes.DepthFirstTreeBuilder", Watched)
    forest.grow(features, labels, [1, 2], POOL)
    assert given == [True, True]


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_have_the_same_bits_whoever_has_the_trees(classes):
    features, labels = table(classes)
    train, tests = features[:600], np.ascontiguousarray(features[600:])
    found = []
    for workers in (1, 2, 3):
        dealt = dealt_out(train, labels[:600], workers)
        sums = [forest.votes(list(own.values()), tests, classes, POOL) for own in dealt]
        found.append(forest.probabilities(sum(sums[1:], sums[0]), TREES))
    peer = RandomForestClassifier(TREES, random_state=42).fit(train, labels[:600])
    expected = peer.predict_proba(tests)
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()
    np.testing.assert_allclose(found[0], expected, rtol=0, atol=1e-12)
    assert (expected * TREES % 1 > 0.01).sum() > 0, "no leaf with several classes: nothing tested"


def test_votes_of_more_rows_than_a_block_are_those_of_each_row():
    features, labels = table()
    trees = forest.grow(features, labels, [3, 4], POOL)
    many = np.tile(features, (40, 1))
    assert len(many) > 2 * forest.BLOCK_ROWS
    once = forest.votes(trees, features, 2, POOL)
    np.testing.assert_array_equal(forest.votes(trees, many, 2, POOL), np.tile(once, (40, 1)))
    assert (once.sum(axis=1) == 2 * int(forest.UNITS)).all()
    assert forest.votes(trees, features[:0], 2, POOL).shape == (0, 2)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_model_is_the_forest_that_fit_leaves(classes):
    features, labels = table(classes)
    trees = in_order(dealt_out(features, labels, 2))
    made = forest.assembled(trees, 42, np.unique(labels), *features.shape)
    peer = RandomForestClassifier(TREES, random_state=42).fit(features, labels)
    assert sorted(vars(made)) == sorted(vars(peer))
    read = joblib.load(io.BytesIO(forest.model_bytes(made)))
    np.testing.assert_array_equal(read.predict(features), peer.predict(features))
    np.testing.assert_array_equal(read.predict_proba(features), peer.predict_proba(features))
    np.testing.assert_array_equal(read.feature_importances_, peer.feature_importances_)
    for drawn, expected in zip(read.estimators_samples_, peer.estimators_samples_, strict=True):
        np.testing.assert_array_equal(drawn, expected)
