"""What Ray Tune's trials reported, as this study's trials: from there on all is the same.

It hears of every job in the driver, in the order in which results come there. By that order jobs
are numbered; a checkpoint's name says which job began with which.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ray import tune

from hyperparameter_tuning.jobs import DONE, Configuration, Job, Report
from hyperparameter_tuning.register import Register, best, last_score
from hyperparameter_tuning.searching import Past, Searched
from hyperparameter_tuning.space import FACTORS, Choice, Space


@dataclass(frozen=True)
class Told:
    """Of one job of a trial. `parent`: the name of the one whose state it began with."""

    name: str
    parent: str | None
    trial: int
    configuration: Configuration
    first_epoch: int
    epochs: int  # Asked for.
    report: Mapping[str, Any]


class Listener(tune.Callback):  # type: ignore[misc]
    """Keeps what is told, when, and the best state so far.

    `folder` has the state of every job by its name: of a trial that is to copy another, Ray Tune
    forgets the last checkpoint, which may be the best.
    """

    def __init__(
        self, firsts: Sequence[Job], folder: Path, progress: Callable[[str], None]
    ) -> None:
        self._firsts, self._folder, self._progress = firsts, folder, progress
        self._began = time.monotonic()
        self.told: list[tuple[Told, float]] = []
        self._names: set[str] = set()
        self._states: dict[str, bytes] = {}
        """Of all jobs that have the best score."""
        self._best = -math.inf

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        told = Told(**result["told"])
        if told.name in self._names:
            return  # Told again at the end of its trial.
        self._names.add(told.name)
        self.told.append((told, time.monotonic() - self._began))
        report = Report(**told.report)
        self._keep(told.name, last_score(report))
        self._progress(
            f"trial {told.trial}, epoch {told.first_epoch + report.epochs}:"
            f" {result['score']:.4f} ({report.status})"
        )

    def _keep(self, name: str, score: float | None) -> None:
        if score is not None and score >= self._best:
            if score > self._best:
                self._states, self._best = {}, score
            self._states[name] = (self._folder / name).read_bytes()
        (self._folder / name).unlink()

    def __getstate__(self) -> dict[str, Any]:
        """Ray Tune keeps a copy with its own state, of which nothing here is read."""
        return {}

    @property
    def seconds(self) -> float:
        """Of all jobs, whoever computed them."""
        return math.fsum(told.report["seconds"] for told, _ in self.told)

    def searched(self, space: Space, seed: int) -> Searched:
        register, names = Register(seed), {}
        jobs: dict[str, Job] = {}
        curve: list[tuple[float, float, float]] = []
        for first in self._firsts:
            register.enter(first.configuration)
        for told, wall in self.told:
            parent = None if told.parent is None else jobs[told.parent]
            job = _entered(register, told, parent, space)
            jobs[told.name] = job
            names[job.number] = told.name
            score = register.trials[job.trial].history[-1].score
            if score is not None and (not curve or score > curve[-1][2]):
                curve.append((register.cpu_seconds, wall, score))
        register.finish(DONE)
        leader = best(register.trials)
        state, wall = None, max((when for _, when in self.told), default=0.0)
        if leader is not None and leader.best_job is not None and leader.score is not None:
            state = self._states[names[leader.best_job]]
            curve.append((register.cpu_seconds, wall, leader.score))
        return Searched(Past(register.trials), state, curve, register.cpu_seconds, wall)


def _entered(register: Register, told: Told, parent: Job | None, space: Space) -> Job:
    trial = register.trials[told.trial]
    trial.configuration = told.configuration
    changes = None
    if parent is not None and parent.trial != told.trial:
        changes = perturbation(space, parent.configuration, told.configuration)
    job = register.job(trial, told.epochs, parent, changes)
    register.tell([replace(Report(**told.report), job=job.number)])
    return job


def perturbation(space: Space, before: Configuration, after: Configuration) -> dict[str, str]:
    """What Ray has done to a configuration, in this study's words."""
    found = {}
    for name, dimension in space.dimensions.items():
        old, new = before[name], after[name]
        if isinstance(dimension, Choice):
            step = dimension.options.index(new) - dimension.options.index(old)
            words = {0: "as it was", 1: "the next higher", -1: "the next lower"}
            found[name] = words.get(step, "drawn anew")
            continue
        factor = next((one for one in FACTORS if math.isclose(old * one, new)), None)
        ends = new in (dimension.low, dimension.high)
        found[name] = f"× {factor}" if factor else ("cut to the range" if ends else "drawn anew")
    return found
