"""The figures of an answer: accuracy by k, a report per class, the confusion of classes.

Precision is the share of right ones among those predicted to be of a class, recall that among those
that are, F1 = 2 · right / (predicted + there); 0 where nothing is divided by nothing, as
scikit-learn's `classification_report(zero_division=0)` has it. Divisions of the same whole numbers:
equal to scikit-learn's to the last digit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from digits_knn_cnn.layout import CLASSES, Labels
from digits_knn_cnn.searching import Answer
from digits_knn_cnn.voting import Predictions

Figures = Mapping[str, float]
"""Of one epoch: loss, train_accuracy, test_accuracy."""
Confusion = npt.NDArray[np.int64]
"""[classes, classes]: how many of a row's class were taken for a column's."""


def quality(answer: Answer) -> dict[str, Any]:
    """What a record's `quality` says of an answer; all by k, of the test rows where nothing else
    is said."""
    labels = answer.tests.labels
    confusions = [confusion(labels, predicted) for predicted in answer.predicted]
    return {
        "rows": answer.train_rows + len(labels),
        "train_rows": answer.train_rows,
        "test_rows": len(labels),
        "train_rows_judged": len(answer.judged),
        "test_accuracy_by_k": accuracy_by_k(labels, answer.predicted),
        "train_accuracy_by_k": accuracy_by_k(answer.judged.labels, answer.predicted_judged),
        "report": _by_k([report(one) for one in confusions]),
        "confusion": _by_k([one.tolist() for one in confusions]),
    }


def of_network(
    model: str, train_rows: int, labels: Labels, predicted: Labels, history: Sequence[Figures]
) -> dict[str, Any]:
    """The same of a trained network: `predicted` of the test rows, and its history by epoch."""
    confused = confusion(labels, predicted)
    return {
        "rows": train_rows + len(labels),
        "train_rows": train_rows,
        "test_rows": len(labels),
        "epochs": len(history),
        **{
            f"{name}_by_epoch": [epoch[name] for epoch in history]
            for name in ("loss", "train_accuracy", "test_accuracy")
        },
        "report": {model: report(confused)},
        "confusion": {model: confused.tolist()},
    }


def _by_k(values: list[Any]) -> dict[str, Any]:
    return {str(k): value for k, value in enumerate(values, start=1)}


def accuracy_by_k(labels: Labels, predictions: Predictions) -> dict[str, float]:
    """{"1": the share of right predictions, …} of labels [n] and predictions [k, n]."""
    return _by_k([float(np.mean(predicted == labels)) for predicted in predictions])


def confusion(labels: Labels, predicted: Labels) -> Confusion:
    """Of labels [n] and what was predicted [n]."""
    cells = labels.astype(np.int64) * CLASSES + predicted
    return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def report(confused: Confusion) -> dict[str, dict[str, float]]:
    """{class: precision, recall, f1, support}, of classes that occur or were predicted."""
    right, there, taken = confused.diagonal(), confused.sum(axis=1), confused.sum(axis=0)
    return {
        str(label): {
            "precision": _share(right[label], taken[label]),
            "recall": _share(right[label], there[label]),
            "f1": _share(2 * right[label], there[label] + taken[label]),
            "support": int(there[label]),
        }
        for label in range(CLASSES)
        if there[label] or taken[label]
    }


def _share(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0


def table_of_epochs(found: dict[str, Any]) -> Table:
    """Loss and accuracies by epoch, from `quality`."""
    shown = Table(title=f"{found['test_rows']:,} test rows, {found['train_rows']:,} training rows")
    for heading in ("epoch", "loss", "test accuracy", "training accuracy"):
        shown.add_column(heading, justify="right")
    columns = (found[f"{name}_by_epoch"] for name in ("loss", "test_accuracy", "train_accuracy"))
    for epoch, figures in enumerate(zip(*columns, strict=True), start=1):
        shown.add_row(str(epoch), *(f"{figure:.4f}" for figure in figures))
    return shown


def table(found: dict[str, Any]) -> Table:
    """Accuracies for the person who waits, from `quality`, with means over the classes."""
    judged = found["train_rows_judged"]
    shown = Table(title=f"{found['test_rows']:,} test rows, {judged:,} training rows")
    for heading in ("k", "test accuracy", "training accuracy", "precision", "recall", "F1"):
        shown.add_column(heading, justify="right")
    for k, accuracy in found["test_accuracy_by_k"].items():
        classes = found["report"][k].values()
        means = [
            sum(one[name] for one in classes) / len(classes)
            for name in ("precision", "recall", "f1")
        ]
        figures = [accuracy, found["train_accuracy_by_k"][k], *means]
        shown.add_row(k, *(f"{figure:.4f}" for figure in figures))
    return shown
