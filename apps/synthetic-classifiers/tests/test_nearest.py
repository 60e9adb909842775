"""Both ways of searching against a full sort of all distances; votes against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_tables import (
    KINDS,
    POOL,
    WAYS,
    found_by_trees,
    sorted_out,
    space_of,
    table,
)
from sklearn.datasets import make_classification
from sklearn.neighbors import KNeighborsClassifier
from studykit.errors import DataError
from synthetic_classifiers import nearest


def assert_same(found, expected):
    np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(found[0], expected[0])


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(WAYS)), st.sampled_from(KINDS), st.integers(2, 300), st.integers(1, 6),
    st.integers(0, 3), st.integers(1, 12), st.integers(1, 3), st.integers(0, 1000),
)  # fmt: skip
def test_the_nearest_are_those_of_a_full_sort(
    way, kind, rows, dimensions, redundant, k, workers, seed
):
    """A grid has many equal distances and equal rows, whose numbers decide."""
    whole = table(rows + 20, dimensions, redundant, seed, kind)
    features, queries, k = whole[20:], whole[:20], min(k, rows - 1)
    assert_same(WAYS[way](features, queries, k, workers), sorted_out(queries, features, k))


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("dimensions", "redundant"), [(5, 5), (10, 0), (2, 30)])
def test_of_many_rows_over_blocks_leaves_and_levels(way, kind, dimensions, redundant):
    whole = table(6000, dimensions, redundant, 3, kind)
    features, queries = whole[600:], whole[:600]
    assert_same(WAYS[way](features, queries, 5, 2), sorted_out(queries, features, 5))


@pytest.mark.parametrize("way", sorted(WAYS))
def test_all_rows_but_one_may_be_asked_for(way):
    whole = table(203)
    features, queries = whole[:101], whole[101:]
    assert_same(WAYS[way](features, queries, 100), sorted_out(queries, features, 100))


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("count", [2, 40, 3000])
def test_of_rows_that_are_all_equal_the_first_are_nearest(way, count):
    """They span nothing; queries lie elsewhere."""
    features = np.full((count, 3), 0.1, np.float32)
    k = min(5, count - 1)
    found = WAYS[way](features, table(7, 3), k, 2)
    assert found[1].tolist() == [list(range(k))] * 7


@pytest.mark.parametrize("way", sorted(WAYS))
def test_rows_that_are_equal_but_for_what_the_smaller_space_leaves_out(way):
    """The second feature differs by a millionth of the first's spread: no axis of the space."""
    features = np.zeros((4000, 2), np.float32)
    features[:2, 0] = -1, 1
    features[:, 1] = np.random.default_rng(0).permutation(4000) * 1e-9
    assert space_of(features).dimensions == 1
    queries = features[::37] + np.array([0, 3e-10], np.float32)
    assert_same(WAYS[way](features, queries, 5, 3), sorted_out(queries, features, 5))


@pytest.mark.parametrize("way", sorted(WAYS))
def test_no_queries_and_one_query(way):
    features = table(100)
    assert WAYS[way](features, features[:0], 5)[1].shape == (0, 5)
    assert_same(WAYS[way](features, features[7:8], 5), sorted_out(features[7:8], features, 5))


@pytest.mark.parametrize("way", sorted(WAYS))
def test_a_query_far_beyond_single_floats_of_the_space_has_neighbours(way):
    features = table(500, kind="tiny")
    queries = np.full((2, 5), 3e38, np.float32)
    queries[1] = -1e10
    assert_same(WAYS[way](features, queries, 5, 2), sorted_out(queries, features, 5))


def test_a_leaf_of_a_query_is_found_among_few():
    """What a tree is for: 5 of 10 features span all, of 20,000 rows a query looks into some."""
    features = table(20_000, 5, 5)
    space = space_of(features)
    edges = nearest.slab_edges(space, features, 1)
    trees = [nearest.grow(features, space, edges, 0, 5)]
    found = nearest.by_trees(features, space, trees, edges, features[::10], 5, POOL)
    assert space.dimensions == 5
    assert found.leaves / 2000 < 40 < len(trees[0].rows)


@pytest.mark.parametrize(("classes", "redundant"), [(2, 5), (2, 0), (3, 5)])
@pytest.mark.parametrize("k", [1, 4, 5])
def test_predictions_are_scikit_learns_row_by_row(classes, redundant, k):
    features, labels = make_classification(
        6000, 10, n_informative=10 - redundant, n_redundant=redundant, n_classes=classes,
        flip_y=0.1, random_state=1,
    )  # fmt: skip
    features, labels = features.astype(np.float32), labels.astype(np.int32)
    train, queries = features[:5000], features[5000:]
    _, places = found_by_trees(train, queries, k, workers=3)
    shares = nearest.shares(places, labels[:5000], classes)
    peer = KNeighborsClassifier(k).fit(train, labels[:5000])
    np.testing.assert_array_equal(shares, peer.predict_proba(queries))
    np.testing.assert_array_equal(shares.argmax(axis=1), peer.predict(queries))


def test_of_equal_votes_the_smaller_class_is_the_answer():
    places, labels = np.array([[0, 1], [2, 1]]), np.array([1, 0, 2], np.int32)
    shares = nearest.shares(places, labels, 3)
    assert shares.tolist() == [[0.5, 0.5, 0], [0.5, 0, 0.5]]
    peer = KNeighborsClassifier(2).fit([[0.0], [1.0], [3.0]], labels)
    assert peer.predict([[0.4], [2.1]]).tolist() == shares.argmax(axis=1).tolist() == [0, 0]


@pytest.mark.parametrize(("k", "rows"), [(5, 5), (5, 4), (1, 1)])
def test_no_more_training_rows_than_neighbours_is_an_error(k, rows):
    with pytest.raises(DataError, match=f"{k} neighbours need more than {k} .* there are {rows}"):
        nearest.require(k, rows)
    nearest.require(k, k + 1)


def test_the_way_is_chosen_by_rows_queries_and_dimensions():
    assert nearest.trees_pay(4_000_000, 1_000_000, 5)
    assert not nearest.trees_pay(4_000_000, 100, 5)
    assert nearest.trees_are_faster(400_000, 5, 16.2)
    assert nearest.trees_are_faster(400_000, 10, 197)
    assert not nearest.trees_are_faster(200_000, 15, 2481)
    assert not nearest.trees_are_faster(40, 2, 2)


def test_queries_are_tried_from_all_over():
    queries = table(1000)
    few = nearest.tried(queries)
    assert len(few) <= nearest.TRIED < 2 * len(few)
    assert few[-1].tolist() in queries[900:].tolist()
    assert len(nearest.tried(queries[:3])) == 3
