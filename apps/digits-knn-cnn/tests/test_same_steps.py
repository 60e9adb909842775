"""2 and 3 ranks take the steps of one process: the same loss by epoch, wherever they are placed."""

import pytest
import torch
import trainings
from digits_knn_cnn import training
from digits_knn_cnn.layout import Digits
from studykit.engines import dask_cluster
from studykit.options import Options
from studytest import leftovers, running
from studytest.process_ranks import ProcessRanks
from studytrain.dask_ranks import DaskRanks
from studytrain.local_ranks import LocalRanks
from trainings import asked


@pytest.fixture(scope="module")
def parts():
    return trainings.parts()


def losses(trained):
    return [epoch["loss"] for epoch in trained.history]


@pytest.fixture(scope="module")
def alone(parts):
    return {seed: training.trained(asked(seed), LocalRanks(1), *parts) for seed in (42, 43, 44)}


@pytest.mark.parametrize("seed", [42, 43, 44])
def test_the_cnn_reads_97_of_100_test_digits(alone, seed):
    assert alone[seed].history[-1]["test_accuracy"] >= 0.97


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("seed", [42, 43, 44])
def test_the_loss_of_the_cnn_is_that_of_one_process(alone, seed, count, parts):
    found = training.trained(asked(seed), ProcessRanks(count), *parts)
    assert losses(found) == pytest.approx(losses(alone[seed]), rel=1e-4)
    assert len(found.predictions) == len(parts[1])


@pytest.mark.parametrize("count", [2, 3])
def test_also_on_ray(alone, parts, count, monkeypatch):
    # Here, because a process that has imported Ray keeps to the way it was told then to join one.
    from studykit.engines import ray_cluster
    from studytrain.ray_ranks import RayRanks

    # So its workers find this study wherever it is.
    monkeypatch.setenv("PYTHONPATH", running.environment()["PYTHONPATH"])
    asked_for = Options(workers=count, oversubscribe=True, memory_limit="1gb")
    with leftovers.nothing_left(), ray_cluster.cluster(asked_for):
        found = training.trained(asked(), RayRanks(count, 1), *parts)
    assert losses(found) == pytest.approx(losses(alone[42]), rel=1e-4)


@pytest.mark.parametrize("count", [2, 3])
def test_also_on_dask(alone, parts, count):
    asked_for = Options(workers=count, oversubscribe=True)
    with leftovers.nothing_left(), dask_cluster.cluster(asked_for) as client:
        found = training.trained(asked(), DaskRanks(client, count, 1), *parts)
    assert losses(found) == pytest.approx(losses(alone[42]), rel=1e-4)


class InDoubles(training.Rank):
    def __init__(self, *arguments):
        torch.set_default_dtype(torch.float64)  # Of a process that is there for this alone.
        super().__init__(*arguments)


def test_the_loss_of_resnet18_is_that_of_one_process_in_doubles(parts, monkeypatch):
    """Of single floats Adam makes another network after ten steps, with any other order of sums:
    it steps as far along a gradient that is nothing but rounding as along any other."""
    monkeypatch.setattr(training, "Rank", InDoubles)
    few = [Digits(part.pixels[:64], part.labels[:64], 16) for part in parts]
    four_steps = asked(model="resnet18", epochs=1, batch_size=16)
    one, two, three = (
        losses(training.trained(four_steps, ProcessRanks(count), *few)) for count in (1, 2, 3)
    )
    assert two == pytest.approx(one, rel=1e-4)
    assert three == pytest.approx(one, rel=1e-4)
