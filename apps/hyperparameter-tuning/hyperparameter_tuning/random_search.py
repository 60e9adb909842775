"""Random search (Bergstra and Bengio 2012); of the space of one point, what a user gets who does
not search.

It trains trial after trial from scratch, in jobs of `interval` epochs, so that a trial's states are
kept, and the budget looked at, as often as in the searches that it stands beside. A trial ends when
its trainer stops it early, or after `epochs`. Of one point, the first trial is the training that
such a user would run; those after it, from other weights, only use up the budget that the searches
had, as the best of several trainings would.
"""

from collections.abc import Sequence

from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.jobs import (
    DONE,
    OUT_OF_BUDGET,
    RUNNING,
    Job,
    Report,
    Trial,
)
from hyperparameter_tuning.register import Register, best_job, last_jobs, require_positive
from hyperparameter_tuning.space import Space


class RandomSearch:
    """`trials` in all, or as many as the budget pays for; `width` of them at a time."""

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        trials: int | None,
        epochs: int,
        interval: int | None = None,
        width: int = 1,
        budget: Budget | None = None,
    ) -> None:
        require_positive(trials=trials, epochs=epochs, interval=interval, width=width)
        self._budget = budget or Budget(None)
        self._budget.require_end(trials)
        self._most, self._epochs, self._width = trials, epochs, width
        self._interval = interval or epochs
        self._register, self._space = Register(seed), space

    @property
    def trials(self) -> Sequence[Trial]:
        return self._register.trials

    def ask(self) -> Sequence[Job]:
        if self._register.asked():
            return self._register.asked()
        self._budget.begin()
        going = [trial for trial in self.trials if trial.status == RUNNING]
        for trial in going:
            self._ask_for(trial)
        for _ in range(self._width - len(going)):
            if self._most is not None and len(self.trials) >= self._most:
                break
            if not self._begin():
                break
        if not self._register.asked():
            self._register.finish(OUT_OF_BUDGET)
        return self._register.asked()

    def _begin(self) -> bool:
        """Ask for one trial more, if it can be paid for."""
        granted = self._budget.granted(self._register, min(self._interval, self._epochs))
        if granted > 0:
            drawn = self._space.sample(self._register.random(len(self.trials)))
            trial = self._register.enter(drawn)
            self._register.job(trial, granted)
        return granted > 0

    def _ask_for(self, trial: Trial) -> None:
        epochs = min(self._interval, self._epochs - trial.epochs)
        granted = self._budget.granted(self._register, epochs)
        if granted > 0:
            self._register.job(trial, granted, self._register.last_job(trial))

    def tell(self, reports: Sequence[Report]) -> None:
        self._register.tell(reports)
        for trial in self.trials:
            if trial.status == RUNNING and trial.epochs >= self._epochs:
                trial.status = DONE

    def needed(self) -> set[int]:
        return last_jobs(self.trials, RUNNING) | best_job(self.trials)
