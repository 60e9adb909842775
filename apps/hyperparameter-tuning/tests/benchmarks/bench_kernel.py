"""How fast the kernels are, on one thread.

    ./pants run apps/hyperparameter-tuning:benchmarks

`BENCHMARK_SIZE` names the pictures (5k). Nothing here asserts a time: the table that
pytest-benchmark prints is the result.
"""

import os

import pytest
from hyperparameter_tuning import boosting, diagnoses, pictures
from hyperparameter_tuning.diagnoses import Divided
from hyperparameter_tuning.jobs import Job
from study_data import breast_cancer, cifar_like, stores

SIZE = os.environ.get("BENCHMARK_SIZE", "5k")
ROUNDS = 5


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
