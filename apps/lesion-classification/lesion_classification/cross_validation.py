"""Training and testing fold by fold: an image is scored by a network that has not learned from it.

    data = Data(features, lesions, folds.made("grouped", …), Settings(…))
    result = train_fold(3, data)                # what a worker does: small, and can be sent
    results = train_folds(range(10), data, threads=2)

A fold is a task: its result is the same wherever it was trained.
"""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from studykit.errors import DataError

from lesion_classification import classifier, folds, metrics
from lesion_classification.classifier import Features, Model, Scores, Settings
from lesion_classification.folds import Folds
from lesion_classification.layout import Lesions
from lesion_classification.table_features import Rows


@dataclass(frozen=True)
class Data:
    """What all folds have in common. features float32 or float16 [n, 2048]."""

    features: Features
    lesions: Lesions
    folds: Folds
    settings: Settings

    def __post_init__(self) -> None:
        if len(self.features) != len(self.lesions):
            raise DataError(f"{len(self.features)} features of {len(self.lesions)} images")

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.folds.max()) + 1


@dataclass(frozen=True)
class FoldResult:
    """`rows` of the table were tested, in its order, by a network trained on the others."""

    fold: int
    rows: Rows
    scores: Scores
    losses: Sequence[float]
    model: Model
    seconds: float


def train_fold(fold: int, data: Data) -> FoldResult:
    """On one thread, whatever torch has been told: on more, sums would be rounded otherwise."""
    began = time.perf_counter()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        tested = data.folds == fold
        train_rows, test_rows = np.flatnonzero(~tested), np.flatnonzero(tested)
        found = classifier.train(
            data.features, data.lesions, train_rows, test_rows, data.settings, fold
        )
    finally:
        torch.set_num_threads(threads)
    seconds = time.perf_counter() - began
    return FoldResult(fold, test_rows, found.scores, found.losses, found.model, seconds)


def train_folds(numbers: Iterable[int], data: Data, threads: int) -> list[FoldResult]:
    """Some of the folds, so many at a time."""
    before = torch.get_num_threads()
    # Each thread keeps to itself before another begins: what torch is told, in part, goes for all.
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, "fold", torch.set_num_threads, (1,)) as pool:
            return list(pool.map(lambda fold: train_fold(fold, data), numbers))
    finally:
        torch.set_num_threads(before)


def scores(results: Iterable[FoldResult], lesions: Lesions) -> Scores:
    """Of all images, in the order of the table."""
    found = np.full(len(lesions), np.nan)
    for one in results:
        found[one.rows] = one.scores
    return found


def quality(results: Sequence[FoldResult], data: Data) -> dict[str, Any]:
    """The figures of the record: `metrics` over the folds, those of each fold, and of the folds."""
    labels = data.lesions.labels
    by_fold: list[dict[str, Any]] = []
    for one in sorted(results, key=lambda result: result.fold):
        figures: dict[str, Any] = {"fold": one.fold, "images": len(one.rows)}
        figures |= metrics.of_fold(labels[one.rows], one.scores)
        by_fold.append(figures | {"loss": one.losses[-1]})
    return {
        **metrics.summary(by_fold),
        "by_fold": by_fold,
        "images": len(data.lesions),
        "malignant": int(labels.sum()),
        "folds": data.count,
        "groups": len(np.unique(data.lesions.groups)),
        "groups_shared_by_folds": folds.shared_groups(data.folds, data.lesions.groups),
    }
