"""Whether an answer is right, by other means than the engines'.

- The table, read by pandas: labels and lesions are those of the answer.
- The folds: each image is tested once; no lesion stands in two folds, or the folds are those of
  scikit-learn's KFold, as published.
- Features of a seeded sample, against torchvision's network as it comes (oracle_features.py).
- Scores of every fold, from its weights in doubles; the first epoch of one fold, learned again
  (oracle_network.py).
- All figures, by scikit-learn.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics
from sklearn.model_selection import KFold
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run

from lesion_classification import cross_validation, oracle_features, oracle_network, oracle_table
from lesion_classification.answering import Answer
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.layout import Lesions

ORACLE = "pandas, torchvision, scikit-learn and NumPy in doubles"
SAMPLE = 16
"""Images whose features are computed again: a second or two of a core."""
LEAST_COSINE = 0.999
FIGURE_TOLERANCE = 1e-9
SCORE_TOLERANCE = 1e-4
"""Of single floats; 5e-8 has been seen, of the 120 images of `tiny`."""
LOSS_TOLERANCE = 1e-3
"""Relative. Adam steps along rounding where derivatives are nothing else."""


def check(run: Run, answer: Answer) -> Check:
    assert answer.data is not None
    detail: dict[str, Any] = {}
    asked = run.parameters
    try:
        _table(run.dataset.uri, answer.data.lesions, detail)
        _folds(answer.data, answer.results, asked.folds == "published", detail)
        _features(run, answer.data.lesions, answer.data.features, detail)
        _scores(answer.data, answer.results, detail)
        quality = cross_validation.quality(answer.results, answer.data)
        _figures(answer.data, answer.results, quality, detail)
    except CheckError as error:
        return Check(passed=False, oracle=ORACLE, detail=detail | {"problem": str(error)})
    return Check(passed=True, oracle=ORACLE, detail=detail)


def check_features(run: Run, lesions: Lesions, features: npt.NDArray[Any]) -> Check:
    """Of these images alone, in the order of the table."""
    detail: dict[str, Any] = {}
    try:
        _features(run, lesions, features, detail)
    except CheckError as error:
        return Check(passed=False, oracle="torchvision", detail=detail | {"problem": str(error)})
    return Check(passed=True, oracle="torchvision", detail=detail)


def _table(uri: str, lesions: Lesions, detail: dict[str, Any]) -> None:
    right = oracle_table.read(uri)
    detail["images"] = len(lesions)
    for row, path in enumerate(lesions.paths):
        found = bool(lesions.labels[row]), lesions.group_names[lesions.groups[row]]
        expected = right.get(path.rpartition("/")[2])
        if found != expected:
            raise CheckError(f"{path}: expected {expected}, got {found}")
    # Broken ones are left out of the answer, others are not.
    left = lesions.rows - sum(lesions.dropped.values())
    if len(right) != left:
        raise CheckError(f"rows that are used: expected {len(right)}, got {left}")


def _folds(
    data: Data, results: Sequence[FoldResult], published: bool, detail: dict[str, Any]
) -> None:
    count, images = data.count, len(data.lesions)
    if sorted(result.fold for result in results) != list(range(count)):
        raise CheckError(f"folds: expected {count}, got {len(results)}")
    tested = np.concatenate([result.rows for result in results])
    if not np.array_equal(np.sort(tested), np.arange(images)):
        raise CheckError(f"tested images: expected each of {images} once, got {len(tested)}")
    where = {result.fold: set(data.lesions.groups[result.rows].tolist()) for result in results}
    leaks = sum(len(one & other) for a, one in where.items() for b, other in where.items() if a < b)
    detail["lesions_in_two_folds"] = leaks
    if published:
        split = KFold(count, shuffle=True, random_state=21).split(np.zeros(images))
        for result, (_, rows) in zip(sorted(results, key=lambda one: one.fold), split, strict=True):
            if not np.array_equal(np.sort(result.rows), np.sort(rows)):
                raise CheckError(f"fold {result.fold} is not that of KFold")
    elif leaks:
        raise CheckError(f"lesions in two folds: expected none, got {leaks}")


def _features(
    run: Run, lesions: Lesions, features: npt.NDArray[Any], detail: dict[str, Any]
) -> None:
    random = np.random.default_rng(run.options.seed % 2**64)
    count = min(SAMPLE, len(lesions))
    rows = sorted(random.choice(len(lesions), count, replace=False).tolist())
    asked = run.parameters
    right = oracle_features.of(lesions, rows, asked.weights, run.options.seed, asked.side)
    cosines = oracle_features.cosines(right, features[rows])
    differences = np.abs(features[rows] - right).max(axis=1) / np.abs(right).max(axis=1)
    detail["features_compared"] = count
    detail["least_cosine"] = float(cosines.min())
    detail["largest_difference"] = float(differences.max())
    if not cosines.min() >= LEAST_COSINE:
        worst = lesions.paths[rows[int(cosines.argmin())]]
        raise CheckError(f"features of {worst}: cosine {cosines.min():.6f} to float32")


def _scores(data: Data, results: Sequence[FoldResult], detail: dict[str, Any]) -> None:
    differences = [
        float(np.abs(oracle_network.scores(result, data) - result.scores).max())
        for result in results
    ]
    detail["scores_differ_by"] = max(differences)
    if not max(differences) <= SCORE_TOLERANCE:
        raise CheckError(f"scores differ by {max(differences):.2g} from those of the weights")
    expected = oracle_network.first_loss(results[0], data)
    difference = abs(results[0].losses[0] / expected - 1)
    detail["first_loss_differs_by"] = difference
    if not difference <= LOSS_TOLERANCE:
        raise CheckError(
            f"loss of the first epoch: expected {expected}, got {results[0].losses[0]}"
        )


def _figures(
    data: Data, results: Sequence[FoldResult], quality: Mapping[str, Any], detail: dict[str, Any]
) -> None:
    by_fold: dict[str, list[float]] = {}
    for result in results:
        labels, called = data.lesions.labels[result.rows], result.scores > 0.5
        found = {
            "accuracy": metrics.accuracy_score(labels, called),
            "precision": metrics.precision_score(labels, called, zero_division=0),
            "recall": metrics.recall_score(labels, called, zero_division=0),
            "f1": metrics.f1_score(labels, called, zero_division=0),
        }
        if np.unique(labels).size == 2:
            found["auc"] = metrics.roc_auc_score(labels, result.scores)
        for name, value in found.items():
            by_fold.setdefault(name, []).append(float(value))
    for name, values in by_fold.items():
        for figure, expected in ((name, np.mean(values)), (f"{name}_std", np.std(values))):
            if not abs(quality[figure] - expected) <= FIGURE_TOLERANCE:
                raise CheckError(f"{figure}: expected {expected}, got {quality[figure]}")
    detail["figures_compared"] = 2 * len(by_fold)
