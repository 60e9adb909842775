"""The boosted trees: trials as XGBoost's own wrapper and scikit-learn's folds have them, figures as
scikit-learn's, and a check that finds another answer."""

import dataclasses
import functools

import diagnosis_files
import numpy as np
import pytest
import xgboost
from hyperparameter_tuning import boosting, diagnoses, oracle_boosting
from hyperparameter_tuning.diagnoses import Diagnoses
from hyperparameter_tuning.grid import Grid
from hyperparameter_tuning.jobs import Job
from hyperparameter_tuning.searching import run_search
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from studykit.errors import CheckError

DEPTHS = [1, 5, 50, 100]


@functools.cache
def parts():
    features, labels = diagnosis_files.table()
    return diagnoses.divided(Diagnoses(features, labels, diagnosis_files.NAMES), 42)


def job(depth, number=0, rounds=30, **asked):
    usual = Job(number, number, {"max_depth": depth}, None, 0, rounds, 42)
    return dataclasses.replace(usual, **asked)


@functools.cache
def trained(depth, rounds=30, seed=42):
    trainer = boosting.BoostingTrainer(parts().train, seed)
    return next(iter(trainer.train([job(depth, rounds=rounds)], {})))


def wrapped(depth, rounds=30):
    return xgboost.XGBClassifier(
        n_estimators=rounds, max_depth=depth, max_bin=456, n_jobs=1, random_state=42
    )


def at_the_end(report):
    return {name: values[-1] for name, values in report.figures.items()}


@pytest.mark.parametrize("depth", [1, 5])
def test_a_score_is_minus_the_mean_log_loss_of_folds_that_are_unseen(depth):
    train = parts().train
    report, _ = trained(depth)
    losses, accuracies = [], []
    cut = StratifiedKFold(5, shuffle=True, random_state=42)
    for inside, outside in cut.split(train.features, train.labels):
        model = wrapped(depth).fit(train.features[inside], train.labels[inside])
        said = model.predict_proba(train.features[outside])[:, 1]
        losses.append(log_loss(train.labels[outside], said))
        accuracies.append(accuracy_score(train.labels[outside], said > 0.5))
    assert len(report.scores) == report.epochs == 30 and report.status == "done"
    assert report.scores[-1] == pytest.approx(-np.mean(losses), rel=1e-5)
    found = boosting.cross_validated(at_the_end(report))
    assert found["accuracies"] == pytest.approx(accuracies, abs=1e-6)
    half = 2.7764451 * np.std(accuracies, ddof=1) / 5**0.5  # Student's table: 4 degrees, 0.975.
    low, high = np.mean(accuracies) - half, np.mean(accuracies) + half
    assert found["accuracy_interval"] == pytest.approx([low, min(high, 1)], abs=1e-4)
    assert report.figures["accuracy"][-1] == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert found["log_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_model_of_the_whole_training_part_is_judged_on_the_test_part():
    _, state = trained(5)
    own = wrapped(5).fit(parts().train.features, parts().train.labels)
    right = own.predict_proba(parts().test.features)[:, 1]
    found = boosting.predict(state, parts().test)
    np.testing.assert_allclose(found, right, atol=1e-6)
    judged = boosting.judge(found, parts().test.labels)
    assert judged.share == accuracy_score(parts().test.labels, right > 0.5)
    assert judged.figures["log_loss"] == pytest.approx(
        log_loss(parts().test.labels, right), rel=1e-5
    )


def test_figures_by_round_fall_as_it_learns():
    report, _ = trained(5)
    by_round = {name: at for name, at in report.figures.items() if name != "peak_memory_bytes"}
    assert len(by_round) == 10 and all(len(values) == 30 for values in by_round.values())
    assert (np.diff(report.figures["train_log_loss"]) < 0).all()
    assert report.figures["train_error"][-1] == 0
    assert [-score for score in report.scores] == report.figures["log_loss"]
    assert report.cpu_seconds > 0 and report.seconds > 0


def test_fewer_rounds_are_the_beginning_of_more():
    report, state = trained(5, rounds=7)
    assert list(report.scores) == list(trained(5)[0].scores[:7])
    model = xgboost.Booster()
    model.load_model(bytearray(state))
    assert model.num_boosted_rounds() == 7


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_folds():
    again = boosting.BoostingTrainer(parts().train, 42, threads=2)
    report, state = next(iter(again.train([job(5)], {})))
    assert state == trained(5)[1] and report.scores == trained(5)[0].scores
    assert trained(5, seed=7)[0].scores != report.scores


def test_the_papers_grid_runs_equal_depths_once_and_reaches_the_accuracy_that_is_asked_for():
    grid = Grid({"max_depth": [50, 5, 1, 1, 100]}, seed=42, epochs=30)
    searched = run_search(grid, boosting.BoostingTrainer(parts().train, 42))
    assert [trial.configuration["max_depth"] for trial in grid.trials] == [50, 5, 1, 100]
    assert grid.said == ["max_depth 1: asked for 2 times, run once"]
    best = searched.best
    assert best is not None and best.score == max(trial.score or -9 for trial in grid.trials)
    depth = best.configuration["max_depth"]
    assert boosting.cross_validated(at_the_end(trained(depth)[0]))["accuracy"] >= 0.955
    scores = {trial.configuration["max_depth"]: trial.score for trial in grid.trials}
    assert scores[50] == scores[100]  # No tree of 455 rows is deeper than 50.
    assert searched.best_state is not None
    assert len(boosting.predict(searched.best_state, parts().test)) == 114


def test_every_value_is_a_bin_of_its_own():
    """So how the rows are shared out among workers cannot matter."""
    train = parts().train
    asked = boosting.parameters(5, len(train), 42)
    rows = xgboost.QuantileDMatrix(train.features, train.labels, max_bin=asked["max_bin"])
    begins, _ = rows.get_quantile_cut()
    distinct = [len(np.unique(column)) for column in train.features.T]
    assert (np.diff(begins) >= distinct).all()


def test_a_trial_does_not_go_on_from_another():
    trainer = boosting.BoostingTrainer(parts().train, 42)
    for asked in ({"parent": 0}, {"first_epoch": 3}):
        with pytest.raises(ValueError, match="begins from scratch"):
            next(iter(trainer.train([job(5, **asked)], {0: trained(5)[1]})))


# Figures, and the check.


def test_figures_of_few_rows_by_hand():
    labels = np.array([0, 0, 0, 1, 1], np.uint8)
    found = boosting.judge(np.array([0.1, 0.5, 0.75, 0.5, 1.0]), labels)
    assert (found.right, found.count) == (3, 5)
    assert found.figures["confusion"] == [[2, 1], [1, 1]]
    right = -np.log([0.9, 0.5, 0.25, 0.5, 1.0]).mean()
    assert found.figures["log_loss"] == pytest.approx(right)
    assert np.isfinite(boosting.judge(np.zeros(5), labels).figures["log_loss"])


@pytest.mark.parametrize("depth", DEPTHS)
def test_trees_walked_anew_say_what_xgboost_says(depth):
    _, state = trained(depth)
    for part in (parts().train, parts().test):
        own = oracle_boosting.probabilities(state, part.features)
        np.testing.assert_allclose(own, boosting.predict(state, part), atol=1e-6)


def test_rows_with_missing_values_go_the_way_that_the_tree_says():
    _, state = trained(5)
    features = np.array(parts().test.features)
    features[::2, ::3] = np.nan
    part = dataclasses.replace(parts().test, features=features)
    own = oracle_boosting.probabilities(state, features)
    np.testing.assert_allclose(own, boosting.predict(state, part), atol=1e-6)


def test_the_check_passes_what_is_right_and_finds_what_is_not():
    _, state = trained(5)
    test = parts().test
    found = boosting.predict(state, test)
    judged = boosting.judge(found, test.labels)
    assert oracle_boosting.check(state, test, found, judged)["rows_walked"] == 114

    def other(**figures):
        return dataclasses.replace(judged, figures={**judged.figures, **figures})

    wrong = found.copy()
    wrong[3] += 1e-4
    others = [
        (trained(1)[1], found, judged, "probabilities"),
        (state, wrong, judged, "probabilities"),
        (state, found, dataclasses.replace(judged, right=judged.right - 1), "accuracy"),
        (state, found, other(log_loss=judged.figures["log_loss"] + 1e-6), "log_loss"),
        (state, found, other(confusion=[[114, 0], [0, 0]]), "confusion"),
    ]
    for one, said, figures, name in others:
        with pytest.raises(CheckError, match=f"^{name}: expected"):
            oracle_boosting.check(one, test, said, figures)
