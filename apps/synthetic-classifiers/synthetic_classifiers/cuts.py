"""Where the values of a feature are cut into bins: at quantiles of a seeded sample of all rows.

XGBoost by itself sketches the quantiles of what every worker has and merges the sketches: other
cuts, and with them another model, for each number of workers. The sample is the same however the
rows are dealt out. With 200,000 of its values a quantile is off by a tenth of a percent of the rows
at most, where a bin of 256 holds four tenths.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthetic_classifiers import dividing
from synthetic_classifiers.layout import Features
from synthetic_classifiers.worker import Worker

SAMPLED_ROWS = 200_000
"""As many as LightGBM looks at by default (`bin_construct_sample_cnt`)."""
SAMPLED_BYTES = 64_000_000
"""Of a table with many columns there are fewer rows."""


def sampled(worker: Worker, train_rows: int, seed: int) -> Features:
    """A step: of `train_rows` training samples in all, those of the sample that this worker has."""
    columns = worker.train.features.shape[1]
    share = min(SAMPLED_ROWS, SAMPLED_BYTES // (4 * columns)) / train_rows
    if share >= 1:
        return worker.train.features
    return worker.train.features[dividing.sampled(worker.train.rows, share, seed)]


def quantiles(parts: Sequence[Features], bins: int) -> npt.NDArray[np.float32]:
    """Of each feature its values, where there are no more than `bins`, else so many quantiles.

    float32[bins, features], ascending, each once; NaN where a feature has fewer. What is missing of
    the sample has no part in it.
    """
    sample = np.concatenate(parts)
    found = np.full((bins, sample.shape[1]), np.nan, np.float32)
    for feature in range(sample.shape[1]):
        values = np.sort(sample[:, feature])
        values = values[: np.searchsorted(values, np.nan)]  # NaN is sorted last.
        distinct = np.unique(values)
        if len(distinct) > bins:
            distinct = np.unique(values[np.arange(bins) * len(values) // bins])
        found[: len(distinct), feature] = distinct
    return found
