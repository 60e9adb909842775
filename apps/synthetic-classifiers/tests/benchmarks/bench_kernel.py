"""How fast the parts are, on one data set: reading beside polars, a pass of the regression, the
neighbours beside scikit-learn's.

    ./pants run apps/synthetic-classifiers:benchmarks

`BENCHMARK_SIZE` names the data set (100mb), `BENCHMARK_THREADS` the threads (2). Nothing here
asserts a time: the table that pytest-benchmark prints is the result.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
from study_data import stores, synthetic_classes
from studykit import storage
from synthetic_classifiers import logistic, samples
from synthetic_classifiers import worker as workers
from synthetic_classifiers.layout import Asked

SIZE = os.environ.get("BENCHMARK_SIZE", "100mb")
THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))
ROUNDS = 5
SPLIT_SIZE = 16_000_000
ASKED = Asked("target", None, 2, missing=False)


@pytest.fixture(scope="module")
def uri() -> str:
    workers.warm_up()
    return stores.locate(synthetic_classes.DATASET, SIZE, stores.default_store()).uri


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(THREADS) as threads:
        yield threads


def read(uri, pool):
    form, splits = samples.sniff(uri, ASKED), storage.splits(uri, SPLIT_SIZE)
    return list(pool.map(lambda split: samples.read(split, form), splits))


def test_read(benchmark, uri, pool):
    benchmark.pedantic(lambda: read(uri, pool), rounds=ROUNDS, warmup_rounds=1)


def test_read_by_polars(benchmark, uri):
    """Threads: POLARS_MAX_THREADS."""
    types = {f"feature_{place}": pl.Float32 for place in range(10)} | {"target": pl.Int32}
    path = storage.local_path(uri)
    benchmark.pedantic(
        lambda: pl.read_csv(path, schema_overrides=types), rounds=ROUNDS, warmup_rounds=1
    )


def test_a_pass_of_the_regression(benchmark, uri, pool):
    features, labels = map(np.concatenate, zip(*read(uri, pool), strict=True))
    at = np.full((1, 11), 0.1)
    benchmark.pedantic(
        lambda: logistic.sums(features, labels, at, True, pool), rounds=ROUNDS, warmup_rounds=1
    )


if __name__ == "__main__":
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
