"""The figures of a record's quality are those of the search, and are JSON."""

import json

import found
import pytest
from hyperparameter_tuning import guards, quality
from hyperparameter_tuning.jobs import AT_CHANCE, DIVERGED
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.searching import run_search
from scipy import stats
from toys import BEST_RATE, SPACE, Toy, report


class Broken(Toy):
    """Every training diverges."""

    def one(self, job, state):
        return report(job, float("nan"), DIVERGED), b"[" + b"0," * (job.epochs - 1) + b"0]"


def test_the_best_is_scored_on_the_tests_and_chosen_on_the_validation_part():
    searched, figures = found.populations()
    best = figures["best"]
    assert (best["score"], best["test_rows"]) == (0.7, 100)
    wilson = stats.binomtest(70, 100).proportion_ci(method="wilson")
    assert best["interval"] == pytest.approx([wilson.low, wilson.high], abs=1e-12)
    assert best["validation_score"] == max(trial["score"] for trial in figures["trials"])
    row = figures["trials"][best["trial"]]
    assert row["configuration"] == best["configuration"]
    assert best["confusion"] == [[1, 2], [3, 4]]
    assert abs(best["configuration"]["learning_rate"] / BEST_RATE - 1) < 0.5
    assert guards.faults(searched.search.trials, best["configuration"], SPACE) == []


def test_all_is_json_and_nothing_is_lost_in_it():
    for _, figures in (found.populations(), found.depths()):
        assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_rows_have_what_the_record_promises():
    searched, figures = found.populations()
    assert [row["trial"] for row in figures["trials"]] == list(range(8))
    for row, trial in zip(figures["trials"], searched.search.trials, strict=True):
        assert row["epochs"] == 8
        assert row["cpu_seconds"] == trial.cpu_seconds == 4.0
        assert row["parent"] == trial.parent
        copies = [step["copied_from"] for step in row["history"] if step["copied_from"] is not None]
        assert row["parent"] == (copies[-1] if copies else None)
    assert len(figures["lineage"]) == 8


def test_equal_budgets_are_equal():
    _, figures = found.populations()
    spent = [of["cpu_seconds"] for of in figures["searches"].values()]
    assert spent[1] == pytest.approx(spent[0], rel=0.1)
    assert spent[0] == sum(row["cpu_seconds"] for row in figures["trials"])
    for of in figures["searches"].values():
        seconds = [cpu for cpu, _, _ in of["best_so_far"]]
        assert seconds == sorted(seconds) and seconds[-1] == of["cpu_seconds"]
        scores = [score for _, _, score in of["best_so_far"]]
        assert scores == sorted(scores) and scores[-1] == of["best"]["validation_score"]


def test_a_search_that_found_nothing_has_no_best_and_says_why():
    search = PopulationBasedTraining(SPACE, seed=1, trials=3, epochs=2, interval=1)
    searched = run_search(search, Broken())
    guards.flag(search.trials, 100, 0.1)
    figures = quality.figures(searched, None, chance=0.1)
    assert figures["best"] is None and figures["best_so_far"] == []
    assert searched.best_state is None
    assert [row["status"] for row in figures["trials"]] == [DIVERGED] * 3
    assert json.dumps(figures, allow_nan=False)


def test_a_best_model_at_chance_on_the_tests_is_said_to_be():
    searched, _ = found.populations()
    for right, flagged in ((14, True), (40, False)):
        best = quality.best(searched, Judged(right, 100), 0.1)
        assert best is not None and best["at_chance"] is flagged
    for trial in searched.search.trials:
        trial.status = AT_CHANCE
    assert quality.at_chance(searched.search.trials) == list(range(8))
