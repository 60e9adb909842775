"""Population-based training as users of Ray write it: Ray Tune's scheduler, a function trainable.

A trial trains job by job with the study's own trainer and reports a checkpoint after each. Ray Tune
stops a bad one and starts its function again with a good one's checkpoint, the configuration
perturbed. It does so as results come, not by generations, so which trial copies which is a matter
of time: two searches of one seed begin alike and end otherwise.

Ray Tune multiplies by 0.8 or 1.2 past the ends of a range; `within` cuts to it, as the paper's own
search should have.
"""

import functools
import json
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.schedulers import PopulationBasedTraining
from studykit import processes
from studykit.run import Run

from hyperparameter_tuning import ray_bundles, searches, worker
from hyperparameter_tuning.jobs import DONE, Job
from hyperparameter_tuning.native_told import Listener, Told
from hyperparameter_tuning.problem import Problem
from hyperparameter_tuning.register import last_score
from hyperparameter_tuning.searching import Searched
from hyperparameter_tuning.space import Choice, Dimension, Space

STATE, TOLD, LEFT = "state", "told.json", "left"
KEPT = 3
"""Checkpoints of a trial, at least: of fewer, Ray may delete one that another trial is to copy."""
FAILURES = 3
"""Of a trial; it goes on from its last checkpoint."""
NO_SCORE = -1.0
"""Of a training that diverged: worse than any accuracy, so that Ray copies over it."""


def searched(run: Run, of: Problem) -> tuple[Searched, float]:
    """The search, and the seconds of all its jobs.

    ResourceError, before Ray waits for it, where a trial has no place.
    """
    asked, options = run.parameters, run.options
    # A cluster that is joined may have more cores than were asked for.
    share = int(ray.cluster_resources()["CPU"]) // options.worker_count
    ray_bundles.require({"CPU": share}, options.worker_count)
    space, firsts = searches.space(asked.axes), first_jobs(run)
    with processes.temporary_folder("study-ray-tune-") as folder:
        left = Path(folder) / LEFT
        left.mkdir()
        told = Listener(firsts, left, run.progress)
        given = Given(
            [ray.put(of)], firsts, asked.most_epochs, asked.interval, options.threads, left
        )
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(member, given=given), {"CPU": share}),
            param_space={
                "trial": tune.grid_search([job.trial for job in firsts]),
                **{
                    name: tune.sample_from(functools.partial(first_value, firsts, name))
                    for name in space.dimensions
                },
            },
            tune_config=tune.TuneConfig(
                metric="score", mode="max", reuse_actors=True,
                scheduler=scheduler(space, asked.interval, options.seed, options.worker_count),
            ),
            run_config=tune.RunConfig(
                name="population", storage_path=folder, verbose=0, callbacks=[told],
                checkpoint_config=tune.CheckpointConfig(num_to_keep=max(asked.num_to_keep, KEPT)),
                failure_config=tune.FailureConfig(max_failures=FAILURES),
            ),
        )  # fmt: skip
        ray_bundles.fitted(tuner)
    return told.searched(space, options.seed), told.seconds


def first_jobs(run: Run) -> tuple[Job, ...]:
    """Those of this study's own search: its first configurations, its trials' seeds."""
    asked = run.parameters
    search = searches.of_networks(
        searches.PBT, asked.axes, seed=run.options.seed, trials=asked.trials,
        epochs=asked.most_epochs, interval=asked.interval,
    )  # fmt: skip
    return tuple(search.ask())


def first_value(firsts: Sequence[Job], name: str, config: dict[str, Any]) -> float | int:
    return firsts[config["trial"]].configuration[name]


class FairTurns(PopulationBasedTraining):  # type: ignore[misc]  # ray.tune has no types
    """Lets all actors work and all trials have their turn, where there are more trials than actors.

    Ray Tune has one trial ready at a time, and ends an actor for which there is none. So of two
    that pause together it ends one; and where an epoch takes less than the start of an actor, its
    successor is never waited for: one actor computes all that is left.

    A trial that copies another has that one's epochs. Of those that have the fewest, Ray Tune takes
    the first by number; where scores are equal that may be for ever the same few, which train an
    epoch, copy, and train it again, while those that they copy never go on.
    """

    def __init__(self, actors: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._actors = actors
        self._turns: dict[Trial, int] = {}
        """When each trial last reported."""

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        self._turns[trial] = max(self._turns.values(), default=0) + 1
        decision: str = super().on_trial_result(tune_controller, trial, result)
        return decision

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        """Of those with the fewest epochs the one that has waited longest."""
        trials = tune_controller.get_trials()
        ready = [trial for trial in trials if trial.status == Trial.PENDING]
        paused = [trial for trial in trials if trial.status == Trial.PAUSED]
        return min(
            paused if paused and len(ready) < self._actors else ready,
            key=lambda trial: (self._trial_state[trial].last_train_time, self._turns.get(trial, 0)),
            default=None,
        )


def scheduler(space: Space, interval: int, seed: int, actors: int) -> PopulationBasedTraining:
    """A quarter copies a quarter, and draws anew with 0.25: Ray's defaults, and this study's."""
    random = np.random.default_rng(seed % 2**63)

    def mutation(dimension: Dimension) -> Any:
        if isinstance(dimension, Choice):
            return list(dimension.options)
        return lambda: dimension.sample(random)

    return FairTurns(
        actors,
        time_attr="epochs",
        perturbation_interval=interval,
        hyperparam_mutations={
            name: mutation(dimension) for name, dimension in space.dimensions.items()
        },
        custom_explore_fn=functools.partial(within, space),
        log_config=False,
    )


def within(space: Space, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration, every range's value cut to it."""
    cut = {
        name: min(max(config[name], dimension.low), dimension.high)
        for name, dimension in space.dimensions.items()
        if not isinstance(dimension, Choice)
    }
    return config | cut


@dataclass(frozen=True)
class Given:
    """What a trial is given beside its configuration."""

    problem: list["ray.ObjectRef[Problem]"]
    firsts: tuple[Job, ...]
    epochs: int
    interval: int
    threads: int
    left: Path  # Where a job leaves its state, by its name, for the driver.


def member(config: dict[str, Any], given: Given) -> None:
    """Ray Tune's function: train on from the checkpoint that it is given, its own or another's."""
    problem = ray.get(given.problem[0])
    # Not that of the configuration, which is copied with it.
    number = int(tune.get_context().get_trial_id().rpartition("_")[2])
    configuration = {name: config[name] for name in given.firsts[number].configuration}
    parent, state, done = _begun()
    while done < given.epochs:
        epochs = min(given.interval, given.epochs - done)
        seed = given.firsts[number].seed
        before = None if parent is None else 0  # Jobs have no numbers here.
        job = Job(0, number, configuration, before, done, epochs, seed)
        computed = worker.compute(problem, job, state, given.threads, 0)
        report, state = computed.report, computed.state
        told = Told(uuid.uuid4().hex, parent, number, configuration, done, epochs, asdict(report))
        parent, done = told.name, done + report.epochs
        score = last_score(report)
        (given.left / told.name).write_bytes(state)
        figures = {"score": NO_SCORE if score is None else score, "epochs": done}
        with tempfile.TemporaryDirectory(dir=given.left) as folder:
            write(folder, told, state)
            checkpoint = tune.Checkpoint.from_directory(folder)
            tune.report({**figures, "told": asdict(told)}, checkpoint=checkpoint)
        if report.status != DONE:
            return  # It has not been given another's checkpoint.


def _begun() -> tuple[str | None, bytes | None, int]:
    """The name of the job that left the checkpoint, its state, and the epochs behind it."""
    checkpoint = tune.get_checkpoint()
    if checkpoint is None:
        return None, None, 0
    with checkpoint.as_directory() as folder:
        told, state = read(folder)
    return told.name, state, told.first_epoch + told.report["epochs"]


def write(folder: str, told: Told, state: bytes) -> None:
    (Path(folder) / STATE).write_bytes(state)
    (Path(folder) / TOLD).write_text(json.dumps(asdict(told)))


def read(folder: str) -> tuple[Told, bytes]:
    told = Told(**json.loads((Path(folder) / TOLD).read_text()))
    return told, (Path(folder) / STATE).read_bytes()
