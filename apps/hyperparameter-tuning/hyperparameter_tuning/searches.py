"""From what was asked for to a search: its space or grid, its trials, its budget."""

from typing import NamedTuple

from studykit.errors import UsageError

from hyperparameter_tuning.asha import SuccessiveHalving
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import Configuration, Search
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.random_search import RandomSearch
from hyperparameter_tuning.space import NETWORK_DEFAULT, Choice, Space, Uniform, point

GRID, PBT, ASHA, RANDOM, DEFAULT = "grid", "pbt", "asha", "random", "default"
OF_NETWORKS = (PBT, ASHA, RANDOM, DEFAULT)
WIDTH = 4
"""Trials of a random search, or jobs of ASHA, that are asked for at a time: by this, and not by the
workers, a search knows how many are free."""


class Axes(NamedTuple):
    """As they were written on the command line."""

    max_depth: str
    learning_rate: str
    batch_size: str
    dropout: str


def require_something(axes: Axes, trees: bool) -> None:
    """UsageError where there is nothing to search."""
    if trees:
        Grid({"max_depth": depths(axes)}, seed=0, epochs=1)
    else:
        space(axes)


def depths(axes: Axes) -> list[int]:
    found = [_whole("max-depth", value) for value in _listed("max-depth", axes.max_depth)]
    if min(found, default=1) < 1:
        raise UsageError(f"--max-depth {axes.max_depth}: a tree is one deep at least")
    return found


def space(axes: Axes) -> Space:
    sizes = [_whole("batch-size", value) for value in _listed("batch-size", axes.batch_size)]
    if min(sizes, default=1) < 1:
        raise UsageError(f"--batch-size {axes.batch_size}: a batch has one picture at least")
    low, high = _range("dropout", axes.dropout)
    if not 0 <= low <= high < 1:
        raise UsageError(f"--dropout {axes.dropout}: a share, 0 to less than 1")
    return Space(
        {
            "learning_rate": Uniform(*_range("learning-rate", axes.learning_rate), True),
            "batch_size": Choice(tuple(sorted(set(sizes)))),
            "dropout": Uniform(low, high),
        }
    )


def allowed(kind: str, axes: Axes) -> tuple[Space | None, list[Configuration]]:
    """The space, or the only configurations, that a search of this kind may come to."""
    if kind == GRID:
        return None, [{"max_depth": depth} for depth in depths(axes)]
    return (point(NETWORK_DEFAULT) if kind == DEFAULT else space(axes)), []


def grid(axes: Axes, *, seed: int, epochs: int) -> Grid:
    return Grid({"max_depth": depths(axes)}, seed=seed, epochs=epochs)


def of_networks(
    kind: str,
    axes: Axes,
    *,
    seed: int,
    trials: int,
    epochs: int,
    interval: int,
    budget: Budget | None = None,
) -> Search:
    """With a budget, as many trials as it pays for."""
    most, seed = (trials if budget is None else None), seed % 2**63
    if kind == PBT:
        return PopulationBasedTraining(
            space(axes), seed=seed, trials=trials, epochs=epochs, interval=interval, budget=budget
        )
    if kind == ASHA:
        return SuccessiveHalving(
            space(axes), seed=seed, trials=most, epochs=epochs, width=WIDTH, budget=budget
        )
    if kind == RANDOM:
        return RandomSearch(
            space(axes), seed=seed, trials=most, epochs=epochs, interval=interval, width=WIDTH,
            budget=budget,
        )  # fmt: skip
    return RandomSearch(
        point(NETWORK_DEFAULT), seed=seed, trials=1 if budget is None else None, epochs=epochs,
        interval=interval, budget=budget,
    )  # fmt: skip


def _listed(option: str, text: str) -> list[str]:
    found = [value.strip() for value in text.split(",") if value.strip()]
    if not found:
        raise UsageError(f"--{option}: there is nothing to choose from")
    return found


def _whole(option: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"--{option}: {text!r} is no whole number") from None


def _range(option: str, text: str) -> tuple[float, float]:
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise UsageError(f"--{option} {text}: write two numbers, as in 0.1,0.5") from None
    return low, high
