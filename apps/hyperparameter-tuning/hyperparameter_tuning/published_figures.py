"""Of the trials of a published search: which are the same, and with what the best was trained."""

from collections.abc import Sequence

from hyperparameter_tuning.jobs import Configuration, Trial
from hyperparameter_tuning.register import best, best_configuration


def equal(trials: Sequence[Trial], names: Sequence[str]) -> list[list[int]]:
    """Numbers of the trials that have the same of these figures, where two or more have."""
    by_figures: dict[tuple[float, ...], list[int]] = {}
    for trial in trials:
        figures = trial.history[-1].figures
        by_figures.setdefault(tuple(figures[name] for name in names), []).append(trial.number)
    return [numbers for numbers in by_figures.values() if len(numbers) > 1]


def best_of(trials: Sequence[Trial]) -> Configuration:
    leader = best(trials)
    assert leader is not None
    return best_configuration(leader)
