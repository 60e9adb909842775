"""How fast the kernel is, on one data set, stage by stage; and against a straight iteration.

    ./pants run apps/twitter-pagerank:benchmarks

`BENCHMARK_SIZE` names the data set (100mb; 1gb for the figures in the README), `BENCHMARK_THREADS`
the threads (2). Nothing here asserts a time: the table that pytest-benchmark prints is the result.
"""

import os
import statistics
import sys
import time

import numba
import numpy as np
import pytest
from study_data import follower_graph, stores
from studykit import machine, storage
from twitter_pagerank import edges, kernel
from twitter_pagerank import worker as workers
from twitter_pagerank.worker import Worker

SIZE = os.environ.get("BENCHMARK_SIZE", "100mb")
THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))
ROUNDS = 5
SPLIT_SIZE = 32_000_000


@pytest.fixture(scope="module")
def splits() -> list[storage.Split]:
    workers.warm_up()
    found = stores.locate(follower_graph.DATASET, SIZE, stores.default_store())
    return storage.splits(found.uri, SPLIT_SIZE)


def loaded(splits: list[storage.Split]) -> tuple[Worker, workers.Loaded]:
    worker = Worker(THREADS)
    return worker, worker.load(splits, edges.formats([splits[0].uri]))


def built(splits: list[storage.Split]) -> tuple[Worker, np.ndarray]:
    worker, totals = loaded(splits)
    counts = worker.relabel(worker.occurring(totals.largest, True), True)
    degrees = worker.build(worker.scatter([0, len(counts)]), 0, len(counts))
    return worker, worker.start(degrees)


def test_parse(benchmark, splits):
    benchmark.pedantic(lambda: loaded(splits), rounds=ROUNDS, warmup_rounds=1)


def test_parse_against_polars(benchmark, splits):
    """In every round ours and polars' reading into two columns; the ratios are of CPU seconds."""
    machine.pin_threads(THREADS)  # Before polars is imported: it asks then only.
    import polars

    path, ratios = storage.local_path(splits[0].uri), []
    (form,) = edges.formats([splits[0].uri]).values()
    kinds = dict.fromkeys(form.ends, polars.Int64)

    def ours_then_polars() -> None:
        began = time.process_time()
        _, read = loaded(splits)
        middle = time.process_time()
        table = polars.read_csv(path, has_header=form.header, schema=kinds)
        ratios.append((middle - began) / (time.process_time() - middle))
        assert table.height == read.edges

    benchmark.pedantic(ours_then_polars, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["ours / polars, median"] = round(statistics.median(ratios[1:]), 3)
    print(f"\nours / polars: {[round(ratio, 2) for ratio in ratios[1:]]}")


def test_parse_relabel_and_build(benchmark, splits):
    benchmark.pedantic(lambda: built(splits), rounds=ROUNDS, warmup_rounds=1)


@numba.njit(parallel=True, cache=True)
def straight_pull(offsets, sources, contribution, base, damping, ranks):  # type: ignore[no-untyped-def]
    """The pull that one writes first: row after row, wherever the sources lie, over all threads."""
    for v in numba.prange(offsets.size - 1):
        total = 0.0
        for k in range(offsets[v], offsets[v + 1]):
            total += contribution[sources[k]]
        ranks[v] = base + damping * total


def test_one_iteration_against_a_straight_pull(benchmark, splits):
    """In every round one of ours, by segments, and one straight iteration over the same edges.

    Their ranks are equal to the last bit; the ratio is in the extra info.
    """
    numba.set_num_threads(THREADS)
    worker, sums = built(splits)
    offsets, sources = worker.rows.compressed()
    contribution = worker.outgoing.copy()
    ranks = np.empty(len(contribution))
    base = kernel.base_rank(sums, len(ranks), 0.85)
    straight_pull(offsets, sources, contribution, base, 0.85, ranks)
    state, ratios = [worker.step(sums)], []
    assert np.array_equal(worker.ranks, ranks)

    def ours_then_straight() -> None:
        began = time.perf_counter()
        state[0] = worker.step(state[0])
        middle = time.perf_counter()
        straight_pull(offsets, sources, contribution, base, 0.85, ranks)
        ratios.append((middle - began) / (time.perf_counter() - middle))

    benchmark.pedantic(ours_then_straight, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["ours / straight, median"] = round(statistics.median(ratios[1:]), 3)
    benchmark.extra_info["edges"] = len(sources)
    benchmark.extra_info["segments"] = worker.rows.cells.shape[1] - 1
    print(f"\nours / straight: {[round(ratio, 2) for ratio in ratios[1:]]}")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
