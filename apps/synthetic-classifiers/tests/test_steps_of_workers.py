"""Neighbours and forest by 1, 2 and 3 workers on one host or several: the same answers."""

import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from neighbour_tables import POOL, space_of, table
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from studykit.errors import DataError
from synthetic_classifiers import kd_search, nearest, neighbours, products, random_forest, span

ROWS, TESTS = 20_000, 400
PLACES = {"one": "a", "two": "aa", "three": "aaa", "two hosts": "aba", "three hosts": "abc"}


class Here:
    """Workers of one process that believe themselves on these hosts."""

    def __init__(self, places, features, labels, threads=2):
        self.places, self.steps = places, []
        tests, trains = features[:TESTS], features[TESTS:]
        self.workers = [
            types.SimpleNamespace(
                number=number,
                count=len(places),
                threads=threads,
                pool=ThreadPoolExecutor(threads),
                kept={},
                train=types.SimpleNamespace(features=trains[number :: len(places)]),
                test=types.SimpleNamespace(features=tests[number :: len(places)]),
                host_features=trains,
                host_labels=labels[TESTS:],
            )
            for number in range(len(places))
        ]

    def on_all(self, step, *arguments):
        self.steps.append(step.__name__)
        return [step(worker, *arguments) for worker in self.workers]

    def share(self, make, *arguments):
        made = self.on_all(make, *arguments)
        for worker in self.workers:
            mine = self.places[worker.number]
            worker.kept["arrays"] = [
                arrays for arrays, place in zip(made, self.places, strict=True) if place == mine
            ]

    def together(self, parts):
        """Results for the workers' own test samples, in the order of all."""
        whole = np.empty((TESTS, parts[0].shape[1]))
        for number, part in enumerate(parts):
            whole[number :: len(self.workers)] = part
        return whole


@pytest.fixture(scope="module")
def samples():
    features = table(ROWS + TESTS, 5, 5, seed=6)
    labels = (features[:, 0] > 0).astype(np.int32) + (features[:, 7] > 1)
    return features, labels.astype(np.int32)


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_neighbours_of_any_workers_vote_as_scikit_learns(samples, places):
    here = Here(places, *samples)
    model = neighbours.fitted(here.on_all, here.share, places, ROWS, 10**6, 5)
    found = here.together(here.on_all(neighbours.probabilities, model, 3))
    peer = KNeighborsClassifier().fit(samples[0][TESTS:], samples[1][TESTS:])
    np.testing.assert_array_equal(found, peer.predict_proba(samples[0][:TESTS]))
    assert model.facts.pop("leaves_of_a_query") > 1
    assert model.facts == {"features": 10, "dimensions": 5, "search": "trees"}
    held = sum((arrays["0 rows"] >= 0).sum() + (arrays["1 rows"] >= 0).sum()
               for arrays in here.workers[0].kept["arrays"])  # fmt: skip
    assert held == ROWS, "the trees of one host hold each row once"


def test_few_queries_are_answered_without_trees(samples):
    here = Here("aa", *samples)
    model = neighbours.fitted(here.on_all, here.share, "aa", ROWS, TESTS, 5)
    assert (model.facts["search"], model.by_trees) == ("products", False)
    assert "_trees" not in here.steps
    found = here.together(here.on_all(neighbours.probabilities, model, 3))
    peer = KNeighborsClassifier().fit(samples[0][TESTS:], samples[1][TESTS:])
    np.testing.assert_array_equal(found, peer.predict_proba(samples[0][:TESTS]))


def test_in_many_dimensions_products_are_faster_than_the_trees_that_were_tried():
    features = table(2400, 40)
    labels = (features[:, 0] > 0).astype(np.int32)
    here = Here("a", features, labels)
    model = neighbours.fitted(here.on_all, here.share, "a", 2000, 10**6, 5)
    assert model.facts["search"] == "products"
    assert "_tried" in here.steps
    found = here.together(here.on_all(neighbours.probabilities, model, 2))
    peer = KNeighborsClassifier(algorithm="kd_tree").fit(features[TESTS:], labels[TESTS:])
    np.testing.assert_array_equal(found, peer.predict_proba(features[:TESTS]))


def test_too_many_neighbours_are_an_error_before_anything_is_done(samples):
    here = Here("a", *samples)
    with pytest.raises(DataError, match="20000 neighbours need more"):
        neighbours.fitted(here.on_all, here.share, "a", ROWS, 10, ROWS)
    assert here.steps == []


@pytest.mark.parametrize("places", PLACES.values(), ids=PLACES)
def test_the_forest_is_scikit_learns_whatever_the_workers(samples, places):
    here = Here(places, *samples)
    facts = random_forest.grown(here.on_all, 42, 5)
    found = here.together(random_forest.predicted(here.on_all, 3, 5))
    peer = RandomForestClassifier(5, random_state=42).fit(samples[0][TESTS:], samples[1][TESTS:])
    np.testing.assert_allclose(found, peer.predict_proba(samples[0][:TESTS]), atol=1e-12)
    assert facts == {"trees": 5, "nodes": sum(t.tree_.node_count for t in peer.estimators_)}
    made = random_forest.collected(here.on_all, 42, 5)
    assert [tree.tree_.__getstate__()["nodes"].tobytes() for tree in made.estimators_] == [
        tree.tree_.__getstate__()["nodes"].tobytes() for tree in peer.estimators_
    ]


def test_warming_up_meets_the_kernels_of_a_search(samples):
    """Nothing is compiled when the clock runs."""
    neighbours.warm_up()
    kernels: list[Any] = [
        kd_search.search, kd_search.homes, products._keep, span._turn, span._measure,
        nearest._inside,
    ]  # fmt: skip
    before = [len(kernel.signatures) for kernel in kernels]
    here = Here("aa", *samples)
    model = neighbours.fitted(here.on_all, here.share, "aa", ROWS, 10**6, 5)
    here.on_all(neighbours.probabilities, model, 3)
    nearest.by_products(samples[0], space_of(samples[0]), samples[0][:9], 5, POOL)
    assert [len(kernel.signatures) for kernel in kernels] == before
    assert min(before) > 0
