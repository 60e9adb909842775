"""How fast the kernel is, on one data set, stage by stage; and against scikit-learn's Lloyd.

    ./pants run apps/taxi-clustering:benchmarks

`BENCHMARK_SIZE` names the data set (100mb; 1.99gb for the figures in the README),
`BENCHMARK_THREADS` the threads (2). Nothing here asserts a time: the table that pytest-benchmark
prints is the result.
"""

import os
import statistics
import sys
import time

import numpy as np
import pytest
from sklearn.cluster import KMeans
from study_data import stores, yellow_trips
from studykit import storage
from taxi_clustering import kernel, quality, trips
from taxi_clustering import worker as workers
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.worker import Loaded, Worker
from threadpoolctl import threadpool_limits

SIZE = os.environ.get("BENCHMARK_SIZE", "100mb")
THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))
CLUSTERS = 40
ROUNDS = 5
SPLIT_SIZE = 32_000_000
FEW, MANY = 4, 14
"""Iterations of scikit-learn; the difference is ten without what it does before and after."""


@pytest.fixture(scope="module")
def splits() -> list[storage.Split]:
    workers.warm_up()
    found = stores.locate(yellow_trips.DATASET, SIZE, stores.default_store())
    return storage.splits(found.uri, SPLIT_SIZE)


def loaded(splits: list[storage.Split]) -> tuple[Worker, Loaded]:
    worker = Worker(THREADS)
    formats = trips.formats([splits[0].uri])
    return worker, worker.load(splits, formats, SAMPLE_SIZE, 42)


@pytest.fixture(scope="module")
def worker_and_seeds(splits) -> tuple[Worker, kernel.Centres]:
    worker, read = loaded(splits)
    return worker, kernel.seeds(read.sample.points, CLUSTERS, 42, 0)


def test_parse_judge_and_keep(benchmark, splits):
    benchmark.pedantic(lambda: loaded(splits), rounds=ROUNDS, warmup_rounds=1)


def test_seeding(benchmark, splits):
    sample = loaded(splits)[1].sample.points
    benchmark.pedantic(lambda: kernel.seeds(sample, CLUSTERS, 42, 0), rounds=ROUNDS)


def test_silhouettes_of_the_sample(benchmark, splits, worker_and_seeds):
    sample = loaded(splits)[1].sample.points
    centres = worker_and_seeds[1]
    benchmark.pedantic(lambda: quality.silhouettes(sample, centres), rounds=ROUNDS, warmup_rounds=1)


def sklearn_seconds(points: np.ndarray, seeds: np.ndarray, steps: int) -> float:
    began = time.perf_counter()
    with threadpool_limits(THREADS):
        fitted = KMeans(CLUSTERS, init=seeds, n_init=1, max_iter=steps, tol=0, algorithm="lloyd")
        assert fitted.fit(points).n_iter_ == steps
    return time.perf_counter() - began


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_iteration_against_scikit_learn(benchmark, worker_and_seeds):
    """In every round ten of ours and ten of scikit-learn's, on the same array and threads."""
    worker, seeds = worker_and_seeds
    points = np.concatenate(worker.points, axis=1).T.copy()
    ratios: list[float] = []

    def ours_then_theirs() -> None:
        began = time.perf_counter()
        for _ in range(MANY - FEW):
            worker.step(seeds)
        ours = time.perf_counter() - began
        theirs = sklearn_seconds(points, seeds, MANY) - sklearn_seconds(points, seeds, FEW)
        ratios.append(ours / theirs)

    benchmark.pedantic(ours_then_theirs, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["ours / scikit-learn, median"] = round(statistics.median(ratios[1:]), 3)
    benchmark.extra_info["points"] = len(points)
    print(f"\nours / scikit-learn: {[round(ratio, 3) for ratio in ratios[1:]]}")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
