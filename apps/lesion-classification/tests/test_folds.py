"""Folds: no lesion on both sides, labels alike in all, the published ones those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_classification import folds
from sklearn.model_selection import KFold, StratifiedGroupKFold
from studykit.errors import DataError


def alternating(groups, of_group):
    """`groups` with as many images each, benign and malignant in turn."""
    group = np.repeat(np.arange(groups), of_group)
    return group % 2 == 1, group


@given(st.data(), st.integers(2, 6), st.integers(0, 2**64 - 1))
@settings(max_examples=150, deadline=None)
def test_a_lesion_is_in_one_fold_and_each_fold_tests_both_labels(data, count, seed):
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=2 * count, max_size=40))
    group = data.draw(st.permutations(np.repeat(np.arange(len(sizes)), sizes).tolist()))
    group = np.array(group)
    # Some lesions have images of both labels, as some records do.
    label = (group % 2 == 1) ^ np.array(data.draw(st.lists(
        st.booleans(), min_size=len(group), max_size=len(group)))) & (group % 7 == 0)  # fmt: skip
    try:
        found = folds.grouped(label, group, count, seed)
    except DataError:
        return
    fold_of: dict[int, int] = {}
    for one, own in zip(group.tolist(), found.tolist(), strict=True):
        assert fold_of.setdefault(one, own) == own
    assert folds.shared_groups(found, group) == 0
    for fold in range(count):
        assert set(label[found == fold]) == {False, True}


@pytest.mark.parametrize("count", [2, 3, 10])
def test_groups_of_one_size_are_dealt_evenly(count):
    labels, groups = alternating(20 * count, 3)
    found = folds.grouped(labels, groups, count, 42)
    for label in (False, True):
        assert np.bincount(found[labels == label]).tolist() == [30] * count


def test_folds_are_as_even_as_those_of_scikit_learn():
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(600), random.geometric(0.25, 600))
    labels = (random.random(600) < 0.3)[groups]
    mine = folds.grouped(labels, groups, 10, 42)
    other = np.empty(len(groups), int)
    split = StratifiedGroupKFold(10, shuffle=True, random_state=42).split(groups, labels, groups)
    for fold, (_, tested) in enumerate(split):
        other[tested] = fold

    def spread(found):
        return max(np.ptp(np.bincount(found[labels == label])) for label in (False, True))

    assert spread(mine) <= max(spread(other), 3)


def test_another_seed_deals_otherwise_and_the_same_seed_alike():
    labels, groups = alternating(60, 2)
    one, again, other = (folds.grouped(labels, groups, 5, seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_published_folds_are_those_of_the_paper():
    labels, groups = alternating(37, 3)
    found = folds.made(folds.PUBLISHED, labels, groups, 10, seed=5)
    expected = KFold(10, shuffle=True, random_state=21).split(labels)
    for fold, (_, tested) in enumerate(expected):
        assert np.flatnonzero(found == fold).tolist() == sorted(tested)
    assert folds.shared_groups(found, groups) > 30


@pytest.mark.parametrize(
    "labels, groups, told",
    [
        (*alternating(9, 4), "10 folds need as many lesions or records: there are 9"),
        (np.arange(12) == 3, np.arange(12), "images that are malignant: there are 1"),
        (np.arange(12) != 3, np.arange(12), "images that are benign: there are 1"),
        (np.ones(12, bool), np.arange(12), "one class only: all 12 images are malignant"),
        (np.zeros(12, bool), np.arange(12), "one class only: all 12 images are benign"),
        (np.zeros(0, bool), np.zeros(0, int), "no image that can be used"),
    ],
)
def test_too_little_data_is_refused_by_name(labels, groups, told):
    with pytest.raises(DataError, match=told):
        folds.made(folds.GROUPED, labels, groups, 10, 42)


@pytest.mark.parametrize(
    "labels, told",
    [
        (np.ones(12, bool), "one class only"),
        (np.arange(9) % 2 == 1, "10 folds need as many images: there are 9"),
        (np.arange(12) == 3, "have one label only"),
    ],
)
def test_published_folds_of_too_little_are_refused(labels, told):
    with pytest.raises(DataError, match=told):
        folds.made(folds.PUBLISHED, labels, np.arange(len(labels)), 10, 42)
