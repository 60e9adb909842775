"""All points of a grid, each once: equal points are one trial, and it is said which.

The paper's own grid had the depth 1 twice, and printed the same row twice.
"""

import itertools
from collections.abc import Mapping, Sequence

from studykit.errors import UsageError

from hyperparameter_tuning.jobs import DONE, Configuration, Job, Report, Trial
from hyperparameter_tuning.register import Register, best_job, require_positive


class Grid:
    """Every combination of the axes' values, for `epochs` each, in one `ask`."""

    def __init__(
        self, axes: Mapping[str, Sequence[float | int]], *, seed: int, epochs: int
    ) -> None:
        require_positive(epochs=epochs)
        self._register = Register(seed)
        self._epochs = epochs
        self.points: list[tuple[Configuration, int]] = []
        """All that were asked for, in their order, each with the number of its trial."""
        for point in _product(axes):
            number = self._number(point)
            self.points.append((point, number))
        self._begun = False

    def _number(self, point: Configuration) -> int:
        for trial in self._register.trials:
            if trial.configuration == point:
                return trial.number
        return self._register.enter(point).number

    @property
    def said(self) -> list[str]:
        """Which points are the same, in words; nothing where all differ."""
        counts = [sum(number == trial.number for _, number in self.points) for trial in self.trials]
        return [
            f"{_words(trial.configuration)}: asked for {count} times, run once"
            for trial, count in zip(self.trials, counts, strict=True)
            if count > 1
        ]

    @property
    def trials(self) -> Sequence[Trial]:
        return self._register.trials

    def ask(self) -> Sequence[Job]:
        if not self._begun:
            self._begun = True
            for trial in self.trials:
                self._register.job(trial, self._epochs)
        return self._register.asked()

    def tell(self, reports: Sequence[Report]) -> None:
        self._register.tell(reports)
        self._register.finish(DONE)

    def needed(self) -> set[int]:
        return best_job(self.trials)


def _product(axes: Mapping[str, Sequence[float | int]]) -> list[Configuration]:
    empty = [name for name, values in axes.items() if not values]
    if not axes or empty:
        raise UsageError(f"the grid is empty{f': no {empty[0]}' if empty else ''}")
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _words(configuration: Configuration) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in configuration.items())
