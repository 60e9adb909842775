"""Fold by fold: the same weights wherever, a signal found, noise not, a leak seen."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from lesion_classification import cross_validation, folds
from lesion_classification.classifier import Settings
from lesion_classification.cross_validation import Data, train_fold, train_folds
from made_lesions import made
from studykit.errors import DataError


def data(lesions, features, kind=folds.GROUPED, count=4, **settings):
    assigned = folds.made(kind, lesions.labels, lesions.groups, count, 42)
    return Data(features, lesions, assigned, Settings(**settings))


def quality(*given, **asked):
    of = data(*given, **asked)
    return cross_validation.quality(train_folds(range(of.count), of, 2), of)


def largest_difference(one, other):
    pairs = zip(one.model.weights.values(), other.model.weights.values(), strict=True)
    return max(np.abs(mine - others).max() for mine, others in pairs)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_a_fold_has_the_same_weights_whatever_the_threads(threads):
    of = data(*made(width=2048), epochs=3)
    alone = train_folds(range(4), of, 1)
    beside = train_folds(range(4), of, 3)
    threads(2)
    by_itself = train_fold(2, of)
    assert torch.get_num_threads() == 2
    for one, other in [*zip(alone, beside, strict=True), (alone[2], by_itself)]:
        assert largest_difference(one, other) <= 1e-6
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)


SCRIPT = """
import sys, pickle
from lesion_classification.cross_validation import train_fold
sys.stdout.buffer.write(pickle.dumps(train_fold(1, pickle.load(sys.stdin.buffer))))
"""


def test_a_fold_has_the_same_weights_in_another_process():
    import pickle

    of = data(*made(), epochs=3)
    sent = subprocess.run(
        [sys.executable, "-c", SCRIPT], input=pickle.dumps(of), stdout=subprocess.PIPE, check=True
    )
    assert largest_difference(train_fold(1, of), pickle.loads(sent.stdout)) <= 1e-6


def test_another_seed_and_another_fold_learn_otherwise():
    lesions, features = made()
    one = train_fold(0, data(lesions, features))
    assert largest_difference(one, train_fold(0, data(lesions, features, seed=1))) > 1e-3
    assert largest_difference(one, train_fold(1, data(lesions, features))) > 1e-3


def test_a_signal_is_found():
    found = quality(*made(groups=200, signal=0.5))
    assert found["auc"] >= 0.9
    assert found["auc"] > found["auc_std"] > 0
    assert found["folds"] == 4 and found["groups"] == 200 and found["groups_shared_by_folds"] == 0
    assert sum(one["images"] for one in found["by_fold"]) == found["images"] == 400


def test_shuffled_labels_are_not_foretold():
    auc = [quality(*made(600, signal=0.5, shuffled=True, seed=seed))["auc"] for seed in range(2)]
    assert np.mean(auc) == pytest.approx(0.5, abs=0.05)


def test_published_folds_score_higher_where_images_repeat():
    lesions, features = made(groups=150, of_group=4, signal=0.0, own=3.0, shuffled=True)
    honest = quality(lesions, features)
    leaking = quality(lesions, features, kind=folds.PUBLISHED)
    assert honest["auc"] < 0.6 < 0.8 < leaking["auc"]
    assert leaking["groups_shared_by_folds"] > 100


def test_tested_images_change_nothing_that_is_learned():
    lesions, features = made()
    of = data(lesions, features, epochs=2)
    other = features.copy()
    other[of.folds == 0] *= 100
    again = train_fold(0, data(lesions, other, epochs=2))
    assert largest_difference(train_fold(0, of), again) == 0


def test_as_published_numbers_are_scaled_by_all_rows():
    lesions, features = made()
    found = train_fold(0, data(lesions, features, as_published=True)).model
    age = lesions.numbers["age"]
    assert found.encoding.numbers["age"] == pytest.approx((age.mean(), age.std()))
    assert (found.means == 0).all() and (found.scales == 1).all()


def test_features_as_half_precision_are_learned_from():
    lesions, features = made(groups=200, signal=0.5)
    assert quality(lesions, features.astype(np.float16))["auc"] >= 0.9


def test_every_image_is_scored_once_in_the_order_of_the_table():
    lesions, features = made()
    of = data(lesions, features, epochs=1)
    results = train_folds([3, 1, 0, 2], of, 2)
    found = cross_validation.scores(results, lesions)
    assert np.isfinite(found).all()
    assert (found[results[0].rows] == results[0].scores).all()
    assert (results[0].rows == np.flatnonzero(of.folds == 3)).all()


@pytest.mark.parametrize("batch_size", [7, 59, 60, 64])
def test_a_last_batch_of_one_image_is_learned_from_with_those_before(batch_size):
    lesions, features = made(groups=60, of_group=2)
    of = data(lesions, features, count=2, batch_size=batch_size, epochs=1)
    assert np.isfinite(train_fold(0, of).losses).all()


def test_features_of_another_table_are_refused():
    lesions, features = made()
    with pytest.raises(DataError, match="119 features of 120 images"):
        data(lesions, features[1:])
