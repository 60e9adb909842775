"""Boosted trees on the diagnoses: what computes a trial, and how its model is judged.

A trial is XGBoost's `binary:logistic` of so many rounds (Chen and Guestrin 2016), an epoch of the
search one round. The one idea: what is chosen by must not be what it is judged by. A trial's score
is minus the mean log-loss of a seeded, stratified 5-fold of the training part, each fold by a model
that has not seen it; its state is one more model, of the whole training part, and that one alone is
asked for the test part, once, at the end.

`max_bin` is larger than the number of rows, so that each value of a feature is a bin of its own and
no bin depends on how rows are shared out: three workers cut the trees that one process cuts.
Normalising is that of the whole training part, which no tree can see.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost

from hyperparameter_tuning.diagnoses import FOLDS, Diagnoses
from hyperparameter_tuning.diagnosis_table import Labels
from hyperparameter_tuning.jobs import DONE, Job, Report
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.trial_memory import peak

ROUNDS = 30
"""The paper's."""
T_OF_FOUR = 2.776
"""97.5 % of Student's t with 4 degrees of freedom, of a mean of five folds."""
Probabilities = npt.NDArray[np.float64]


def parameters(max_depth: int, rows: int, seed: int, threads: int = 1) -> dict[str, Any]:
    """XGBoost's, for so many training rows in all; others are its defaults."""
    return {
        "objective": "binary:logistic",
        "eval_metric": ["logloss", "error"],
        "max_depth": max_depth,
        "max_bin": rows + 1,
        "tree_method": "hist",
        "nthread": threads,
        "seed": seed % 2**31,
    }


def folds(labels: Labels, seed: int) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """(places to train on, places held out) of each of five, seeded and stratified."""
    # Here, because the study of pictures needs none of it.
    from sklearn.model_selection import StratifiedKFold

    cut = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    return list(cut.split(np.zeros(len(labels)), labels))


class BoostingTrainer:
    """Computes trials one after the other. `fold_seed` is the search's: all are judged alike."""

    def __init__(self, train: Diagnoses, fold_seed: int, threads: int = 1) -> None:
        self._train, self._threads = train, threads
        self._whole = self._matrix(train)
        self._folds = [
            (self._matrix(train.at(inside)), train.at(outside))
            for inside, outside in folds(train.labels, fold_seed)
        ]

    def _matrix(self, part: Diagnoses) -> xgboost.QuantileDMatrix:
        return xgboost.QuantileDMatrix(
            part.features, part.labels, max_bin=len(self._train) + 1, nthread=self._threads
        )

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        """Report and model, as UBJSON, of each. ValueError for a job that goes on from another:
        its folds' models are not kept."""
        for job in jobs:
            if job.parent is not None or job.first_epoch:
                raise ValueError("a trial of boosted trees begins from scratch")
            yield self._one(job)

    def _one(self, job: Job) -> tuple[Report, bytes]:
        clock = time.thread_time if self._threads == 1 else time.process_time
        began, cpu = time.perf_counter(), clock()
        asked = parameters(
            int(job.configuration["max_depth"]), len(self._train), job.seed, self._threads
        )
        seen: dict[str, dict[str, list[float]]] = {}
        with peak() as memory:
            by_fold = [self._held_out(asked, job.epochs, *fold) for fold in self._folds]
            model = xgboost.train(
                asked, self._whole, job.epochs, evals=[(self._whole, "train")],
                evals_result=seen, verbose_eval=False,
            )  # fmt: skip
        figures = _figures(by_fold, seen["train"])
        if memory.bytes is not None:
            figures["peak_memory_bytes"] = [memory.bytes]
        report = Report(
            job=job.number,
            scores=[-loss for loss in figures["log_loss"]],
            figures=figures,
            epochs=job.epochs,
            cpu_seconds=clock() - cpu,
            seconds=time.perf_counter() - began,
            status=DONE,
        )
        return report, bytes(model.save_raw("ubj"))

    def _held_out(
        self, asked: dict[str, Any], rounds: int, inside: xgboost.DMatrix, outside: Diagnoses
    ) -> dict[str, list[float]]:
        """{metric: after each round} of the rows that a fold's model has not seen."""
        unseen = xgboost.DMatrix(outside.features, outside.labels, nthread=self._threads)
        found: dict[str, dict[str, list[float]]] = {}
        xgboost.train(
            asked,
            inside,
            rounds,
            evals=[(unseen, "unseen")],
            evals_result=found,
            verbose_eval=False,
        )
        return found["unseen"]


def _figures(
    by_fold: Sequence[Mapping[str, Sequence[float]]], seen: Mapping[str, list[float]]
) -> dict[str, list[float]]:
    """After each round: means over the folds, accuracies of each, and of the training rows."""
    error = np.mean([one["error"] for one in by_fold], axis=0)
    return {
        "log_loss": np.mean([one["logloss"] for one in by_fold], axis=0).tolist(),
        "error": error.tolist(),
        "accuracy": (1 - error).tolist(),
        "train_log_loss": seen["logloss"],
        "train_error": seen["error"],
        **{
            f"accuracy_fold_{number}": [1 - error for error in one["error"]]
            for number, one in enumerate(by_fold, 1)
        },
    }


def cross_validated(figures: Mapping[str, float]) -> dict[str, Any]:
    """Accuracy over the folds after the last round: each, mean, and the 95 % interval of the mean.

    The folds' models share most of their rows, so the interval is somewhat too narrow."""
    each = [figures[f"accuracy_fold_{number}"] for number in range(1, FOLDS + 1)]
    mean = float(np.mean(each))
    half = T_OF_FOUR * float(np.std(each, ddof=1)) / FOLDS**0.5
    return {
        "accuracies": each,
        "accuracy": mean,
        "accuracy_interval": [max(mean - half, 0.0), min(mean + half, 1.0)],
        "log_loss": figures["log_loss"],
    }


def predict(state: bytes, part: Diagnoses, threads: int = 1) -> Probabilities:
    """float64[n]: of each row, that it is malignant."""
    model = xgboost.Booster({"nthread": threads})
    model.load_model(bytearray(state))
    return np.asarray(model.inplace_predict(part.features), np.float64)


def judge(probabilities: Probabilities, labels: Labels) -> Judged:
    """A row is called malignant above 0.5, as XGBoost's `error` has it. Figures: log_loss, and
    confusion[label][called], rows."""
    called = probabilities > 0.5
    confusion = [
        [int(((labels == label) & (called == bool(said))).sum()) for said in range(2)]
        for label in range(2)
    ]
    of_label = np.where(labels == 1, probabilities, 1 - probabilities)
    smallest = np.finfo(np.float64).tiny
    log_loss = float(-np.log(np.maximum(of_label, smallest)).mean())
    right = confusion[0][0] + confusion[1][1]
    return Judged(right, len(labels), {"log_loss": log_loss, "confusion": confusion})
