"""How fast the kernels are, on one thread.

    ./pants run apps/hyperparameter-tuning:benchmarks

`BENCHMARK_SIZE` names the pictures that are read (5k); networks learn from `tiny`, one after the
other and several as one: compare their trials per CPU-second. Nothing here asserts a time: the
table that pytest-benchmark prints is the result.
"""

import os
import time

import numpy as np
import pytest
import torch
from hyperparameter_tuning import boosting, diagnoses, network, pictures
from hyperparameter_tuning.convolutional import SequentialTrainer
from hyperparameter_tuning.diagnoses import Divided
from hyperparameter_tuning.jobs import Job
from hyperparameter_tuning.space import NETWORK
from hyperparameter_tuning.vectorised import VectorisedTrainer
from study_data import breast_cancer, cifar_like, stores

SIZE = os.environ.get("BENCHMARK_SIZE", "5k")
ROUNDS = 5
TRIALS, EPOCHS = 16, 4
"""Of networks in a round: two groups of those that are computed together."""


def test_read_pictures(benchmark):
    found = stores.locate(cifar_like.DATASET, SIZE, stores.default_store())
    benchmark.pedantic(lambda: pictures.read(found.uri), rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["bytes per second"] = round(found.bytes / benchmark.stats.stats.median)


@pytest.fixture(scope="module")
def parts() -> Divided:
    found = stores.locate(breast_cancer.DATASET, "tiny", stores.default_store())
    return diagnoses.divided(diagnoses.read(found.uri), 42)


@pytest.mark.parametrize("depth", [1, 5])
def test_boosting_trial(benchmark, parts, depth):
    trainer = boosting.BoostingTrainer(parts.train, 42)
    job = Job(0, 0, {"max_depth": depth}, None, 0, boosting.ROUNDS, 42)
    benchmark.pedantic(lambda: list(trainer.train([job], {})), rounds=ROUNDS, warmup_rounds=1)
    trees = (diagnoses.FOLDS + 1) * boosting.ROUNDS
    benchmark.extra_info["trees per second"] = round(trees / benchmark.stats.stats.median)


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    """First jobs of a search: configurations from all over the space."""
    configurations = [NETWORK.sample(np.random.default_rng(number)) for number in range(TRIALS)]
    return [
        Job(number, number, one, None, 0, EPOCHS, number)
        for number, one in enumerate(configurations)
    ]


@pytest.mark.parametrize("kind", [SequentialTrainer, VectorisedTrainer])
def test_network_trials(benchmark, jobs, kind):
    torch.set_num_threads(1)
    found = stores.locate(cifar_like.DATASET, "tiny", stores.default_store())
    train, validation = pictures.validation_split(pictures.read(found.uri)[0], 42)
    trainer = kind(network.small(), train, validation, 42)
    spent = []

    def trained():
        began = time.process_time()
        list(trainer.train(jobs, {}))
        spent.append(time.process_time() - began)

    benchmark.pedantic(trained, rounds=ROUNDS, warmup_rounds=1)
    per_second = TRIALS / float(np.median(spent[1:]))
    benchmark.extra_info["trials per CPU-second"] = round(per_second, 2)
