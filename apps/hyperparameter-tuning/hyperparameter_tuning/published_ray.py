"""The paper's searches on Ray: Ray Tune runs the points of the grid, equal ones too.

A trial of trees is an `XGBoostTrainer` of all workers, one of networks a function on its own cores.
The paper's own ran on a GPU; asking for one that is not there was its endless wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import ray
import ray.train
from ray import tune
from studykit import processes
from studykit.run import Run

from hyperparameter_tuning import paper, published, ray_bundles, ray_trials
from hyperparameter_tuning.jobs import Job, Report
from hyperparameter_tuning.native_ray import require_one_host
from hyperparameter_tuning.published import Compute, Published


def reader(run: Run) -> Callable[[Run], Published]:
    if run.parameters.study == paper.BREAST_CANCER:
        from hyperparameter_tuning.published_trees import Trees

        return lambda run: Trees.read(run, run.options.worker_count)
    return published.reader(run)


def computing(run: Run) -> Compute:
    """ResourceError, before Ray waits for it, where there is no such cluster."""
    require_one_host(run.options)
    options = run.options
    ray_bundles.require({"CPU": options.threads}, options.worker_count)
    trees = run.parameters.study == paper.BREAST_CANCER
    # The cores of trees are Ray Train's to ask for; Ray Tune takes no request for nothing.
    bundle = {"memory": 1} if trees else {"CPU": options.threads}
    workers = options.worker_count if trees else 0

    def compute(of: Published, jobs: Sequence[Job]) -> list[tuple[Report, bytes]]:
        with processes.temporary_folder("study-ray-tune-") as folder:
            given = Given([ray.put(of)], tuple(jobs), folder, workers, options.threads)
            tuner = tune.Tuner(
                tune.with_resources(tune.with_parameters(trial, given=given), bundle),
                param_space={"trial": tune.grid_search([job.trial for job in jobs])},
                tune_config=tune.TuneConfig(
                    metric="score", mode="max", reuse_actors=True,
                    max_concurrent_trials=1 if trees else options.worker_count,
                ),
                run_config=tune.RunConfig(name="published", storage_path=folder, verbose=0),
            )  # fmt: skip
            found = {one.config["trial"]: one for one in ray_bundles.fitted(tuner)}
            return [ray_trials.read(found[job.trial].checkpoint) for job in jobs]

    return compute


@dataclass(frozen=True)
class Given:
    """What a trial is given beside its number. `workers`: of Ray Train; none: the trial trains."""

    problem: list["ray.ObjectRef[Published]"]
    jobs: tuple[Job, ...]
    folder: str
    workers: int
    threads: int


def trial(config: dict[str, Any], given: Given) -> None:
    """Ray Tune's function."""
    job = given.jobs[config["trial"]]
    report, state = by_workers(job, given) if given.workers else by_itself(job, given)
    ray_trials.tell(report, state, given.folder)


def by_itself(job: Job, given: Given) -> tuple[Report, bytes]:
    found: tuple[Report, bytes] = ray.get(given.problem[0]).compute(job)
    return found


def by_workers(job: Job, given: Given) -> tuple[Report, bytes]:
    return ray_trials.trained(
        on_every_worker,
        {"problem": given.problem},
        job=job,
        workers=given.workers,
        threads=given.threads,
        folder=given.folder,
    )


def on_every_worker(config: dict[str, Any]) -> tuple[Report, bytes]:
    """Ray Train's loop; what the first worker returns is the trainer's result."""
    from xgboost import collective

    rank = ray.train.get_context().get_world_rank()
    report, state = ray.get(config["problem"][0]).compute(config["job"], rank)
    cpu = collective.allreduce(np.array([report.cpu_seconds]), collective.Op.SUM)
    return replace(report, cpu_seconds=float(cpu[0])), state
