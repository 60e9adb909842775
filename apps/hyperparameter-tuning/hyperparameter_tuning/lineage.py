"""Where a trial's model comes from: whose state it copied, when, and what was changed then.

A model is trained along a chain of jobs, each from the state of the one before, which may be
another trial's. The chain is cut into stretches of one trial with one configuration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hyperparameter_tuning.jobs import Configuration, Step, Trial


@dataclass(frozen=True)
class Stretch:
    """Epochs first_epoch … last_epoch - 1 of a model were trained in `trial`."""

    trial: int
    first_epoch: int
    last_epoch: int
    configuration: Configuration
    copied_from: int | None  # The trial whose state it went on from, if not its own.
    perturbation: Mapping[str, str]  # What was done to that one's configuration.
    score: float | None  # At its end.
    jobs: tuple[int, ...]


def of(trials: Sequence[Trial], job: int) -> list[Stretch]:
    """The stretches of the model that a job left, from scratch on."""
    steps = {step.job: (trial.number, step) for trial in trials for step in trial.history}
    chain: list[tuple[int, Step]] = []
    at: int | None = job
    while at is not None:
        chain.append(steps[at])
        at = steps[at][1].parent
    stretches: list[Stretch] = []
    for trial, step in reversed(chain):
        last_epoch = step.first_epoch + step.epochs
        before = stretches[-1] if stretches else None
        if before is not None and before.trial == trial and step.copied_from is None:
            jobs = (*before.jobs, step.job)
            stretches[-1] = replace(before, last_epoch=last_epoch, score=step.score, jobs=jobs)
            continue
        stretch = Stretch(
            trial=trial,
            first_epoch=step.first_epoch,
            last_epoch=last_epoch,
            configuration=step.configuration,
            copied_from=step.copied_from,
            perturbation=step.perturbation,
            score=step.score,
            jobs=(step.job,),
        )
        stretches.append(stretch)
    return stretches


def figures(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """For `quality`: of every survivor from whom, which perturbation, when."""
    return [
        {"trial": trial.number, "stretches": rows(trials, trial.history[-1].job)}
        for trial in trials
        if trial.history
    ]


def rows(trials: Sequence[Trial], job: int) -> list[dict[str, Any]]:
    """The same of the model that one job left."""
    return [
        {
            "trial": stretch.trial,
            "epochs": [stretch.first_epoch, stretch.last_epoch],
            "configuration": dict(stretch.configuration),
            "copied_from": stretch.copied_from,
            "perturbation": dict(stretch.perturbation),
            "score": stretch.score,
            "jobs": list(stretch.jobs),
        }
        for stretch in of(trials, job)
    ]
