"""Figures and curves against scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion_classification import metrics
from sklearn import metrics as right


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=60))
@settings(max_examples=200, deadline=None)
def test_figures_are_those_of_scikit_learn(drawn):
    labels = np.array([label for label, _ in drawn])
    scores = np.array([score / 20 for _, score in drawn])  # With equal ones, 0.5 too.
    found, called = metrics.of_fold(labels, scores), scores > 0.5
    assert found["accuracy"] == pytest.approx(right.accuracy_score(labels, called))
    for name in ("precision", "recall", "f1"):
        expected = getattr(right, f"{name}_score")(labels, called, zero_division=0)
        assert found[name] == pytest.approx(expected)
    if np.unique(labels).size == 2:
        assert found["auc"] == pytest.approx(right.roc_auc_score(labels, scores))
        false, true, _ = right.roc_curve(labels, scores, drop_intermediate=False)
        np.testing.assert_allclose(metrics.curve(labels, scores), (false, true))
    else:
        assert found["auc"] is None


def test_the_mean_and_deviation_are_of_the_folds_that_have_a_figure():
    zeros: dict[str, float | None] = dict.fromkeys(metrics.NAMES, 0.0)
    folds = [zeros | {"auc": value} for value in (0.5, 0.9, None)]
    found = metrics.summary(folds)
    assert found["auc"] == pytest.approx(0.7)
    assert found["auc_std"] == pytest.approx(0.2)
    none = metrics.summary([zeros | {"auc": None}])
    assert none["auc"] is None and none["auc_std"] is None


def test_the_area_below_the_mean_curve_is_the_mean_area():
    random = np.random.default_rng(3)
    folds = []
    for _ in range(5):
        labels = random.random(400) < 0.4
        folds.append((labels, random.normal(size=400) + labels))
    drawn = metrics.roc(folds)
    assert drawn is not None
    area = np.trapezoid(drawn.mean, drawn.at)
    expected = np.mean([right.roc_auc_score(*fold) for fold in folds])
    assert area == pytest.approx(expected, abs=0.01)
    assert drawn.mean[0] == 0 and drawn.mean[-1] == 1
    assert (np.diff(drawn.mean) >= 0).all()
    assert drawn.deviation[0] == drawn.deviation[-1] == 0 < drawn.deviation[20]


def test_a_fold_of_one_label_has_no_curve():
    assert metrics.roc([(np.ones(3, bool), np.arange(3.0))]) is None


def test_a_leak_is_what_other_folds_add():
    one = dict.fromkeys(metrics.NAMES, 0.7)
    found = metrics.difference(one, one | {"auc": 0.8, "f1": None})
    assert found["auc"] == pytest.approx(0.1)
    assert found["f1"] is None and found["recall"] == 0
