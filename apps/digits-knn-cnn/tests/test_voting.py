"""Votes of neighbours against scikit-learn's classifier."""

import numpy as np
from digits_knn_cnn import voting
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier


def test_a_tie_goes_to_the_smaller_label():
    labels = np.array([[7, 3, 7, 3, 3], [9, 1, 0, 1, 9]], np.uint8)
    assert voting.votes(labels).tolist() == [[7, 9], [3, 1], [7, 0], [3, 1], [3, 1]]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_every_k_votes_as_scikit_learn_does(labels):
    """Training rows on a line, in the order in which they are near to 0."""
    line = np.arange(1, len(labels) + 1, dtype=float)[:, np.newaxis]
    found = voting.votes(np.array([labels], np.uint8))
    for k in range(1, len(labels) + 1):
        model = KNeighborsClassifier(k, algorithm="brute").fit(line, labels)
        assert found[k - 1].tolist() == model.predict([[0.0]]).tolist()
