"""Reports and confusions equal scikit-learn's to the last digit."""

import numpy as np
import pytest
from digits_knn_cnn import reports
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics


def scikit_learns(labels, predicted):
    whole = metrics.classification_report(labels, predicted, output_dict=True, zero_division=0)
    return {
        name: {
            "precision": one["precision"],
            "recall": one["recall"],
            "f1": one["f1-score"],
            "support": one["support"],
        }
        for name, one in whole.items()
        if name.isdigit()
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=80))
def test_they_are_those_of_scikit_learn(pairs):
    labels, predicted = np.array(pairs, np.uint8).T
    confused = reports.confusion(labels, predicted)
    assert reports.report(confused) == scikit_learns(labels, predicted)
    expected = metrics.confusion_matrix(labels, predicted, labels=range(10))
    np.testing.assert_array_equal(confused, expected)
    accuracy = reports.accuracy_by_k(labels, predicted[np.newaxis])
    assert accuracy == {"1": metrics.accuracy_score(labels, predicted)}


@pytest.mark.parametrize(
    ("labels", "predicted"),
    [([1, 1], [2, 2]), ([0, 0, 0], [0, 0, 0]), ([0, 1, 2], [0, 0, 0])],
    ids=["none is right", "one class", "classes that are never predicted"],
)
def test_nothing_divided_by_nothing_is_zero(labels, predicted):
    given = np.array(labels, np.uint8), np.array(predicted, np.uint8)
    assert reports.report(reports.confusion(*given)) == scikit_learns(*given)
