"""What a search has asked and been told: the bookkeeping that all searches share.

Random numbers are functions of (seed, trial, generation), not of what was drawn before. So the
first configurations and the initial weights of a trial are the same in every search of one seed:
searches differ in what they decide, and are compared on equal terms.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from studykit.errors import UsageError

from hyperparameter_tuning.jobs import (
    DIVERGED,
    RUNNING,
    STOPPED_EARLY,
    Configuration,
    Job,
    Report,
    Step,
    Trial,
)

_WEIGHTS, _CHOICES = 0, 1  # What random numbers are for, so that none are used twice.


class Register:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.trials: list[Trial] = []
        self.jobs: list[Job] = []
        self.reports: list[Report] = []
        self._waiting: list[tuple[Job, int | None, Mapping[str, str]]] = []

    def random(self, trial: int, generation: int = 0) -> np.random.Generator:
        """What is drawn for a trial; generation 0 is its first configuration."""
        return np.random.default_rng([self.seed, _CHOICES, trial, generation])

    def enter(self, configuration: Configuration) -> Trial:
        trial = Trial(len(self.trials), configuration)
        self.trials.append(trial)
        return trial

    def job(
        self,
        trial: Trial,
        epochs: int,
        parent: Job | None = None,
        perturbation: Mapping[str, str] | None = None,
    ) -> Job:
        """Ask for a trial to be trained on, from the state of `parent`, its own or another's."""
        weights = np.random.SeedSequence([self.seed, _WEIGHTS, trial.number])
        job = Job(
            number=len(self.jobs),
            trial=trial.number,
            configuration=trial.configuration,
            parent=None if parent is None else parent.number,
            first_epoch=0 if parent is None else self.epochs_behind(parent),
            epochs=epochs,
            seed=int(weights.generate_state(1)[0]),
        )
        copied = None if parent is None or parent.trial == trial.number else parent.trial
        self.jobs.append(job)
        self._waiting.append((job, copied, perturbation or {}))
        return job

    def epochs_behind(self, job: Job) -> int:
        return job.first_epoch + self.reports[job.number].epochs

    def asked(self) -> list[Job]:
        """The jobs whose reports are waited for."""
        return [job for job, _, _ in self._waiting]

    def tell(self, reports: Sequence[Report]) -> None:
        """Take the reports of the jobs that are waited for, in their order."""
        waiting, self._waiting = self._waiting, []
        numbers = [job.number for job, _, _ in waiting]
        if [report.job for report in reports] != numbers:
            raise ValueError(f"reports of other jobs than {numbers}")
        for (job, copied, perturbation), report in zip(waiting, reports, strict=True):
            self.reports.append(report)
            self._take(job, report, copied, perturbation)

    def _take(
        self, job: Job, report: Report, copied: int | None, perturbation: Mapping[str, str]
    ) -> None:
        trial, score = self.trials[job.trial], last_score(report)
        step = Step(
            job=job.number,
            parent=job.parent,
            first_epoch=job.first_epoch,
            epochs=report.epochs,
            configuration=job.configuration,
            score=score,
            copied_from=copied,
            perturbation=perturbation,
            figures={name: values[-1] for name, values in report.figures.items() if values},
        )
        trial.history.append(step)
        trial.epochs += report.epochs
        trial.cpu_seconds += report.cpu_seconds
        trial.parent = trial.parent if copied is None else copied
        trial.status = report.status if report.status in (STOPPED_EARLY, DIVERGED) else RUNNING
        if score is not None and (trial.score is None or score > trial.score):
            trial.score, trial.best_job = score, job.number

    @property
    def cpu_seconds(self) -> float:
        return math.fsum(report.cpu_seconds for report in self.reports)

    def last_job(self, trial: Trial) -> Job:
        return self.jobs[trial.history[-1].job]

    def finish(self, status: str) -> None:
        """What becomes of the trials that would go on."""
        for trial in self.trials:
            if trial.status == RUNNING:
                trial.status = status


def last_score(report: Report) -> float | None:
    """That of the state which the job left; None where that is of no use."""
    if report.status == DIVERGED or not report.scores or not math.isfinite(report.scores[-1]):
        return None
    return report.scores[-1]


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were trained, from the best at the end of its last job; ties by number."""

    def order(trial: Trial) -> tuple[float, int]:
        score = trial.history[-1].score
        return (math.inf if score is None else -score, trial.number)

    return sorted((trial for trial in trials if trial.history), key=order)


def best(trials: Sequence[Trial]) -> Trial | None:
    """Of the best state that any trial ever left; ties by number."""
    scored = [trial for trial in trials if trial.score is not None]
    return max(scored, key=lambda trial: (trial.score or 0.0, -trial.number), default=None)


def best_job(trials: Sequence[Trial]) -> set[int]:
    """The number of the job that left the best state, if any did."""
    leader = best(trials)
    return set() if leader is None or leader.best_job is None else {leader.best_job}


def last_jobs(trials: Sequence[Trial], *statuses: str) -> set[int]:
    """Numbers of the last jobs of the trials of these statuses."""
    return {trial.history[-1].job for trial in trials if trial.status in statuses and trial.history}


def best_configuration(trial: Trial) -> Configuration:
    """With which its best state was trained last, which need not be the trial's last one."""
    return next(step.configuration for step in trial.history if step.job == trial.best_job)


def require_positive(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise UsageError(f"{name.replace('_', ' ')}: {number} is less than one")
