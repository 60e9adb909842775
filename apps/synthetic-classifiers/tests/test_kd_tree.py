"""The tree: every row once, in boxes that hold it, in leaves that are about full."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_tables import table
from synthetic_classifiers import kd_search, kd_tree
from synthetic_classifiers.kd_tree import LEAF, NOBODY, WIDTH


def built(points, features=None, k=5):
    rows = np.arange(len(points), dtype=np.int32)
    return kd_tree.build(points.copy(), rows, points if features is None else features, k)


@settings(deadline=None)
@given(
    st.integers(0, 3000),
    st.integers(1, 5),
    st.integers(0, 100),
    st.sampled_from(["normal", "grid"]),
)
def test_every_point_lies_in_one_leaf_and_in_all_boxes_above(count, dimensions, seed, kind):
    points = table(count + 3, dimensions, 0, seed, kind)[3:]
    tree = built(points, k=3000)
    held = tree.rows != NOBODY
    assert sorted(tree.rows[held].tolist()) == list(range(count))
    np.testing.assert_array_equal(tree.points.transpose(0, 2, 1)[held], points[tree.rows[held]])
    assert np.isinf(tree.points.transpose(0, 2, 1)[~held]).all()
    assert len(tree.rows) * LEAF < max(4 * count, 2 * LEAF)
    for leaf in range(len(tree.rows)):
        node = leaf
        for level in range(len(tree.firsts) - 2, -1, -1):
            box = tree.boxes[tree.firsts[level] + node // WIDTH, :, :, node % WIDTH]
            there = points[tree.rows[leaf][held[leaf]]]
            assert (there >= box[:, 0]).all() and (there <= box[:, 1]).all()
            node //= WIDTH


def test_boxes_are_as_small_as_what_lies_in_them():
    points = table(20_000, 3)
    tree = built(points)
    top = tree.boxes[0]
    np.testing.assert_array_equal(top[:, 0].min(axis=1), points.min(axis=0))
    np.testing.assert_array_equal(top[:, 1].max(axis=1), points.max(axis=0))
    leaves = tree.boxes[tree.firsts[-2] :]
    sizes = (leaves[:, :, 1] - leaves[:, :, 0]).transpose(0, 2, 1).reshape(-1, 3)
    assert np.median(sizes) < 0.2 * np.ptp(points, axis=0).min()


@pytest.mark.parametrize("order", ["ascending", "descending", "equal halves", "organ pipe"])
def test_points_in_any_order_are_divided(order):
    values = np.arange(5000, dtype=np.float32)
    values = {
        "ascending": values,
        "descending": values[::-1],
        "equal halves": values // 2500,
        "organ pipe": np.minimum(values, values[::-1]),
    }[order]
    tree = built(np.ascontiguousarray(values[:, None]), k=5000)
    leaves = [values[own[own != NOBODY]] for own in tree.rows]
    for before, after in itertools.pairwise(leaves):
        assert before.max() <= after.min()


def test_of_more_equal_rows_than_a_leaf_holds_the_first_k_stay():
    points = np.zeros((10_000, 2), np.float32)
    points[5000:] = 1
    tree = built(points, k=7)
    kept = sorted(tree.rows[tree.rows != NOBODY].tolist())
    assert kept[:7] == list(range(7)) and [row for row in kept if row >= 5000][:7] == list(
        range(5000, 5007)
    )
    assert len(kept) < 200


def test_equal_points_of_different_rows_all_stay():
    """What the smaller space leaves out tells them apart."""
    points = np.zeros((1000, 1), np.float32)
    features = np.hstack([points, np.arange(1000, dtype=np.float32)[:, None]])
    tree = built(points, features, k=3)
    assert (tree.rows != NOBODY).sum() == 1000


def test_a_point_of_the_tree_is_at_home_in_a_leaf_whose_box_holds_it():
    points = table(5000, 4)
    tree = built(points)
    homes = kd_search.homes(tree.boxes, tree.firsts, points)
    leaves = tree.boxes[tree.firsts[-2] :].transpose(0, 3, 1, 2).reshape(-1, 4, 2)
    assert (points >= leaves[homes][:, :, 0]).all() and (points <= leaves[homes][:, :, 1]).all()
