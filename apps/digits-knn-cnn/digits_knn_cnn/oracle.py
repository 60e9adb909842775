"""An independent answer, and the check against it: all distances, sorted, for some of the queries.

Nothing of the kernel is used, nor of its reader (oracle_rows.py). Distances are doubles: of whole
numbers by a product of matrices, which is exact, else the sum of the squared differences pixel by
pixel. Of all rows at the k-th distance or nearer the order is that of a stable sort, so that of
equal distances the row with the smaller number comes first. Queries are all where that is a matter
of a second, else a seeded sample; accuracies are counted again over all predictions.
"""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.records import Check
from studykit.run import Run

from digits_knn_cnn import oracle_rows
from digits_knn_cnn.searching import Answer

MOST_DISTANCES = 100_000_000
"""So many are compared at most: all of the digits up to five times, 300 queries of 100mb."""
BLOCK_DISTANCES = 1 << 22

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[Any]


def check(run: Run, answer: Answer, quality: dict[str, Any], allowed: float) -> Check:
    """Compare labels and accuracies exactly; of the predictions a share may differ."""
    asked = run.parameters
    right = oracle_rows.read(run.dataset.uri, asked.resolution, asked.max_pixel)
    judged = answer.judged.places
    passed = (
        answer.train_rows == len(right.train_labels)
        and np.array_equal(answer.tests.labels, right.test_labels)
        and len(np.unique(judged)) == len(judged) == quality["train_rows_judged"]
        and np.array_equal(answer.judged.labels, right.train_labels[judged])
    )
    compared = differing = 0
    if passed:
        passed &= _accuracies(right.test_labels, answer.predicted) == quality["test_accuracy_by_k"]
        passed &= (
            _accuracies(answer.judged.labels, answer.predicted_judged)
            == quality["train_accuracy_by_k"]
        )
        queries = np.concatenate([right.test_pixels, right.train_pixels[judged]])
        predicted = np.concatenate([answer.predicted, answer.predicted_judged], axis=1)
        chosen = _chosen(len(queries), len(right.train_labels), run.options.seed)
        expected = predictions(
            queries[chosen], right.train_pixels, right.train_labels, asked.neighbours
        )
        compared, differing = expected.size, int((predicted[:, chosen] != expected).sum())
    return Check(
        passed=bool(passed and differing <= allowed * compared),
        oracle="all distances sorted by NumPy, over an independent reading",
        detail={
            "train_rows": len(right.train_labels),
            "test_rows": len(right.test_labels),
            "predictions_compared": compared,
            "predictions_differing": differing,
            "allowed": allowed,
        },
    )


def _accuracies(labels: Whole, predictions: Whole) -> dict[str, float]:
    return {
        str(k): int(np.count_nonzero(predicted == labels)) / len(labels)
        for k, predicted in enumerate(predictions, start=1)
    }


def _chosen(queries: int, rows: int, seed: int) -> Whole:
    most = max(MOST_DISTANCES // rows, 1)
    if queries <= most:
        return np.arange(queries)
    return np.sort(np.random.default_rng(seed % 2**64).choice(queries, most, replace=False))


def predictions(queries: Floats, rows: Floats, labels: Whole, most: int) -> Whole:
    """What the k nearest of rows [n, pixels] choose, k = 1 … most, of every query: [most, queries].

    The commonest label, and of equally common ones the smallest.
    """
    found = np.empty((most, len(queries)), np.int64)
    step = max(BLOCK_DISTANCES // len(rows), 1)
    for start in range(0, len(queries), step):
        block = distances(queries[start : start + step], rows)
        for place, own in enumerate(block, start=start):
            neighbours = labels[nearest(own, most)].tolist()
            for k in range(1, most + 1):
                votes = Counter(neighbours[:k])
                found[k - 1, place] = min(votes, key=lambda label: (-votes[label], label))
    return found


def distances(queries: Floats, rows: Floats) -> Floats:
    """Squared, [queries, rows]."""
    if np.array_equal(queries, queries.round()) and np.array_equal(rows, rows.round()):
        squares = np.add.outer((queries**2).sum(axis=1), (rows**2).sum(axis=1))
        return squares - 2 * (queries @ rows.T)
    total = np.zeros((len(queries), len(rows)))
    for pixel in range(rows.shape[1]):
        total += np.square(np.subtract.outer(queries[:, pixel], rows[:, pixel]))
    return total


def nearest(own: Floats, most: int) -> Whole:
    """Numbers of the rows nearest to one query, from its distances to all [rows]."""
    near = np.flatnonzero(own <= np.partition(own, most - 1)[most - 1])
    return near[np.argsort(own[near], kind="stable")][:most]
