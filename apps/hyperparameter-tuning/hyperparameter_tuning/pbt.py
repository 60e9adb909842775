"""Population-based training (Jaderberg et al. 2017), synchronous by generations.

All trials train for some epochs. Then each of the worst quarter gives its state up for that of one
of the best quarter, with its configuration perturbed (`exploit` by truncation selection,
`explore`: section 4), and all train on. A generation is one `ask`, so that nothing depends on who
is done first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.jobs import (
    DONE,
    EXPLOITED,
    OUT_OF_BUDGET,
    RUNNING,
    STOPPED_EARLY,
    Configuration,
    Job,
    Report,
    Trial,
)
from hyperparameter_tuning.register import Register, best_job, last_jobs, ranked, require_positive
from hyperparameter_tuning.space import Space

QUARTER = 4


@dataclass(frozen=True)
class _Copy:
    """What a trial goes on with in place of its own state."""

    source: Job
    configuration: Configuration
    perturbation: Mapping[str, str]


class PopulationBasedTraining:
    """`trials` members, `epochs` in all for each, a generation every `interval` of them."""

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        trials: int,
        epochs: int,
        interval: int,
        budget: Budget | None = None,
    ) -> None:
        require_positive(trials=trials, epochs=epochs, interval=interval)
        self._space, self._epochs, self._interval = space, epochs, interval
        self._budget = budget or Budget(None)
        self._register = Register(seed)
        for number in range(trials):
            self._register.enter(space.sample(self._register.random(number)))
        self._copies: dict[int, _Copy] = {}
        self._done, self._generation = 0, 0

    @property
    def trials(self) -> Sequence[Trial]:
        return self._register.trials

    def ask(self) -> Sequence[Job]:
        if self._register.asked():
            return self._register.asked()
        epochs = min(self._interval, self._epochs - self._done)
        if epochs < 1:
            self._register.finish(DONE)
            return []
        self._budget.begin()
        for trial in self._register.trials:
            if trial.status in (RUNNING, EXPLOITED):
                self._ask_for(trial, epochs)
        if not self._register.asked():
            self._register.finish(OUT_OF_BUDGET)
        return self._register.asked()

    def _ask_for(self, trial: Trial, epochs: int) -> None:
        granted = self._budget.granted(self._register, epochs)
        if granted < 1:
            return
        copy = self._copies.get(trial.number)
        if copy is not None:
            trial.configuration = copy.configuration
            self._register.job(trial, granted, copy.source, copy.perturbation)
        else:
            own = self._register.last_job(trial) if trial.history else None
            self._register.job(trial, granted, own)

    def tell(self, reports: Sequence[Report]) -> None:
        self._register.tell(reports)
        self._done += self._interval
        self._generation += 1
        self._copies = {}
        if self._done < self._epochs:
            self._exploit()

    def _exploit(self) -> None:
        order = ranked(self._register.trials)
        quarter = max(1, len(order) // QUARTER) if len(order) > 1 else 0
        for trial in order[len(order) - quarter :]:
            random = self._register.random(trial.number, self._generation)
            source = order[random.integers(quarter)]
            if _better(source, trial):
                job = self._register.last_job(source)
                configuration, done = self._space.perturbed(job.configuration, random)
                self._copies[trial.number] = _Copy(job, configuration, done)
                trial.status = EXPLOITED

    def needed(self) -> set[int]:
        if self._done >= self._epochs:
            return best_job(self.trials)
        # One that stopped early trains no more, but may be copied.
        last = last_jobs(self.trials, RUNNING, STOPPED_EARLY)
        sources = {copy.source.number for copy in self._copies.values()}
        return last | sources | best_job(self.trials)


def _better(source: Trial, trial: Trial) -> bool:
    theirs, own = source.history[-1].score, trial.history[-1].score
    return theirs is not None and (own is None or theirs > own)
