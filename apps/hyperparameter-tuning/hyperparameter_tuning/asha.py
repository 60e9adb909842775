"""Asynchronous successive halving (Li et al. 2020, algorithm 2), asked for `width` jobs at a time.

Rungs at r, r η, r η² … epochs. A free worker promotes a trial that is among the best 1/η of its
rung, from the highest rung down; if there is none, it begins a new trial at the lowest. Whoever
computes, `width` workers are taken to be free at a time, and are told of together: what follows
depends on no clock, unlike the paper's, and with `width` 1 it is the paper's with one worker.
"""

import math
from collections.abc import Sequence

from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.jobs import (
    DONE,
    NOT_PROMOTED,
    RUNNING,
    Job,
    Report,
    Trial,
)
from hyperparameter_tuning.register import Register, best_job, last_jobs, require_positive
from hyperparameter_tuning.space import Space


class SuccessiveHalving:
    """`trials` in all, or as many as the budget pays for; the best train for `epochs`."""

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        trials: int | None,
        epochs: int,
        shortest: int = 1,
        reduction: int = 4,
        width: int = 1,
        budget: Budget | None = None,
    ) -> None:
        require_positive(trials=trials, epochs=epochs, shortest=shortest, width=width)
        if reduction < 2:
            raise ValueError("reduction: less than two halves nothing")
        self._budget = budget or Budget(None)
        self._budget.require_end(trials)
        self._space, self._most, self._width = space, trials, width
        self._reduction = reduction
        self.rungs = rungs(min(shortest, epochs), epochs, reduction)
        self._register = Register(seed)
        self._promoted: list[set[int]] = [set() for _ in self.rungs]

    @property
    def trials(self) -> Sequence[Trial]:
        return self._register.trials

    def ask(self) -> Sequence[Job]:
        if self._register.asked():
            return self._register.asked()
        self._budget.begin()
        for _ in range(self._width):
            if not (self._promote() or self._begin()):
                break
        if not self._register.asked():
            self._finish()
        return self._register.asked()

    def _promote(self) -> bool:
        """Ask for the next rung of the first trial that has earned it and can be paid for."""
        for rung in range(len(self.rungs) - 2, -1, -1):
            there = self._at_least(rung)
            for trial in there[: len(there) // self._reduction]:
                if trial.number in self._promoted[rung] or trial.status != RUNNING:
                    continue
                epochs = self.rungs[rung + 1] - trial.epochs
                granted = self._budget.granted(self._register, epochs)
                if granted > 0:
                    self._promoted[rung].add(trial.number)
                    self._register.job(trial, granted, self._register.last_job(trial))
                    return True
        return False

    def _at_least(self, rung: int) -> list[Trial]:
        """All trials that ever reached a rung, the best there first; ties by number."""

        def order(trial: Trial) -> tuple[float, int]:
            score = trial.history[rung].score
            return (math.inf if score is None else -score, trial.number)

        return sorted((trial for trial in self.trials if len(trial.history) > rung), key=order)

    def _begin(self) -> bool:
        if self._most is not None and len(self.trials) >= self._most:
            return False
        granted = self._budget.granted(self._register, self.rungs[0])
        if granted > 0:
            number = len(self.trials)
            trial = self._register.enter(self._space.sample(self._register.random(number)))
            self._register.job(trial, granted)
        return granted > 0

    def _finish(self) -> None:
        for trial in self.trials:
            if trial.status == RUNNING and trial.epochs >= self.rungs[-1]:
                trial.status = DONE
        self._register.finish(NOT_PROMOTED)

    def tell(self, reports: Sequence[Report]) -> None:
        self._register.tell(reports)

    def needed(self) -> set[int]:
        return last_jobs(self.trials, RUNNING) | best_job(self.trials)


def rungs(shortest: int, epochs: int, reduction: int) -> list[int]:
    """Epochs at each: [1, 4, 16, 25] of 25; the last is all, whatever it is a multiple of."""
    found = [shortest]
    while found[-1] * reduction < epochs:
        found.append(found[-1] * reduction)
    return found if found[-1] == epochs else [*found, epochs]
