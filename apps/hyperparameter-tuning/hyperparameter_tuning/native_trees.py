"""A grid of boosted trees as users of Ray write it: Ray Tune runs it, Ray Train computes a trial.

Every trial of `tune.grid_search` is an `XGBoostTrainer`, whose workers each hold a share of the
rows and grow the same trees by exchanging histograms; trials follow one another, for each takes all
workers. Bins do not depend on the shares (see `boosting`), so a trial has the figures that one
process has, to rounding.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ray
import ray.train
from ray import tune
from studykit import processes
from studykit.run import Run
from xgboost import collective

from hyperparameter_tuning import ray_bundles, ray_trials
from hyperparameter_tuning.boosting import BoostingTrainer
from hyperparameter_tuning.diagnoses import Diagnoses
from hyperparameter_tuning.jobs import Job, Report
from hyperparameter_tuning.of_diagnoses import Diagnosis
from hyperparameter_tuning.problem import Problem


class GridOfTrainers:
    """A `team.Team` of a grid, whose jobs are all asked for at once."""

    def __init__(self, run: Run) -> None:
        self._count, self._threads = run.options.worker_count, run.options.threads
        self.sent, self._compute = 0, 0.0
        ray_bundles.require({"CPU": self._threads}, self._count)

    def begin(self, problem: Problem) -> None:
        self._problem = problem
        # Ray Tune gives the trials a reference; each worker of each of them fetches it.
        self._held = [ray.put(problem)]

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        with processes.temporary_folder("study-ray-tune-") as folder:
            asked = Asked(tuple(jobs), self._held, self._count, self._threads, folder)
            tuner = tune.Tuner(
                # The cores are Ray Train's to ask for: the function only waits for its workers.
                # Ray Tune takes no request for nothing, so it is for a byte.
                tune.with_resources(tune.with_parameters(trial, asked=asked), {"memory": 1}),
                param_space={
                    "max_depth": tune.grid_search([_depth(job) for job in jobs]),
                },
                tune_config=tune.TuneConfig(
                    metric="score", mode="max", max_concurrent_trials=1, reuse_actors=True
                ),
                run_config=tune.RunConfig(name="grid", storage_path=folder, verbose=0),
            )
            found = ray_bundles.fitted(tuner)
            answers = {
                int(one.config["max_depth"]): ray_trials.read(one.checkpoint) for one in found
            }
        for job in jobs:
            report, state = answers[_depth(job)]
            self._compute += report.seconds
            self.sent += self._problem.size * self._count + len(state)
            yield report, state

    def seconds(self) -> list[dict[str, float]]:
        return [{"load": 0.0, "compute": self._compute} for _ in range(self._count)]

    def close(self) -> None:
        """Ray Tune has ended its actors."""


@dataclass(frozen=True)
class Asked:
    """What a trial is given beside its point of the grid. `folder`: of all trials."""

    jobs: tuple[Job, ...]
    problem: list["ray.ObjectRef[Problem]"]
    workers: int
    threads: int
    folder: str


def trial(config: dict[str, Any], asked: Asked) -> None:
    """Ray Tune's function: have the point trained by Ray Train, report it with its model."""
    (job,) = (one for one in asked.jobs if _depth(one) == config["max_depth"])
    report, state = ray_trials.trained(
        on_every_worker,
        {"problem": asked.problem, "threads": asked.threads},
        job=job,
        workers=asked.workers,
        threads=asked.threads,
        folder=asked.folder,
    )
    ray_trials.tell(report, state, asked.folder)


def on_every_worker(config: dict[str, Any]) -> tuple[Report, bytes]:
    """Ray Train's loop; what the first worker returns is the trainer's result."""
    context = ray.train.get_context()
    problem: Diagnosis = ray.get(config["problem"][0])
    trainer = ShareTrainer(
        problem.parts.train,
        problem.seed,
        config["threads"],
        rank=context.get_world_rank(),
        count=context.get_world_size(),
    )
    ((report, state),) = trainer.train([config["job"]], {})
    return _of_all(report), state


class ShareTrainer(BoostingTrainer):
    """One worker of several: of every part it holds each `count`th row, from its rank on.

    XGBoost sums over the workers what it counts: histograms, the figures of rows that are judged.
    """

    def __init__(
        self, train: Diagnoses, fold_seed: int, threads: int, *, rank: int, count: int
    ) -> None:
        self._rank, self._count = rank, count
        super().__init__(train, fold_seed, threads)
        self._folds = [(inside, self._own(outside)) for inside, outside in self._folds]

    def _own(self, part: Diagnoses) -> Diagnoses:
        return part.at(np.arange(self._rank, len(part), self._count))

    def _matrix(self, part: Diagnoses) -> Any:
        return super()._matrix(self._own(part))


def _of_all(report: Report) -> Report:
    """CPU-seconds of all workers together, the most memory and time of any."""

    def over_all(value: float, how: collective.Op) -> float:
        return float(collective.allreduce(np.array([value]), how)[0])

    figures = dict(report.figures)
    if "peak_memory_bytes" in figures:
        most = over_all(figures["peak_memory_bytes"][0], collective.Op.MAX)
        figures["peak_memory_bytes"] = [int(most)]
    return replace(
        report,
        figures=figures,
        cpu_seconds=over_all(report.cpu_seconds, collective.Op.SUM),
        seconds=over_all(report.seconds, collective.Op.MAX),
    )


def _depth(job: Job) -> int:
    return int(job.configuration["max_depth"])
