"""The paper's trees: normalised by all rows, chosen by the rows that they are judged on.

What is wrong with it is said in `published`.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import xgboost
from studykit.run import Run

from hyperparameter_tuning import boosting, diagnoses, guards, published_figures
from hyperparameter_tuning.diagnoses import TEST_SHARE, Diagnoses
from hyperparameter_tuning.diagnosis_table import SPLIT_BYTES
from hyperparameter_tuning.jobs import DONE, Job, Report, Step, Trial
from hyperparameter_tuning.quality import Judged

FIGURES = {"train_log_loss": ("train", "logloss"), "train_error": ("train", "error"),
           "log_loss": ("valid", "logloss"), "error": ("valid", "error")}  # fmt: skip
"""{name here: that of XGBoost's, by part}."""


@dataclass(frozen=True)
class Trees:
    train: Diagnoses
    test: Diagnoses
    workers: int  # Of one trial, between which the rows are shared out.
    threads: int

    score_is: ClassVar[str] = "minus log-loss of the test part"

    @classmethod
    def read(cls, run: Run, workers: int = 1) -> "Trees":
        from sklearn.model_selection import train_test_split

        table = diagnoses.read(run.dataset.uri, run.options.split_bytes or SPLIT_BYTES)
        raw = table.features.astype(np.float64)
        deviation = np.where(raw.std(axis=0) > 0, raw.std(axis=0), 1)
        features = ((raw - raw.mean(axis=0)) / deviation).astype(np.float32)
        train, test = train_test_split(
            np.arange(len(table)), test_size=TEST_SHARE, random_state=run.options.seed % 2**32
        )
        whole = replace(table, features=features)
        threads = run.options.threads if workers > 1 else run.threads_of_a_worker
        return cls(whole.at(train), whole.at(test), workers, threads)

    @property
    def chance(self) -> float:
        return self.test.chance

    @property
    def lost(self) -> int:
        """Training rows that no worker is given."""
        return len(self.train) % self.workers

    @property
    def rows(self) -> dict[str, int]:
        train, test = len(self.train), len(self.test)
        return {"rows": train + test, "train_rows": train - self.lost, "test_rows": test}

    def share(self, part: Diagnoses, rank: int) -> Diagnoses:
        """Of a worker: as many rows as every other has."""
        size = len(part) // self.workers
        return part.at(np.arange(rank * size, (rank + 1) * size))

    def compute(self, job: Job, rank: int = 0) -> tuple[Report, bytes]:
        began, cpu = time.perf_counter(), time.process_time()
        asked = {
            "objective": "binary:logistic",
            "eval_metric": ["logloss", "error"],
            "max_depth": int(job.configuration["max_depth"]),
            "nthread": self.threads,
            "seed": job.seed % 2**31,
        }
        train, valid = (
            xgboost.DMatrix(part.features, part.labels, nthread=self.threads)
            for part in (self.share(self.train, rank), self.share(self.test, rank))
        )
        seen: dict[str, dict[str, list[float]]] = {}
        model = xgboost.train(
            asked, train, job.epochs, evals=[(train, "train"), (valid, "valid")],
            evals_result=seen, verbose_eval=False,
        )  # fmt: skip
        figures = {name: seen[part][metric] for name, (part, metric) in FIGURES.items()}
        report = Report(
            job=job.number,
            scores=[-loss for loss in figures["log_loss"]],
            figures=figures | {"iterations": [float(job.epochs + 1)]},
            epochs=job.epochs,
            cpu_seconds=time.process_time() - cpu,
            seconds=time.perf_counter() - began,
            status=DONE,
        )
        return report, bytes(model.save_raw("ubj"))

    def accuracy(self, step: Step) -> float | None:
        return guards.by_error(step)

    def judged(self, state: bytes) -> Judged:
        return boosting.judge(boosting.predict(state, self.test), self.test.labels)

    def model(self, state: bytes) -> bytes:
        return state

    def further(self, trials: Sequence[Trial], state: bytes) -> dict[str, Any]:
        same = published_figures.equal(trials, list(FIGURES))
        depths = {trial.number: trial.configuration["max_depth"] for trial in trials}
        wrong = [
            f"depths {' and '.join(f'{depths[number]:g}' for number in numbers)}, trials"
            f" {', '.join(map(str, numbers))}, came to the same figures:"
            f" {len(numbers) - 1} of {len(trials)} trainings told nothing"
            for numbers in same
        ]
        wrong.append(
            f"the {len(self.test)} rows that chose the best trial judge it: there is no figure of"
            " rows that it has not been chosen by"
        )
        rounds = trials[0].epochs
        wrong.append(f"{rounds + 1} iterations are shown for {rounds} rounds")
        if self.lost:
            wrong.append(
                f"{self.lost} of {len(self.train)} training rows were lost by equal shares of"
                f" {self.workers} workers"
            )
        return {
            "best_configuration": dict(published_figures.best_of(trials)),
            "equal_trials": same,
            "train_rows_lost": self.lost,
            "wrong": wrong,
        }
