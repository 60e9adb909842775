"""How good a classifier's answer is: the figures of a record's `quality`, by scikit-learn."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from synthetic_classifiers.layout import Labels, Probabilities

CERTAINTY = 1.959963984540054
"""Standard normal quantile of a two-sided interval of 95 %."""


def interval(right: int, count: int) -> list[float]:
    """95 % of a share: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical
    Inference"."""
    share, z2 = right / count, CERTAINTY**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = share * (1 - share) / count + z2 / (4 * count**2)
    half = CERTAINTY * math.sqrt(spread) / (1 + z2 / count)
    return [middle - half, middle + half]


def predicted(probabilities: Probabilities) -> Labels:
    """The likeliest class, the smaller one of two that are alike."""
    return probabilities.argmax(axis=1).astype(np.int32)


def accuracy(labels: Labels, probabilities: Probabilities) -> dict[str, Any]:
    right = int((predicted(probabilities) == labels).sum())
    return {
        "accuracy": right / len(labels),
        "accuracy_interval": interval(right, len(labels)),
    }


def figures(labels: Labels, probabilities: Probabilities) -> dict[str, Any]:
    """log_loss: nats a sample; macro_f1; auc: of each class against the rest, their mean, None
    where a class has no test sample; confusion: [class][predicted] samples."""
    from sklearn import metrics  # More than a second, for which no run's clock shall wait.

    classes = list(range(probabilities.shape[1]))
    answer = predicted(probabilities)
    return {
        "log_loss": float(metrics.log_loss(labels, probabilities, labels=classes)),
        "macro_f1": float(
            metrics.f1_score(labels, answer, labels=classes, average="macro", zero_division=0.0)
        ),
        "auc": _auc(labels, probabilities, classes),
        "confusion": metrics.confusion_matrix(labels, answer, labels=classes).tolist(),
    }


def _auc(labels: Labels, probabilities: Probabilities, classes: Sequence[int]) -> float | None:
    from sklearn import metrics

    if len(np.unique(labels)) < len(classes):
        return None
    if len(classes) == 2:
        return float(metrics.roc_auc_score(labels, probabilities[:, 1]))
    each = [metrics.roc_auc_score(labels == one, probabilities[:, one]) for one in classes]
    return float(np.mean(each))
