"""Ray Tune's population: from scratch to a model that reads, every copy accounted for."""

import dataclasses
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from case import CASE
from hyperparameter_tuning.jobs import DIVERGED, DONE, Job, Report
from ray_modules import imported
from small_searches import made
from studytest import running
from studytest.contract.of_study import OfStudy
from toys import SPACE

FIRST = {"learning_rate": 1e-3, "batch_size": 64, "dropout": 0.3}
OTHER = {"learning_rate": 1.2e-3, "batch_size": 32, "dropout": 0.5}


def population():
    return imported("hyperparameter_tuning.native_population")


def of_ray():
    return imported("hyperparameter_tuning.native_told")


class TestPopulation(OfStudy):
    case = CASE

    def test_a_population_by_ray_tune_learns_and_accounts_for_every_job(self, tmp_path):
        # Ray's sockets have short names only.
        with tempfile.TemporaryDirectory(prefix="t-") as temporary:
            finished = running.run(
                CASE.module("ray"), "--study", "cifar10", "--data", made(tmp_path / "pictures"),
                "--method", "native", "--workers", 2, "--oversubscribe", "--trials", 4,
                "--epochs", 5, "--learning-rate", "3e-3,6e-3", "--results", tmp_path, "--json",
                HOME=str(tmp_path / "home"), TMPDIR=temporary,
            )  # fmt: skip
            assert list(Path(temporary).iterdir()) == []
        assert finished.code == 0, finished.stderr
        assert not (tmp_path / "home" / "ray_results").exists()
        quality = finished.record["quality"]
        assert finished.record["check"]["passed"] is True
        assert quality["best"]["score"] > 0.3 and not quality["best"]["at_chance"]
        jobs = {step["job"]: step for row in quality["trials"] for step in row["history"]}
        assert sorted(jobs) == list(range(len(jobs))) and len(jobs) >= 16
        assert [row["trial"] for row in quality["trials"]] == [0, 1, 2, 3]
        assert max(step["epochs"][1] for step in jobs.values()) == 5
        for row in quality["lineage"]:
            ends = [stretch["epochs"] for stretch in row["stretches"]]
            assert [begin for begin, _ in ends] == [0, *(end for _, end in ends[:-1])]
        assert quality["best_so_far"][-1][2] == quality["best"]["validation_score"]

    @pytest.mark.parametrize(
        "argv",
        [("--search", "asha"), ("--beside", "random"), ("--rounds", 2), ("--vectorised",)],
        ids=["asha", "beside", "rounds", "vectorised"],
    )
    def test_what_ray_tune_does_not_do_here_is_refused(self, argv, data, tmp_path):
        line = self.refused(
            "ray", 2, "--study", "cifar10", "--data", data, "--method", "native", *argv,
            "--results", tmp_path,
        )  # fmt: skip
        assert "--method native of networks" in line


def test_ranges_are_cut_to_and_what_was_done_is_said():
    config = {"trial": 3, "learning_rate": 0.012, "batch_size": 32, "dropout": 0.2}
    assert population().within(SPACE, config) == {
        "trial": 3, "learning_rate": 1e-2, "batch_size": 32, "dropout": 0.25,
    }  # fmt: skip
    assert of_ray().perturbation(SPACE, FIRST, OTHER) == {
        "learning_rate": "× 1.2", "batch_size": "the next lower", "dropout": "cut to the range",
    }  # fmt: skip
    again = {"learning_rate": 0.004, "batch_size": 64, "dropout": 0.24 / 0.8 * 0.8}
    assert of_ray().perturbation(SPACE, FIRST, again) == {
        "learning_rate": "drawn anew", "batch_size": "as it was", "dropout": "× 0.8",
    }  # fmt: skip


def test_ray_perturbs_within_the_space():
    pbt = imported("ray.tune.schedulers.pbt")

    random.seed(1)
    scheduler = population().scheduler(SPACE, interval=2, seed=3, actors=2)
    for _ in range(200):
        found, _ = pbt._explore(
            dict(FIRST), scheduler._hyperparam_mutations, scheduler._resample_probability,
            scheduler._perturbation_factors, scheduler._custom_explore_fn,
        )  # fmt: skip
        assert SPACE.contains(found)


class Waiting:
    def __init__(self, status, epochs):
        self.status, self.epochs = status, epochs


def test_ray_has_a_trial_ready_for_every_actor_by_turns(monkeypatch):
    scheduler = population().scheduler(SPACE, interval=1, seed=3, actors=2)
    pbt = imported("ray.tune.schedulers").PopulationBasedTraining
    monkeypatch.setattr(pbt, "on_trial_result", lambda *_: "PAUSE")
    trials = [Waiting("PAUSED", epochs) for epochs in (4, 4, 4, 5)]
    scheduler._trial_state = {one: SimpleNamespace(last_train_time=one.epochs) for one in trials}
    controller = SimpleNamespace(get_trials=lambda: trials)

    def chosen():
        return trials.index(scheduler.choose_trial_to_run(controller))

    for number in (3, 1, 0, 2):
        assert scheduler.on_trial_result(controller, trials[number], {}) == "PAUSE"
    assert chosen() == 1
    trials[1].status = "PENDING"
    assert chosen() == 0
    scheduler.on_trial_result(controller, trials[0], {})
    assert chosen() == 2
    trials[2].status = "PENDING"
    assert chosen() == 1  # Two are ready: no other is to be.
    for trial in trials:
        trial.status = "RUNNING"
    assert scheduler.choose_trial_to_run(controller) is None


def first(number):
    return Job(number, number, FIRST, None, 0, 2, seed=number)


def told(name, parent, trial, score, configuration=FIRST, first_epoch=0, status=DONE):
    report = Report(0, [score] * 2, {"loss": [1.0, 0.5]}, 2, 1.5, 2.0, status)
    return of_ray().Told(
        name, parent, trial, configuration, first_epoch, 2, dataclasses.asdict(report)
    )


def heard(folder, *all_told):
    listener = of_ray().Listener([first(0), first(1)], folder, lambda text: None)
    for one in all_told:
        (folder / one.name).write_bytes(one.name.encode())
        for _ in range(2):  # Ray tells the last result of a trial twice.
            listener.on_trial_result(1, [], None, {"told": dataclasses.asdict(one), "score": 0.0})
    assert list(folder.iterdir()) == []
    return listener, listener.searched(SPACE, seed=1)


def test_jobs_become_trials_with_whom_they_copied(tmp_path):
    listener, found = heard(
        tmp_path,
        told("a", None, 0, 0.5), told("b", None, 1, 0.2),
        told("c", "a", 0, 0.9, first_epoch=2), told("d", "a", 1, 0.7, OTHER, first_epoch=2),
    )  # fmt: skip
    one, other = found.search.trials
    assert [step.copied_from for step in one.history] == [None, None]
    assert [(step.job, step.parent, step.copied_from) for step in other.history] == [
        (1, None, None), (3, 0, 0),
    ]  # fmt: skip
    assert other.history[1].perturbation["learning_rate"] == "× 1.2"
    assert (one.best_job, one.score, other.parent, other.configuration) == (2, 0.9, 0, OTHER)
    assert found.best is one and found.best_state == b"c"
    assert found.cpu_seconds == 6.0 and listener.seconds == 8.0
    assert [point[2] for point in found.best_so_far] == [0.5, 0.9, 0.9]


def test_of_equal_scores_the_state_is_that_of_the_trial_that_is_named_best(tmp_path):
    _, found = heard(tmp_path, told("b", None, 1, 0.5), told("a", None, 0, 0.5))
    assert found.best.number == 0 and found.best_state == b"a"


def test_a_training_that_diverged_is_never_the_best(tmp_path):
    _, found = heard(tmp_path, told("a", None, 0, 0.1), told("b", None, 1, np.nan, status=DIVERGED))
    assert found.best.number == 0 and found.search.trials[1].status == DIVERGED
    _, found = heard(tmp_path, told("b", None, 1, np.nan, status=DIVERGED))
    assert found.best is None and found.best_state is None
