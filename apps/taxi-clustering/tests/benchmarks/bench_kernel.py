"""How fast the kernel is, on one data set, stage by stage; beside a look at every point, and beside
scikit-learn's Lloyd.

    ./pants run apps/taxi-clustering:benchmarks

`BENCHMARK_SIZE` names the data set (100mb; 1.99gb for the figures in the README),
`BENCHMARK_THREADS` the threads (2). Nothing here asserts a time: the table that pytest-benchmark
prints is the result.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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
def whole(splits) -> tuple[Worker, list[kernel.Points], kernel.Centres]:
    """A worker that has sorted its points, the same points as they were read, and seeds."""
    worker, read = loaded(splits)
    parts = list(worker.points)
    worker.squares()
    return worker, parts, kernel.seeds(read.sample.points, CLUSTERS, 42, 0)


def test_parse_judge_and_keep(benchmark, splits):
    benchmark.pedantic(lambda: loaded(splits), rounds=ROUNDS, warmup_rounds=1)


def test_seeding(benchmark, splits):
    sample = loaded(splits)[1].sample.points
    benchmark.pedantic(lambda: kernel.seeds(sample, CLUSTERS, 42, 0), rounds=ROUNDS)


def test_silhouettes_of_the_sample(benchmark, splits, whole):
    sample = loaded(splits)[1].sample.points
    centres = whole[2]
    benchmark.pedantic(lambda: quality.silhouettes(sample, centres), rounds=ROUNDS, warmup_rounds=1)


def test_sort_into_squares(benchmark, whole):
    """What comes once, before the first iteration."""

    def unsorted() -> tuple[tuple[Worker], dict[str, object]]:
        worker = Worker(THREADS)
        worker.points = list(whole[1])
        return (worker,), {}

    benchmark.pedantic(Worker.squares, setup=unsorted, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["squares"] = len(whole[0].squares().places)
    benchmark.extra_info["tiles"] = len(whole[0].squares().tiles) - 1


def lloyd(step: Callable[[kernel.Centres], kernel.Floats], centres: kernel.Centres) -> float:
    """Seconds of an iteration: ten of them, from given centres."""
    began = time.perf_counter()
    for _ in range(MANY - FEW):
        sums = step(centres)
        centres = (sums[:, 1:] / np.maximum(sums[:, :1], 1)).astype(np.float32)
    return (time.perf_counter() - began) / (MANY - FEW)


def test_one_iteration_beside_a_look_at_every_point(benchmark, whole):
    """In every round ten by squares and ten over every point, with the same centres."""
    worker, parts, seeds = whole
    pool = ThreadPoolExecutor(THREADS)
    seconds: list[tuple[float, float]] = []

    def add_up(part: kernel.Points, centres: kernel.Centres) -> kernel.Floats:
        sums, every = np.zeros((CLUSTERS, 3)), np.arange(CLUSTERS)
        kernel.add_points(part, 0, part.shape[1], centres, every, sums)
        return sums

    def over_every_point(centres: kernel.Centres) -> kernel.Floats:
        return kernel.combine(pool.map(lambda part: add_up(part, centres), parts))

    def both() -> None:
        seconds.append((lloyd(worker.step, seeds), lloyd(over_every_point, seeds)))

    assert np.array_equal(worker.step(seeds), over_every_point(seeds))
    benchmark.pedantic(both, rounds=ROUNDS, warmup_rounds=1)
    squares, every = (statistics.median(found) for found in zip(*seconds[1:], strict=True))
    print(f"\nseconds of an iteration: by squares {squares:.4f}, over every point {every:.4f}")
    print(f"by squares / over every point: {[round(s / e, 3) for s, e in seconds[1:]]}")


def sklearn_seconds(points: np.ndarray, seeds: np.ndarray, steps: int) -> float:
    began = time.perf_counter()
    with threadpool_limits(THREADS):
        fitted = KMeans(CLUSTERS, init=seeds, n_init=1, max_iter=steps, tol=0, algorithm="lloyd")
        assert fitted.fit(points).n_iter_ == steps
    return time.perf_counter() - began


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_iteration_against_scikit_learn(benchmark, whole):
    """In every round ten of ours and ten of scikit-learn's, on the same points and threads."""
    worker, parts, seeds = whole
    points = np.concatenate(parts, axis=1).T.copy()
    seconds: list[tuple[float, float]] = []

    def ours_then_theirs() -> None:
        ours = lloyd(worker.step, seeds)
        theirs = sklearn_seconds(points, seeds, MANY) - sklearn_seconds(points, seeds, FEW)
        seconds.append((ours, theirs / (MANY - FEW)))

    benchmark.pedantic(ours_then_theirs, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["points"] = len(points)
    ours, theirs = (statistics.median(found) for found in zip(*seconds[1:], strict=True))
    print(f"\nseconds of an iteration: ours {ours:.4f}, scikit-learn's {theirs:.4f}")
    print(f"ours / scikit-learn: {[round(s / t, 4) for s, t in seconds[1:]]}")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
