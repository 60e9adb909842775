"""Networks trained one after the other: they learn, go on exactly, stop, diverge."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import torch
from hyperparameter_tuning import convolutional, guards, judging, network, network_state
from hyperparameter_tuning.convolutional import SequentialTrainer
from hyperparameter_tuning.jobs import DIVERGED, DONE, STOPPED_EARLY, Stoppable, Stopped
from networks_data import job, striped

SMALL = network.small(3)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trainer():
    return SequentialTrainer(SMALL, striped(300), striped(90, seed=1), 4)


def trained(trainer, *jobs, states=None):
    return list(trainer.train(jobs, states or {}))


def test_a_network_learns_and_is_judged_by_counting(trainer):
    [(report, content)] = trained(trainer, job(rate=1e-2, epochs=5))
    assert (report.status, report.epochs, len(report.scores)) == (DONE, 5, 5)
    assert report.scores[-1] > 0.9 and report.figures["loss"][-1] < report.figures["loss"][0]
    assert report.cpu_seconds > 0 and report.seconds > 0
    tests = striped(60, seed=2)
    read = judging.predictions(SMALL, content, tests)
    found = judging.judged(tests.labels, read, 3)
    right = sum(int(a == b) for a, b in zip(read, tests.labels, strict=True))
    assert found.share == right / 60
    low, high = guards.interval(found.right, found.count)
    assert low < right / 60 <= high + 1e-12
    confusion = found.figures["confusion"]
    assert np.trace(confusion) == right and np.sum(confusion) == 60


def test_two_epochs_and_three_are_five_bit_for_bit(trainer):
    [(whole, expected)] = trained(trainer, job(epochs=5, batch=64))
    [(first, state)] = trained(trainer, job(epochs=2, batch=64))
    going_on = job(1, epochs=3, batch=64, parent=0, first=2)
    [(second, content)] = trained(trainer, going_on, states={0: state})
    assert [*first.scores, *second.scores] == whole.scores
    assert content == expected


def test_another_seed_rate_or_dropout_is_another_training(trainer):
    same, again, *others = (
        content
        for _, content in trained(
            trainer, job(), job(1), job(2, seed=6), job(3, rate=1e-3), job(4, dropout=0.5)
        )
    )
    assert same == again
    assert all(one != other for one, other in pairwise([same, *others]))


def test_a_trial_without_progress_stops_early_also_over_jobs():
    trainer = SequentialTrainer(SMALL, striped(60), striped(30, seed=1), 4, patience=2)
    still = {"rate": 1e-12, "seed": 3}
    [(report, state)] = trained(trainer, job(epochs=9, **still))
    assert (report.status, report.epochs) == (STOPPED_EARLY, 3)
    [(first, state)] = trained(trainer, job(epochs=2, **still))
    assert first.status == DONE
    [(report, _)] = trained(
        trainer, job(1, epochs=7, parent=0, first=2, **still), states={0: state}
    )
    assert (report.status, report.epochs) == (STOPPED_EARLY, 1)


def test_a_training_that_diverges_leaves_its_last_finite_state(trainer):
    state = network_state.initial(SMALL, 5)
    begun = network_state.packed(SMALL, state)
    state.weights[-1] = float("nan")
    [(report, content)] = trained(
        trainer, job(1, parent=0), states={0: network_state.packed(SMALL, state)}
    )
    assert (report.status, report.epochs, list(report.scores)) == (DIVERGED, 0, [])
    assert len(content) == len(begun)


def test_a_job_that_nobody_waits_for_any_more_ends_before_its_time(monkeypatch):
    endless, stepped = 10**9, threading.Event()
    trainer = SequentialTrainer(SMALL, striped(60), striped(30, seed=1), 4, patience=endless)

    def step(*of):
        stepped.set()
        first(*of)

    first = convolutional.step
    monkeypatch.setattr(convolutional, "step", step)
    assert isinstance(trainer, Stoppable)
    with ThreadPoolExecutor(1) as other:
        training = other.submit(trained, trainer, job(epochs=endless))
        assert stepped.wait(60)
        trainer.stop()
        with pytest.raises(Stopped):
            training.result(60)
