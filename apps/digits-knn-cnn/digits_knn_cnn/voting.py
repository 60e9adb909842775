"""The vote of the nearest neighbours, for every k up to the largest from one list of them."""

import numpy as np
import numpy.typing as npt

from digits_knn_cnn.layout import CLASSES, Labels

Predictions = npt.NDArray[np.uint8]
"""[k, queries]: in row k - 1 the label that the k nearest choose."""


def votes(labels: Labels) -> Predictions:
    """Labels of the neighbours, the nearest first, uint8[queries, k] → uint8[k, queries].

    Of labels with equally many votes the smallest wins, as in scikit-learn's
    `KNeighborsClassifier`.
    """
    queries, most = labels.shape
    counts = np.zeros((queries, CLASSES), np.int32)
    every = np.arange(queries)
    predictions = np.empty((most, queries), np.uint8)
    for k in range(most):
        counts[every, labels[:, k]] += 1
        predictions[k] = counts.argmax(axis=1)
    return predictions
