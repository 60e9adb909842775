"""The paper's regression on Ray: Ray Data reads and splits, the driver learns.

Mpoympalos and Spentzou (2025), section III.E ("a random column to differentiate training and test
subsets"). The random number is drawn by a function of a row, without a seed, and a data set of
Ray's is a plan that every use of it runs again: so training and test rows overlap, and no two runs
give the same accuracy.
"""

import random
from typing import Any

from studykit.run import Run

from ray_vs_dask_etl import native_ray
from ray_vs_dask_etl.published import BATCH_ROWS, FIRST_ROWS, TEST_SHARE, Readings

CHANCE = "chance of being a test row"


def readings(run: Run) -> Readings:
    rows = native_ray.rows(run).map(_draw)
    train, test = rows.filter(_is_train), rows.filter(_is_test)
    return Readings(
        first=lambda: train.limit(FIRST_ROWS).to_pandas(),
        train=lambda: train.iter_batches(batch_size=BATCH_ROWS, batch_format="pandas"),
        test=test.to_pandas,
    )


def _draw(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, CHANCE: random.random()}


def _is_train(row: dict[str, Any]) -> bool:
    return not _is_test(row)


def _is_test(row: dict[str, Any]) -> bool:
    return bool(row[CHANCE] < TEST_SHARE)
