"""scikit-learn's digits as one table, and what its own classifier says of the published split."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

HEADER = ",".join([*(f"pixel_{i}_{j}" for i in range(8) for j in range(8)), "target"]) + "\n"
ACCURACIES = (0.9778, 0.9806, 0.9833, 0.9806, 0.9861, 0.9889, 0.9889, 0.9861, 0.9806, 0.9833)
"""Of the test part, k = 1 … 10."""


def line(pixels: Any, label: int) -> str:
    return ",".join(map(str, [*pixels, label])) + "\n"


def write_table(path: Path) -> Path:
    """All digits in scikit-learn's order: 17 splits of 30 kB."""
    digits = load_digits()
    rows = zip(digits.data.tolist(), digits.target.tolist(), strict=True)
    path.write_text(HEADER + "".join(line(*row) for row in rows))
    return path


@cache
def parts() -> tuple[npt.NDArray[Any], ...]:
    """Training pixels, test pixels, training labels, test labels."""
    digits = load_digits()
    return tuple(
        train_test_split(
            digits.data.astype(np.uint8),
            digits.target.astype(np.uint8),
            test_size=0.2,
            random_state=42,
        )
    )


@cache
def predictions() -> list[list[int]]:
    """scikit-learn's of the test part, for k = 1 … 10."""
    train, tests, labels, _ = parts()
    models = [
        KNeighborsClassifier(k, algorithm="brute").fit(train.astype(float), labels)
        for k in range(1, 11)
    ]
    return [model.predict(tests.astype(float)).tolist() for model in models]


@cache
def predictions_of_training_rows() -> list[list[int]]:
    """From all distances, sorted: scikit-learn's order of equal ones depends on its threads, which
    changes one or another of these 14,370."""
    train, _, labels, _ = parts()
    distances = np.zeros((len(train), len(train)), np.int64)
    for column in train.T.astype(np.int64):
        distances += np.subtract.outer(column, column) ** 2
    order = np.argsort(distances, axis=1, kind="stable")[:, :10]
    neighbours = labels[order]
    return [[int(np.bincount(own[:k]).argmax()) for own in neighbours] for k in range(1, 11)]
