"""How good scores are: accuracy, precision, recall, F1, AUC, and the ROC curve.

An image is called malignant where its score is above 0.5. Figures are of each fold, then their mean
over the folds and their standard deviation (of the folds as they are, divided by their number).
The AUC is the chance that a malignant image has a higher score than a benign one, equal scores
counting half (Mann and Whitney); a fold that tests one label only has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lesion_classification.classifier import Scores
from lesion_classification.layout import Labels

NAMES = ("auc", "accuracy", "precision", "recall", "f1")
THRESHOLD = 0.5
GRID = 101
"""Points of the mean ROC curve, equally far from each other in the false positive rate."""

Curve = npt.NDArray[np.float64]


def of_fold(labels: Labels, scores: Scores) -> dict[str, float | None]:
    """{name: figure}; a share of nothing is 0, as scikit-learn's zero_division=0."""
    called = scores > THRESHOLD
    right = int((called & labels).sum())
    precision, recall = _share(right, int(called.sum())), _share(right, int(labels.sum()))
    return {
        "auc": auc(labels, scores),
        "accuracy": float((called == labels).mean()),
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * precision * recall, precision + recall),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def auc(labels: Labels, scores: Scores) -> float | None:
    """None of one label only."""
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Of equal scores each has the mean of their ranks, from 1.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = ranks[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def summary(by_fold: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """{name: mean, name_std: standard deviation} over the folds that have the figure."""
    found: dict[str, float | None] = {}
    for name in NAMES:
        values = [value for one in by_fold if (value := one[name]) is not None]
        found[name] = float(np.mean(values)) if values else None
        found[f"{name}_std"] = float(np.std(values)) if values else None
    return found


@dataclass(frozen=True)
class Roc:
    """The mean of the folds' curves, and how far they are from each other: true positive rates
    [GRID] at false positive rates `at` [GRID]."""

    at: Curve
    mean: Curve
    deviation: Curve


def curve(labels: Labels, scores: Scores) -> tuple[Curve, Curve]:
    """False and true positive rates from (0, 0) to (1, 1), a point for every different score."""
    order = np.argsort(-scores, kind="stable")
    last_of_equals = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    true = np.cumsum(labels[order])[last_of_equals]
    false = last_of_equals + 1 - true
    return np.append(0.0, false / max(false[-1], 1)), np.append(0.0, true / max(true[-1], 1))


def roc(by_fold: Sequence[tuple[Labels, Scores]]) -> Roc | None:
    """Of the folds that test both labels; None where none does. Each is a line between its points,
    and at a false positive rate that it has several times, its highest."""
    at = np.linspace(0, 1, GRID)
    found = []
    for labels, scores in by_fold:
        if np.unique(labels).size == 2:
            false, true = curve(labels, scores)
            highest = np.append(np.diff(false) > 0, True)
            # From (0, 0), whatever is gained before the first false positive.
            found.append(np.interp(at, false[highest], true[highest]))
            found[-1][0] = 0.0
    if not found:
        return None
    return Roc(at, np.mean(found, axis=0), np.std(found, axis=0))


def difference(honest: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float | None]:
    """By how much other folds look better than honest ones: what a leak is worth."""
    return {
        name: None if None in (honest[name], other[name]) else other[name] - honest[name]
        for name in NAMES
    }
