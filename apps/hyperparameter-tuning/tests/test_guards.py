"""What is chance and what is not; a best configuration that no trial had."""

import math

import pytest
from hyperparameter_tuning import guards, paper
from hyperparameter_tuning.jobs import AT_CHANCE, DIVERGED, Step, Trial
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.register import best, best_configuration
from hyperparameter_tuning.searching import run_search
from hyperparameter_tuning.space import NETWORK
from toys import SPACE, Toy


def trial(number, *scores, figures=()):
    steps = [
        Step(at, at - 1 if at else None, at, 1, {}, score, None, {}, dict(figures))
        for at, score in enumerate(scores)
    ]
    known = [score for score in scores if score is not None]
    return Trial(number, {}, max(known, default=None), history=steps)


def test_every_trial_of_the_papers_figure_is_at_chance():
    rows = paper.FIGURE_4
    right = [row.accuracy * paper.TEST_PICTURES for row in rows]
    assert right == pytest.approx([round(one) for one in right], abs=1e-4)
    trials = [trial(number, row.accuracy) for number, row in enumerate(rows)]
    assert guards.flag(trials, paper.TEST_PICTURES, paper.CHANCE) == list(range(16))
    assert {one.status for one in trials} == {AT_CHANCE}


def test_the_papers_reported_configuration_is_outside_the_space_that_it_says():
    """Its dropout is 0.0; epochs and decay were not searched."""
    names = [fault.split(":")[0] for fault in NETWORK.outside(paper.REPORTED)]
    assert sorted(names) == ["decay", "dropout", "epochs"]
    assert not any(row.dropout == paper.REPORTED["dropout"] for row in paper.FIGURE_4)


@pytest.mark.parametrize(("right", "flagged"), [(0, True), (13, True), (19, True), (30, False)])
def test_a_trial_is_at_chance_unless_guessing_hardly_comes_to_it(right, flagged):
    """By guessing, 19 of 128 or more come once in twenty times, 30 or more once in 200,000."""
    assert (guards.flag([trial(7, right / 128)], 128, 0.1) == [7]) == flagged


def test_the_best_of_many_looks_has_to_be_better():
    """Of 128, 22 or more come by guessing once in 140 times: of eight looks, too often."""
    right = 22 / 128
    assert guards.flag([trial(0, right)], 128, 0.1) == []
    assert guards.flag([trial(0, *[0.1] * 7, right)], 128, 0.1) == [0]
    assert guards.flag([trial(0, right), *(trial(n, 0.1) for n in range(1, 8))], 128, 0.1) == [
        *range(8)
    ]


@pytest.mark.parametrize(("right", "count", "share"), [(0, 9, 0.1), (9, 9, 0.5), (23, 128, 0.1)])
def test_the_tail_is_the_sum_of_its_probabilities(right, count, share):
    exact = sum(
        math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(right, count + 1)
    )
    assert guards._tail(right, count, share) == pytest.approx(exact, rel=1e-9)


def test_the_interval_ends_where_its_share_is_just_not_refuted():
    low, high = guards.interval(30, 128)
    for end in (low, high):
        error = (end * (1 - end) / 128) ** 0.5
        assert abs(30 / 128 - end) == pytest.approx(1.959964 * error, rel=1e-6)
    assert guards.interval(0, 10)[0] == 0.0
    assert guards.interval(10, 10)[1] == 1.0


def test_an_accuracy_may_be_a_figure_beside_the_score():
    trials = [trial(0, -0.1, figures={"error": 0.05}), trial(1, -0.7, figures={"error": 0.4})]
    assert guards.flag(trials, 455, 0.627, guards.by_error) == [1]


def test_a_trial_that_diverged_keeps_its_status_and_is_flagged():
    one = trial(0, None)
    one.status = DIVERGED
    assert guards.flag([one], 128, 0.1) == [0]
    assert one.status == DIVERGED


def searched():
    search = PopulationBasedTraining(SPACE, seed=1, trials=8, epochs=6, interval=2)
    run_search(search, Toy())
    return search.trials


def test_the_best_configuration_is_one_that_its_trial_had():
    trials = searched()
    leader = best(trials)
    assert leader is not None
    assert guards.faults(trials, best_configuration(leader), NETWORK) == []


def test_the_papers_best_configuration_is_refused():
    trials = searched()
    reported = {"batch_size": 64, "learning_rate": 1e-4, "dropout": 0.0}
    found = guards.faults(trials, reported, NETWORK)
    assert [fault.split(":")[0] for fault in found[:1]] == ["dropout"]
    assert "was trained with" in found[1]
    assert guards.faults(trials, None, NETWORK) == ["no trial left a model"]
