"""LightGBM over workers: one model, as good as the library's own, and no worker waits for ever."""

import lightgbm
import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import log_loss
from studykit.errors import BusyError
from synthetic_classifiers import lightgbm_trees
from worker_processes import Dead, Processes, cut, die_soon, left_over, samples, strided

SEED = 3


@pytest.fixture(scope="module")
def processes():
    with Processes() as started:
        yield started


def fit(processes, classes, boosting=lightgbm_trees.DEFAULTS):
    machines = processes.on_all(lightgbm_trees.claim_port)
    model, *others = processes.on_all(lightgbm_trees.train, classes, SEED, machines, boosting)
    assert all(other is None for other in others)
    return model


@pytest.fixture(scope="module", params=[2, 3], ids=["binary", "multiclass"])
def case(request):
    """(classes, training samples, test samples, the library's own probabilities of those)"""
    train, test = samples(request.param)
    alone = lightgbm.LGBMClassifier(n_jobs=1, random_state=SEED, verbosity=-1)
    alone.fit(train.features, train.labels)
    return request.param, train, test, alone.predict_proba(test.features)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_workers_together_are_as_good_as_the_library_alone(processes, case, count):
    classes, train, test, alone = case
    processes.deal(strided(train, count))
    model = fit(processes, classes)
    assert model == fit(processes, classes)
    found = lightgbm_trees.predict(model, test.features, 1)
    assert found.dtype == np.float64 and found.shape == alone.shape
    assert np.allclose(found.sum(axis=1), 1)
    right = int((alone.argmax(axis=1) == test.labels).sum())
    interval = binomtest(right, test.rows).proportion_ci(0.95)
    assert interval.low <= (found.argmax(axis=1) == test.labels).mean() <= interval.high
    if count == 1:
        # So the parameters are the library's own defaults.
        assert np.allclose(found, alone, atol=1e-6)
    else:
        assert abs(log_loss(test.labels, found) - log_loss(test.labels, alone)) < 0.02


def test_a_class_that_one_worker_has_no_sample_of(processes, case):
    classes, train, test, alone = case
    order = np.argsort(train.labels == classes - 1, kind="stable")
    half = train.rows // 2
    parts = [cut(train, order[:half]), cut(train, order[half:])]
    assert (parts[0].labels != classes - 1).all()
    processes.deal(parts)
    found = lightgbm_trees.predict(fit(processes, classes), test.features, 1)
    right = (found.argmax(axis=1) == test.labels).mean()
    assert right > (alone.argmax(axis=1) == test.labels).mean() - 0.05


def test_nothing_is_left_in_a_worker(processes):
    train, _ = samples()
    processes.deal(strided(train, 2))
    fit(processes, 2)
    before = processes.on_all(left_over)
    fit(processes, 2)
    assert processes.on_all(left_over) == before
    assert [sockets for _, sockets in before] == [0, 0]


def test_ports_are_of_one_worker_each_and_another_is_drawn_where_one_is_taken(processes):
    train, _ = samples(rows=100)
    processes.deal(strided(train, 3))
    assert len(set(processes.on_all(claim_of_three))) == 3
    processes.on_all(give_up_port)


def claim_of_three(worker):
    lightgbm_trees.PORTS = range(20_000, 20_003)
    return lightgbm_trees.claim_port(worker)


def give_up_port(worker):
    _, token, held = worker.kept.pop(lightgbm_trees.PORT)
    token.close()
    held.close()


@pytest.mark.parametrize("victim", [0, 1, 2])
def test_others_end_with_an_error_when_a_worker_dies(processes, victim):
    train, _ = samples()
    processes.deal(strided(train, 3))
    machines = processes.on_all(lightgbm_trees.claim_port)
    processes.on_all(die_soon, victim, 3)
    endless = lightgbm_trees.Boosting(rounds=1_000_000)
    outcomes = processes.outcomes(lightgbm_trees.train, 2, SEED, machines, endless, seconds=60)
    assert isinstance(outcomes.pop(victim), Dead)
    for outcome in outcomes:
        assert isinstance(outcome, BusyError)
        assert "lost the others" in str(outcome) or "has no connection" in str(outcome)


def test_workers_do_not_wait_for_ever_for_one_that_does_not_come(processes):
    train, _ = samples()
    processes.deal(strided(train, 3))
    machines = processes.on_all(lightgbm_trees.claim_port)
    outcomes = processes.outcomes(train_but_the_last, machines, seconds=30)
    assert [type(outcome) for outcome in outcomes] == [BusyError, BusyError, type(None)]
    assert "has no connection to all of 127.0.0.1:" in str(outcomes[0])


def train_but_the_last(worker, machines):
    lightgbm_trees.CONNECT_SECONDS = 3
    if worker.number < worker.count - 1:
        return lightgbm_trees.train(worker, 2, SEED, machines)
    return None
