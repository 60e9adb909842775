"""The paper's regression on Ray, without Ray: pandas reads, and NumPy draws with a seed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from studykit.run import Run

from ray_vs_dask_etl import native_plain
from ray_vs_dask_etl.published import BATCH_ROWS, FIRST_ROWS, TEST_SHARE, Readings

ROWS_AT_ONCE = round(BATCH_ROWS / (1 - TEST_SHARE))
"""Of which some BATCH_ROWS are training rows."""


def readings(run: Run) -> Readings:
    return Readings(
        first=lambda: next(_drawn(run, 0, test=False), pd.DataFrame()).head(FIRST_ROWS),
        train=lambda: _drawn(run, 1, test=False),
        test=lambda: _joined(list(_drawn(run, 2, test=True))),
    )


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts) if parts else pd.DataFrame()


def _drawn(run: Run, reading: int, test: bool) -> Iterator[pd.DataFrame]:
    """Either the test rows of a reading or the others, some at a time."""
    random = np.random.default_rng([run.options.seed, reading])
    for rows in native_plain.batches(run, ROWS_AT_ONCE, ids=True):
        is_test = random.random(len(rows)) < TEST_SHARE
        yield rows[is_test == test]
