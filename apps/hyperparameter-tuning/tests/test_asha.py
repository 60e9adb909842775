"""Successive halving promotes as algorithm 2 of Li et al. says, of scores that are known."""

import pytest
from hyperparameter_tuning.asha import SuccessiveHalving, rungs
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.jobs import DIVERGED, DONE, NOT_PROMOTED, STOPPED_EARLY
from hyperparameter_tuning.searching import run_search
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import SPACE, Toy, report


def halving(trials=9, epochs=9, reduction=3, width=1, shortest=1, seed=2):
    return SuccessiveHalving(
        SPACE, seed=seed, trials=trials, epochs=epochs, shortest=shortest,
        reduction=reduction, width=width,
    )  # fmt: skip


def told(search, scores, statuses=None):
    """Run to the end, where a trial's score is always the same; returns (trial, epochs) asked."""
    asked = []
    while jobs := search.ask():
        asked += [(job.trial, job.epochs) for job in jobs]
        search.tell(
            [report(job, scores[job.trial], (statuses or {}).get(job.trial, DONE)) for job in jobs]
        )
    return asked


def test_rungs_are_powers_up_to_all_epochs():
    assert rungs(1, 27, 3) == [1, 3, 9, 27]
    assert rungs(1, 25, 4) == [1, 4, 16, 25]
    assert rungs(5, 5, 2) == [5]
    assert rungs(2, 3, 4) == [2, 3]


def test_a_trial_is_promoted_as_soon_as_it_is_among_the_best_third():
    """One worker, scores falling: 0 leads from the first three on, 3 is a sixth's second."""
    asked = told(halving(), [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert asked == [
        (0, 1), (1, 1), (2, 1), (0, 2), (3, 1), (4, 1), (5, 1), (1, 2), (6, 1), (7, 1), (8, 1),
        (2, 2), (0, 6),
    ]  # fmt: skip


def test_a_later_better_one_is_promoted_beside_those_that_were():
    search = halving(trials=6)
    asked = told(search, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # Each new one leads its rung at once; 4 leads the first three at the second, then 5 the four.
    assert asked == [
        (0, 1), (1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2), (4, 6), (5, 1), (5, 2),
        (5, 6),
    ]  # fmt: skip
    statuses = {trial.number: trial.status for trial in search.trials}
    assert statuses == {**dict.fromkeys(range(4), NOT_PROMOTED), 4: DONE, 5: DONE}


def test_jobs_go_on_from_the_trials_own_state():
    search = halving(trials=3)
    for score in (0.3, 0.2, 0.1):
        search.tell([report(search.ask()[0], score)])
    job = search.ask()[0]
    assert (job.trial, job.parent, job.first_epoch, job.epochs) == (0, 0, 1, 2)


def test_who_diverged_or_stopped_is_never_promoted():
    scores = [0.9, 0.8, 0.7]
    asked = told(halving(trials=3), scores, {0: DIVERGED})
    assert asked == [(0, 1), (1, 1), (2, 1), (1, 2)]
    asked = told(halving(trials=3), scores, {0: STOPPED_EARLY})
    assert asked == [(0, 1), (1, 1), (2, 1)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.integers(2, 4),
    st.integers(1, 5),
    st.integers(1, 12),
)
def test_no_rung_has_more_than_its_share_and_the_best_of_all_is_promoted(
    scores, reduction, width, epochs
):
    search = halving(len(scores), epochs, reduction, width)
    told(search, scores)
    assert len(search.trials) == len(scores)
    best = max(range(len(scores)), key=lambda at: (scores[at], -at))
    for at in range(len(search.rungs) - 1):
        there = [trial for trial in search.trials if len(trial.history) > at]
        above = [trial for trial in there if len(trial.history) > at + 1]
        # None is left that has earned more: the best share of a rung is above it.
        order = sorted(there, key=lambda trial: (-scores[trial.number], trial.number))
        assert {one.number for one in above} >= {
            one.number for one in order[: len(there) // reduction]
        }
    first_above = len(scores) // reduction > 0 and len(search.rungs) > 1
    assert (len(search.trials[best].history) > 1) == first_above
    assert all(trial.epochs in search.rungs for trial in search.trials)


def test_width_takes_so_many_at_a_time():
    search = halving(width=4)
    assert [job.trial for job in search.ask()] == [0, 1, 2, 3]


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("budget", [7.0, 20.0, 51.5])
def test_a_budget_is_used_up_within_a_tenth(width, budget):
    search = SuccessiveHalving(
        SPACE, seed=1, trials=None, epochs=9, reduction=3, width=width,
        budget=Budget(budget, epoch_cpu_seconds=0.5),
    )  # fmt: skip
    searched = run_search(search, Toy())
    assert searched.cpu_seconds == pytest.approx(budget, rel=0.1)


def test_neither_trials_nor_budget_would_never_end():
    with pytest.raises(ValueError, match="never end"):
        SuccessiveHalving(SPACE, seed=1, trials=None, epochs=3)
