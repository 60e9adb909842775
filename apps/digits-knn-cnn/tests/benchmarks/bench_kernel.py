"""How fast the kernels are, on one data set and one thread.

    ./pants run apps/digits-knn-cnn:benchmarks

`BENCHMARK_SIZE` names the data set (x10; 100mb takes a minute a round). Nothing here asserts a
time: the table that pytest-benchmark prints is the result.
"""

import os
import sys

import numpy as np
import pytest
from digits_knn_cnn import digits, nearest, voting, worker
from digits_knn_cnn.worker import Part
from study_data import digits as digits_data
from study_data import stores
from studykit import cutting, storage

SIZE = os.environ.get("BENCHMARK_SIZE", "x10")
ROUNDS = 5
SPLIT_SIZE = 32_000_000
NEIGHBOURS = 10


@pytest.fixture(scope="module")
def splits() -> list[storage.Split]:
    worker.warm_up()
    found = stores.locate(digits_data.DATASET, SIZE, stores.default_store())
    return cutting.splits(found.uri, SPLIT_SIZE)


def read(splits: list[storage.Split]) -> Part:
    formats = digits.formats(list({split.uri for split in splits}), 8, 16)
    loaded = worker.load(splits, formats, 1)
    return worker.place(loaded, worker.describe(loaded).result, formats, 42).result


def test_read(benchmark, splits):
    benchmark.pedantic(lambda: read(splits), rounds=ROUNDS, warmup_rounds=1)
    size = sum(split.stop - split.start for split in splits)
    benchmark.extra_info["bytes per second"] = round(size / benchmark.stats.stats.median)


@pytest.mark.parametrize("kind", [np.uint8, np.float64], ids=["whole", "fractions"])
def test_search(benchmark, splits, kind):
    part = read(splits)
    asked, rows = part.tests.pixels.astype(kind), part.train.pixels.astype(kind)
    benchmark.pedantic(
        lambda: nearest.search(asked, rows, NEIGHBOURS), rounds=ROUNDS, warmup_rounds=1
    )
    median = benchmark.stats.stats.median
    benchmark.extra_info["distances per second"] = round(len(asked) * len(rows) / median)


def test_vote(benchmark, splits):
    part = read(splits)
    _, found = nearest.search(part.tests.pixels, part.train.pixels, NEIGHBOURS)
    labels = part.train.labels[found]
    benchmark.pedantic(lambda: voting.votes(labels), rounds=ROUNDS, warmup_rounds=1)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
