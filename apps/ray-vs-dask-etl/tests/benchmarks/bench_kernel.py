"""How fast the kernels are, on one data set and one thread, stage by stage.

    ./pants run apps/ray-vs-dask-etl:benchmarks

`BENCHMARK_SIZE` names the data set (100mb; 1gb for the figures in the README). Nothing here asserts
a time: the table that pytest-benchmark prints is the result.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from ray_vs_dask_etl import rows, worker
from ray_vs_dask_etl.scaling import Scaling
from ray_vs_dask_etl.study import Parameters
from study_data import stores, uniform_rows
from studykit import storage

SIZE = os.environ.get("BENCHMARK_SIZE", "100mb")
ROUNDS = 5
SPLIT_SIZE = 32_000_000
COLUMNS = Parameters().read
LONG_ROWS = 200_000


@pytest.fixture(scope="module")
def splits() -> list[storage.Split]:
    worker.warm_up()
    found = stores.locate(uniform_rows.DATASET, SIZE, stores.default_store())
    return storage.splits(found.uri, SPLIT_SIZE)


@pytest.fixture(scope="module")
def long_splits(tmp_path_factory: pytest.TempPathFactory) -> list[storage.Split]:
    """Numbers as Python prints a double: 16 to 18 digits, which do not fit into one."""
    worker.warm_up()
    x, y = np.random.default_rng(0).random((2, LONG_ROWS))
    lines = (
        f"{i},{a!r},{b!r},{'ABCD'[i % 4]}\n"
        for i, (a, b) in enumerate(zip(x.tolist(), y.tolist(), strict=True))
    )
    path = Path(tmp_path_factory.mktemp("long")) / "rows.csv"
    path.write_text("id,x,y,category\n" + "".join(lines))
    return storage.splits(str(path), SPLIT_SIZE)


def read(splits: list[storage.Split]) -> int:
    form = rows.sniff(splits[0].uri, COLUMNS)
    return sum(len(chunk) for split in splits for chunk in rows.read(split, form, COLUMNS))


def rate(benchmark, splits: list[storage.Split]) -> None:
    size = sum(split.stop - split.start for split in splits)
    benchmark.extra_info["bytes per second"] = round(size / benchmark.stats.stats.median)


def test_read(benchmark, splits):
    benchmark.pedantic(lambda: read(splits), rounds=ROUNDS, warmup_rounds=1)
    rate(benchmark, splits)


def test_read_numbers_of_17_digits(benchmark, long_splits):
    benchmark.pedantic(lambda: read(long_splits), rounds=ROUNDS, warmup_rounds=1)
    rate(benchmark, long_splits)


def test_read_and_aggregate(benchmark, splits):
    form = rows.sniff(splits[0].uri, COLUMNS)
    benchmark.pedantic(
        lambda: [worker.aggregate(split, form, COLUMNS) for split in splits],
        rounds=ROUNDS, warmup_rounds=1,
    )  # fmt: skip
    rate(benchmark, splits)


def test_one_pass_of_the_regression(benchmark, splits):
    form = rows.sniff(splits[0].uri, COLUMNS)
    scaling = Scaling.of(next(rows.read(splits[0], form, COLUMNS)).values)
    cached = [worker.cache(split, form, COLUMNS, 42, scaling) for split in splits]
    theta = np.full((3, 3), 0.1)
    benchmark.pedantic(
        lambda: [worker.evaluate(part, theta, True) for part in cached],
        rounds=ROUNDS, warmup_rounds=1,
    )  # fmt: skip
    benchmark.extra_info["rows"] = sum(part.result.train for part in cached)


def test_generate(benchmark):
    count = uniform_rows.ROWS[SIZE]
    benchmark.pedantic(
        lambda: sum(map(len, uniform_rows.blocks(count))), rounds=ROUNDS, warmup_rounds=1
    )
    median = benchmark.stats.stats.median
    benchmark.extra_info["bytes per second"] = round(uniform_rows.bytes_of(count) / median)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
