"""XGBoost over workers: one model, as good as the library's own, and no worker waits for ever."""

import json
import time

import numpy as np
import pytest
import xgboost
from scipy.stats import binomtest
from sklearn.metrics import log_loss
from studykit.errors import BusyError
from synthetic_classifiers import cuts, xgboost_trees
from worker_processes import Dead, Processes, cut, die_soon, left_over, samples, strided

SEED = 3


@pytest.fixture(scope="module")
def processes():
    with Processes() as started:
        yield started


def cuts_of(train):
    return cuts.quantiles([train.features], xgboost_trees.DEFAULTS.bins)


def fit(processes, classes, train, boosting=xgboost_trees.DEFAULTS):
    (tracker, *others) = processes.on_all(xgboost_trees.open_tracker)
    assert all(other is None for other in others)
    assert (tracker is None) == (len(processes.members) == 1)
    model, *others = processes.on_all(
        xgboost_trees.train, classes, SEED, cuts_of(train), tracker, boosting
    )
    assert all(other is None for other in others)
    return model


@pytest.fixture(scope="module", params=[2, 3], ids=["binary", "multiclass"])
def case(request):
    """(classes, training samples, test samples, the library's own probabilities of those)"""
    train, test = samples(request.param)
    alone = xgboost.XGBClassifier(tree_method="hist", n_jobs=1, random_state=SEED)
    alone.fit(train.features, train.labels)
    return request.param, train, test, alone.predict_proba(test.features)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_together_are_as_good_as_the_library_alone(processes, case, count):
    classes, train, test, alone = case
    processes.deal(strided(train, count))
    model = fit(processes, classes, train)
    again = fit(processes, classes, train)
    assert model == again
    found = xgboost_trees.predict(model, test.features, 1)
    assert found.dtype == np.float64 and found.shape == alone.shape
    assert np.allclose(found.sum(axis=1), 1)
    right = int((alone.argmax(axis=1) == test.labels).sum())
    interval = binomtest(right, test.rows).proportion_ci(0.95)
    assert interval.low <= (found.argmax(axis=1) == test.labels).mean() <= interval.high
    # The library sketches the quantiles at which this cuts.
    assert abs(log_loss(test.labels, found) - log_loss(test.labels, alone)) < 0.02


def test_the_number_of_workers_makes_no_other_model(processes, case):
    classes, train, test, _ = case
    losses = []
    for count in (1, 2, 3):
        processes.deal(strided(train, count))
        found = xgboost_trees.predict(fit(processes, classes, train), test.features, 1)
        losses.append(log_loss(test.labels, found))
    assert max(losses) - min(losses) <= 1e-3


@pytest.mark.parametrize("count", [1, 2])
def test_of_few_values_the_model_is_the_librarys_own(processes, case, count):
    classes, train, test, _ = case
    train, test = (
        part._replace(features=np.round(part.features * 8) / 8) for part in (train, test)
    )
    assert max(len(np.unique(column)) for column in train.features.T) <= 256
    alone = xgboost.XGBClassifier(tree_method="hist", n_jobs=1, random_state=SEED)
    alone.fit(train.features, train.labels)
    processes.deal(strided(train, count))
    found = xgboost_trees.predict(fit(processes, classes, train), test.features, 1)
    assert np.allclose(found, alone.predict_proba(test.features), atol=1e-5)


def test_two_threads_give_the_same_bytes_again(processes, case):
    classes, train, *_ = case
    processes.deal([train], threads=2)
    assert fit(processes, classes, train) == fit(processes, classes, train)


def test_ranks_are_the_numbers_of_the_workers(processes):
    train, _ = samples()
    processes.deal(strided(train, 3))
    tracker = processes.on_all(xgboost_trees.open_tracker)[0]
    assert processes.on_all(rank, tracker) == [0, 1, 2]


def rank(worker, tracker):
    time.sleep(0.3 * (worker.count - worker.number))  # The last comes first.
    with xgboost_trees.met(worker, tracker):
        return xgboost.collective.get_rank()


def test_a_class_that_one_worker_has_no_sample_of(processes, case):
    classes, train, test, alone = case
    first = train.labels == classes - 1
    order = np.argsort(first, kind="stable")
    half = train.rows // 2
    parts = [cut(train, order[:half]), cut(train, order[half:])]
    assert (parts[0].labels != classes - 1).all()
    processes.deal(parts)
    found = xgboost_trees.predict(fit(processes, classes, train), test.features, 1)
    right = (found.argmax(axis=1) == test.labels).mean()
    assert right > (alone.argmax(axis=1) == test.labels).mean() - 0.02


def test_the_parameters_are_the_librarys_own_defaults(processes):
    train, _ = samples(rows=500)
    processes.deal([train])
    model = fit(processes, 2, train)
    asked = xgboost_trees.Boosting()
    plain = xgboost.XGBClassifier().fit(train.features, train.labels).get_booster()
    booster = xgboost.Booster()
    booster.load_model(bytearray(model))
    assert booster.num_boosted_rounds() == plain.num_boosted_rounds() == asked.rounds
    assert defaults(booster) == defaults(plain)


def defaults(booster):
    told = json.loads(booster.save_config())["learner"]["gradient_booster"]["tree_train_param"]
    return {name: told[name] for name in ("max_depth", "eta", "max_bin", "lambda", "gamma")}


def test_nothing_is_left_in_a_worker(processes):
    train, _ = samples()
    processes.deal(strided(train, 2))
    fit(processes, 2, train)  # The first leaves OpenMP's own.
    before = without_sockets(processes)
    fit(processes, 2, train)
    assert without_sockets(processes) == before


def without_sockets(processes, seconds=10):
    """[(threads, 0)] of all workers. The library's thread that hears of errors is detached: it and
    its socket go a moment after the call returned."""
    until = time.monotonic() + seconds
    while any(sockets for _, sockets in processes.on_all(left_over)):
        assert time.monotonic() < until, "a socket is still there"
        time.sleep(0.05)
    time.sleep(0.2)  # The thread ends after its socket.
    return processes.on_all(left_over)


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_others_end_with_an_error_when_a_worker_dies(processes, victim):
    train, _ = samples()
    endless = xgboost_trees.Boosting(rounds=1_000_000)
    processes.deal(strided(train, 3))
    tracker = processes.on_all(xgboost_trees.open_tracker)[0]
    processes.on_all(die_once_met, victim, 1.5)
    outcomes = processes.outcomes(
        xgboost_trees.train, 2, SEED, cuts_of(train), tracker, endless, seconds=40
    )
    assert isinstance(outcomes.pop(victim), Dead)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BusyError)]
    # Now and then the library has one of them wait for ever, whom its engine has to end.
    assert errors and all(type(outcome) in (BusyError, TimeoutError) for outcome in outcomes)
    for error in errors:
        assert "lost the others: " in str(error) and "\n" not in str(error)


def die_once_met(worker, victim, seconds):
    """As `die_soon`, from when all have met: before, it is the tracker's patience that ends it.

    The others mostly see at once that it is gone. Where one of them waits for the tracker then, it
    is their patience that ends it, which is made shorter."""
    xgboost_trees.SILENT_SECONDS = 10
    if worker.number == victim:
        init = xgboost.collective.init

        def meet(**arguments):
            init(**arguments)
            die_soon(worker, victim, seconds)

        xgboost.collective.init = meet


def test_workers_do_not_wait_for_ever_for_one_that_does_not_come(processes):
    train, _ = samples()
    processes.deal(strided(train, 3))
    tracker = processes.on_all(open_impatiently)[0]
    outcomes = processes.outcomes(train_but_the_last, cuts_of(train), tracker, seconds=60)
    assert [type(outcome) for outcome in outcomes] == [BusyError, BusyError, type(None)]


def open_impatiently(worker):
    xgboost_trees.CONNECT_SECONDS = 3
    return xgboost_trees.open_tracker(worker)


def train_but_the_last(worker, cut, tracker):
    if worker.number < worker.count - 1:
        return xgboost_trees.train(worker, 2, SEED, cut, tracker)
    return None
