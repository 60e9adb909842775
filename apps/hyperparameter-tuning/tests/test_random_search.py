"""Random search, a default, a grid: what they train, how they end, what a budget pays for."""

from collections.abc import Sequence

import pytest
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import DIVERGED, DONE, OUT_OF_BUDGET, STOPPED_EARLY, Job, Report
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.random_search import RandomSearch
from hyperparameter_tuning.searching import run_search
from hyperparameter_tuning.space import NETWORK_DEFAULT, point
from studykit.errors import UsageError
from toys import SPACE, Toy, report


class Uneven(Toy):
    """Small batches cost more: an epoch of 32 costs four times one of 128."""

    def one(self, job: Job, state: bytes | None) -> tuple[Report, bytes]:
        told, left = super().one(job, state)
        seconds = job.epochs * 32 / job.configuration["batch_size"]
        return Report(**(vars(told) | {"cpu_seconds": seconds})), left


def drawn(search) -> Sequence[dict[str, float]]:
    return [dict(trial.configuration) for trial in search.trials]


def test_trials_are_the_first_of_a_population_of_the_same_seed():
    """Searches differ in what they decide, not in luck."""
    population = PopulationBasedTraining(SPACE, seed=9, trials=6, epochs=1, interval=1)
    search = RandomSearch(SPACE, seed=9, trials=6, epochs=1)
    theirs, own = Toy(), Toy()
    run_search(population, theirs)
    run_search(search, own)
    assert drawn(search) == drawn(population)
    assert len({trial.configuration["learning_rate"] for trial in search.trials}) == 6
    other = RandomSearch(SPACE, seed=10, trials=6, epochs=1)
    run_search(other, Toy())
    assert drawn(other) != drawn(search)


@pytest.mark.parametrize("width", [1, 2, 4, 7])
def test_the_answer_is_the_same_for_any_width(width):
    one = RandomSearch(SPACE, seed=1, trials=6, epochs=5, interval=2)
    several = RandomSearch(SPACE, seed=1, trials=6, epochs=5, interval=2, width=width)
    first, second = run_search(one, Toy()), run_search(several, Toy())
    assert drawn(several) == drawn(one)
    assert [trial.score for trial in several.trials] == [trial.score for trial in one.trials]
    assert first.best_state == second.best_state
    assert {trial.status for trial in several.trials} == {DONE}
    assert {trial.epochs for trial in several.trials} == {5}


def test_a_trial_that_stops_early_or_diverges_makes_room_for_the_next():
    search = RandomSearch(SPACE, seed=1, trials=3, epochs=4, interval=2)
    search.tell([report(search.ask()[0], 0.5, STOPPED_EARLY)])
    search.tell([report(search.ask()[0], 0.5, DIVERGED)])
    search.tell([report(search.ask()[0], 0.5)])
    assert [(job.trial, job.first_epoch) for job in search.ask()] == [(2, 2)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [1, 4])
def test_a_budget_is_used_up_within_a_tenth_though_epochs_cost_unequally(seed, width):
    search = RandomSearch(
        SPACE, seed=seed, trials=None, epochs=8, interval=2, width=width,
        budget=Budget(40, epoch_cpu_seconds=0.6),
    )  # fmt: skip
    searched = run_search(search, Uneven())
    assert searched.cpu_seconds == pytest.approx(40, rel=0.1)
    assert searched.search.trials[-1].status in (OUT_OF_BUDGET, DONE)


def test_a_budget_of_nothing_trains_nothing():
    search = RandomSearch(SPACE, seed=1, trials=None, epochs=2, budget=Budget(0))
    assert search.ask() == [] and list(search.trials) == []


def test_a_default_is_trained_again_from_other_weights_until_the_budget_is_used():
    search = RandomSearch(point(NETWORK_DEFAULT), seed=1, trials=None, epochs=4, budget=Budget(5.0))
    searched = run_search(search, Toy())
    assert [trial.epochs for trial in search.trials] == [4, 4, 2]
    assert searched.cpu_seconds == 5.0
    assert all(trial.configuration == NETWORK_DEFAULT for trial in search.trials)


def test_neither_trials_nor_budget_would_never_end():
    with pytest.raises(ValueError, match="never end"):
        RandomSearch(SPACE, seed=1, trials=None, epochs=2)


def test_equal_points_of_a_grid_are_run_once_and_it_says_which():
    """The paper's own grid, with its depth 1 twice."""
    search = Grid({"max_depth": [50, 5, 1, 1, 100]}, seed=1, epochs=30)
    jobs = search.ask()
    assert [job.configuration["max_depth"] for job in jobs] == [50, 5, 1, 100]
    assert [number for _, number in search.points] == [0, 1, 2, 2, 3]
    assert search.said == ["max_depth 1: asked for 2 times, run once"]
    search.tell([report(job, -0.1) for job in jobs])
    assert search.ask() == []
    assert {trial.status for trial in search.trials} == {DONE}


def test_a_grid_has_every_combination():
    search = Grid({"a": [1, 2], "b": [0.5, 0.25, 0.5]}, seed=1, epochs=1)
    assert drawn(search) == [
        {"a": 1, "b": 0.5}, {"a": 1, "b": 0.25}, {"a": 2, "b": 0.5}, {"a": 2, "b": 0.25},
    ]  # fmt: skip
    assert len(search.said) == 2


@pytest.mark.parametrize("axes", [{}, {"max_depth": []}])
def test_an_empty_grid_is_refused(axes):
    with pytest.raises(UsageError, match="the grid is empty"):
        Grid(axes, seed=1, epochs=1)
