"""The figures of an answer, on answers whose figures are known."""

from statistics import NormalDist

import numpy as np
import pytest
from synthetic_classifiers import evaluation


def test_the_interval_is_where_the_share_lies_within_its_own_doubt():
    """Wilson's ends are the shares p for which |found - p| is the quantile times p's own error."""
    low, high = evaluation.interval(830, 1000)
    quantile = NormalDist().inv_cdf(0.975)
    for end in (low, high):
        assert abs(0.83 - end) == pytest.approx(quantile * np.sqrt(end * (1 - end) / 1000))
    assert low < 0.83 < high
    assert evaluation.interval(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert evaluation.interval(10, 10)[1] == pytest.approx(1)


def test_figures_of_a_known_answer():
    labels = np.array([0, 0, 1, 1], np.int32)
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    found = evaluation.accuracy(labels, probabilities) | evaluation.figures(labels, probabilities)
    assert found["accuracy"] == 0.75
    assert found["confusion"] == [[1, 1], [0, 2]]
    assert found["auc"] == 1.0
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.8]).mean())
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_of_equal_probabilities_the_smaller_class_is_the_answer():
    assert evaluation.predicted(np.array([[0.5, 0.5], [0.2, 0.8]])).tolist() == [0, 1]


def test_there_is_no_auc_where_a_class_is_not_tested():
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    found = evaluation.figures(np.array([0, 1], np.int32), probabilities)
    assert found["auc"] is None
    assert found["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
