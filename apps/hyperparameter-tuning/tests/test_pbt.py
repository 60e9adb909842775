"""Population-based training decides as Jaderberg et al. say, of reports that are known."""

import itertools

import pytest
from hyperparameter_tuning import lineage
from hyperparameter_tuning.budget import Budget
from hyperparameter_tuning.jobs import DIVERGED, DONE, EXPLOITED, OUT_OF_BUDGET, STOPPED_EARLY
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.register import best, best_configuration
from hyperparameter_tuning.searching import run_search
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit.errors import UsageError
from toys import SPACE, Toy, report


def population(trials=8, epochs=6, interval=2, budget=None):
    return PopulationBasedTraining(
        SPACE, seed=5, trials=trials, epochs=epochs, interval=interval, budget=budget
    )


def told(search, scores, statuses=None):
    """One generation, of which the scores are these; returns its jobs."""
    jobs = search.ask()
    statuses = statuses or {}
    search.tell(
        [
            report(job, score, statuses.get(job.trial, DONE))
            for job, score in zip(jobs, scores, strict=True)
        ]
    )
    return jobs


def test_the_worst_quarter_goes_on_from_the_best_one():
    search = population()
    first = told(search, [0.5, 0.1, 0.6, 0.9, 0.2, 0.8, 0.7, 0.4])
    assert all(job.parent is None and job.first_epoch == 0 for job in first)
    second = {job.trial: job for job in search.ask()}
    for trial in (1, 4):
        source = first[second[trial].parent]
        assert source.trial in (3, 5)
        assert SPACE.contains(second[trial].configuration)
        assert second[trial].configuration != source.configuration
        # The state is the other's, weights and order of rows to come are the trial's own.
        assert second[trial].seed == first[trial].seed != source.seed
    for trial in (0, 2, 3, 5, 6, 7):
        assert second[trial].parent == first[trial].number
        assert second[trial].configuration == first[trial].configuration
    assert all(job.first_epoch == 2 and job.epochs == 2 for job in second.values())


def test_equal_scores_are_parted_by_number_and_nothing_is_copied_from_an_equal():
    search = population(trials=4)
    told(search, [0.5, 0.5, 0.5, 0.5])
    assert [job.parent for job in search.ask()] == [0, 1, 2, 3]
    search = population(trials=4)
    told(search, [0.5, 0.5, 0.1, 0.1])
    # Of two equally bad ones the later gives up, of two equally good ones the earlier is copied.
    assert [job.parent for job in search.ask()] == [0, 1, 2, 0]


def test_a_trial_that_diverged_is_worst_and_is_never_copied():
    search = population(trials=4)
    told(search, [0.9, 0.1, 0.2, 0.3], {0: DIVERGED})
    assert [job.parent for job in search.ask()] == [3, 1, 2, 3]


def test_all_diverged_is_the_end():
    search = population(trials=4)
    told(search, [0.0] * 4, dict.fromkeys(range(4), DIVERGED))
    assert search.ask() == []
    assert {trial.status for trial in search.trials} == {DIVERGED}
    assert best(search.trials) is None and search.needed() == set()


def test_a_trial_that_stopped_early_is_trained_no_more_but_may_be_copied():
    search = population(trials=4)
    told(search, [0.9, 0.5, 0.4, 0.1], {0: STOPPED_EARLY})
    second = search.ask()
    assert [job.trial for job in second] == [1, 2, 3]
    assert second[2].parent == 0
    search.tell([report(job, 0.3) for job in second])
    assert search.trials[0].status == STOPPED_EARLY


def test_the_last_generation_is_shorter_and_ends_it():
    search = population(trials=2, epochs=5)
    assert [told(search, [0.2, 0.1])[0].epochs for _ in range(3)] == [2, 2, 1]
    assert search.ask() == []
    assert {trial.status for trial in search.trials} == {DONE}
    assert search.trials[0].epochs == 5


def test_the_best_configuration_is_that_of_the_best_state_not_the_last_one():
    search = population(trials=4)
    first = told(search, [0.95, 0.5, 0.4, 0.3])
    told(search, [0.1, 0.5, 0.6, 0.7])  # The first falls, and copies another's state.
    told(search, [0.5, 0.5, 0.5, 0.5])
    leader = best(search.trials)
    assert leader is not None and (leader.number, leader.score, leader.best_job) == (0, 0.95, 0)
    assert leader.configuration != first[0].configuration
    assert best_configuration(leader) == first[0].configuration
    assert 0 in search.needed()


def test_the_lineage_says_from_whom_when_and_what_was_changed():
    search = population(trials=4, epochs=4, interval=2)
    first = told(search, [0.9, 0.5, 0.4, 0.1])
    told(search, [0.9, 0.5, 0.4, 0.8])
    stretches = lineage.of(search.trials, search.trials[3].history[-1].job)
    assert [(one.trial, one.first_epoch, one.last_epoch) for one in stretches] == [
        (0, 0, 2),
        (3, 2, 4),
    ]
    assert stretches[0].configuration == first[0].configuration
    assert (stretches[1].copied_from, stretches[0].copied_from) == (0, None)
    assert set(stretches[1].perturbation) == set(SPACE.dimensions)
    own = lineage.of(search.trials, search.trials[1].history[-1].job)
    assert [(one.trial, one.first_epoch, one.last_epoch) for one in own] == [(1, 0, 4)]


def test_a_budget_cuts_the_last_generation():
    toy = Toy(per_epoch=1.0)
    search = population(trials=4, epochs=20, interval=2, budget=Budget(27))
    searched = run_search(search, toy)
    assert searched.cpu_seconds == 27
    assert {trial.status for trial in search.trials} <= {OUT_OF_BUDGET, EXPLOITED}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32))
def test_every_trial_is_trained_for_all_epochs_within_the_space(trials, epochs, interval, seed):
    search = PopulationBasedTraining(
        SPACE, seed=seed, trials=trials, epochs=epochs, interval=interval
    )
    searched = run_search(search, Toy())
    assert [trial.epochs for trial in search.trials] == [epochs] * trials
    for trial in search.trials:
        assert all(SPACE.contains(step.configuration) for step in trial.history)
        stretches = lineage.of(search.trials, trial.history[-1].job)
        ends = [(one.first_epoch, one.last_epoch) for one in stretches]
        # One stretch begins where the one before ended; together they are all epochs.
        assert ends[0][0] == 0 and ends[-1][1] == epochs
        assert all(before[1] == after[0] for before, after in itertools.pairwise(ends))
    assert searched.best is not None and searched.best_so_far[-1][2] == searched.best.score


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"epochs": 0}, {"interval": 0}])
def test_nothing_to_search_is_refused(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}: 0"):
        population(**wrong)


def test_reports_of_other_jobs_are_refused():
    search = population(trials=2)
    jobs = search.ask()
    assert search.ask() == jobs
    with pytest.raises(ValueError, match="other jobs"):
        search.tell([report(jobs[1], 0.1), report(jobs[0], 0.1)])
