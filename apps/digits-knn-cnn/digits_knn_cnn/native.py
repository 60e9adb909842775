"""The engines' own ways: what is around them, the same on every engine.

The nearest neighbours are found by scikit-learn's `KNeighborsClassifier`, for every k by one search
for the largest; the engine gives it queries: `native_plain`, `native_ray` and `native_dask`. Of
equal distances it takes any, so a share of its predictions may be others.

Networks are trained by the loop in `native_training`, in one process or by Ray Train. They are not
the networks of the exact method: other batches, and batch norm over a worker's own share. So
nothing says what they should come to, and the check is whether the figures are those of what was
predicted. On Dask nothing that is still maintained trains one: the last release of dask-pytorch-ddp
is of 2021, and skorch hands Dask whole fits, as of a grid search, never a part of one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from studykit.records import Check
from studykit.run import Outcome, Run

from digits_knn_cnn import (
    loading,
    oracle_rows,
    outcome,
    outputs,
    reports,
    searching,
    voting,
    worker,
)
from digits_knn_cnn.answered import Answered
from digits_knn_cnn.layout import Digits, Labels, Pixels
from digits_knn_cnn.reports import Figures
from digits_knn_cnn.searching import Queries
from digits_knn_cnn.voting import Predictions
from digits_knn_cnn.worker import Placed

TIES = 0.01
"""Share of predictions that may differ."""
NO_TRAINING_ON_DASK = (
    "--method native: nothing that is still maintained trains one network on Dask (dask-pytorch-ddp"
    " ended in 2021); --method exact does"
)


@dataclass(frozen=True)
class Learned:
    """Figures of every epoch (loss, accuracies), and labels read on the test part."""

    history: Sequence[Figures]
    predictions: Labels


class Classifier:
    """scikit-learn's, of one training part."""

    def __init__(self, train: Digits, most: int, algorithm: str = "auto") -> None:
        # Here, because it takes a second, which only who asks for it shall wait.
        from sklearn.neighbors import KNeighborsClassifier

        self._labels = train.labels
        self._model = KNeighborsClassifier(most, algorithm=algorithm)
        self._model.fit(train.pixels.astype(np.float64), train.labels)

    def predict(self, pixels: Pixels) -> Predictions:
        """What 1, 2, … most neighbours choose, of queries [n, side²]."""
        found = self._model.kneighbors(pixels.astype(np.float64), return_distance=False)
        return voting.votes(self._labels[found])


Predict = Callable[[Run, Digits, Queries], Sequence[Predictions]]
"""Predictions of all queries, in their order."""


def knn(run: Run, predict: Predict) -> Outcome:
    train, tests = loading.read_parts(run)
    asked = queries(run, train, tests)
    with run.phase("compute", "searching by scikit-learn"):
        predicted = predict(run, train, asked)
    return outcome.of_answer(run, asked.answer(predicted), allowed=TIES)


def queries(run: Run, train: Digits, tests: Digits) -> Queries:
    """All test rows, and the training rows whose own predictions are asked for."""
    searching.require_neighbours(run, len(train))
    judged = worker.judged_places(len(train), run.options.seed)
    return Queries(
        len(train),
        Placed(np.arange(len(tests)), tests.pixels, tests.labels),
        Placed(judged, train.pixels[judged], train.labels[judged]),
    )


def network(run: Run, train: Digits, tests: Digits, learned: Learned) -> Outcome:
    """Of a network that was trained on `train`."""
    model, predicted = run.parameters.model, learned.predictions
    found = reports.of_network(model, len(train), tests.labels, predicted, learned.history)
    answered = Answered.of_network(run, tests, predicted, found)
    return Outcome(
        quality=found,
        check=lambda: check_network(run, predicted, found),
        write=lambda uri: outputs.write(uri, answered),
        summary=[reports.table_of_epochs(found)],
        bytes_read=run.dataset.bytes,
    )


def check_network(run: Run, predicted: Labels, found: Mapping[str, Any]) -> Check:
    """Are the figures those of the predictions, by labels that were read by other means?"""
    asked = run.parameters
    right = oracle_rows.read(run.dataset.uri, asked.resolution, asked.max_pixel)
    rows = len(right.train_labels), len(right.test_labels)
    same = (found["train_rows"], found["test_rows"]) == rows and len(predicted) == rows[1]
    share = int(np.count_nonzero(predicted == right.test_labels)) / rows[1] if same else None
    return Check(
        passed=same and found["test_accuracy_by_epoch"][-1] == share,
        oracle="accuracy counted again; no other answer is known of this way",
        detail={"train_rows": rows[0], "test_rows": rows[1], "test_accuracy": share},
    )
