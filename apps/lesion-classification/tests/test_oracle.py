"""The check finds what is wrong: with an answer, its folds, its features and its figures."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lesion_classification import (
    cross_validation,
    folds,
    oracle,
    oracle_features,
    oracle_network,
)
from lesion_classification.classifier import Settings
from lesion_classification.cross_validation import Data, train_folds
from made_lesions import made
from studykit.errors import CheckError


@pytest.fixture(scope="module")
def answer():
    lesions, features = made(groups=60, width=24)
    assigned = folds.grouped(lesions.labels, lesions.groups, 3, 1)
    data = Data(features, lesions, assigned, Settings(epochs=2))
    return data, train_folds(range(3), data, 1)


def test_scores_and_first_losses_are_those_of_numpy_and_autograd(answer):
    data, results = answer
    for result in results:
        found = oracle_network.scores(result, data)
        np.testing.assert_allclose(found, result.scores, atol=1e-5)
        assert oracle_network.first_loss(result, data) == pytest.approx(result.losses[0], rel=1e-5)
    oracle._scores(data, results, {})


def test_as_published_too():
    lesions, features = made(groups=30, width=8)
    assigned = folds.published(lesions.labels, 3)
    data = Data(features.astype(np.float16), lesions, assigned, Settings(2, as_published=True))
    results = train_folds(range(3), data, 1)
    oracle._scores(data, results, {})
    detail: dict[str, float] = {}
    oracle._folds(data, results, True, detail)
    assert detail["lesions_in_two_folds"] > 0


def test_other_weights_are_found_out(answer):
    data, results = answer
    weights = dict(results[1].model.weights)
    weights["out.bias"] = weights["out.bias"] + 0.01
    wrong = dataclasses.replace(
        results[1], model=dataclasses.replace(results[1].model, weights=weights)
    )
    with pytest.raises(CheckError, match="scores differ"):
        oracle._scores(data, [results[0], wrong, results[2]], {})


def test_another_training_is_found_out(answer):
    data, results = answer
    wrong = dataclasses.replace(results[0], losses=[results[0].losses[0] * 1.01])
    with pytest.raises(CheckError, match="loss of the first epoch"):
        oracle._scores(data, [wrong, *results[1:]], {})


def test_a_lesion_in_two_folds_is_found_out():
    lesions, features = made(groups=30, width=8)
    data = Data(features, lesions, folds.published(lesions.labels, 3), Settings(1))
    results = train_folds(range(3), data, 1)
    with pytest.raises(CheckError, match="lesions in two folds: expected none"):
        oracle._folds(data, results, False, {})


def test_an_image_that_is_not_tested_is_found_out(answer):
    data, results = answer
    less = dataclasses.replace(results[0], rows=results[0].rows[1:])
    with pytest.raises(CheckError, match="tested images"):
        oracle._folds(data, [less, *results[1:]], False, {})


def test_other_figures_are_found_out(answer):
    data, results = answer
    quality = cross_validation.quality(results, data)
    oracle._figures(data, results, quality, {})
    for name in ("auc", "f1_std", "accuracy"):
        with pytest.raises(CheckError, match=f"{name}: expected"):
            oracle._figures(data, results, quality | {name: quality[name] + 1e-6}, {})


def test_other_features_are_found_out(monkeypatch):
    lesions, features = made(groups=20, width=16)
    run: Any = SimpleNamespace(
        options=SimpleNamespace(seed=1), parameters=SimpleNamespace(weights="random", side=32)
    )
    monkeypatch.setattr(oracle_features, "of", lambda _, rows, *more: features[rows])
    assert oracle.check_features(run, lesions, features).passed
    wrong = features + np.random.default_rng(0).normal(scale=0.2, size=features.shape)
    assert oracle.check_features(run, lesions, wrong).passed is False
