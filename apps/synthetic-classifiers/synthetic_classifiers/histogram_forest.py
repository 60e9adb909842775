"""A random forest of histogram trees: XGBoost's, grown by all workers from their own rows.

scikit-learn's trees look at every value of a feature; these at 64 bins of it, level by level, with
histograms that are summed over the workers, so that no host needs all rows. As `XGBRFClassifier`
has it: one round of many trees, each of a share of the rows without replacement and, at each node,
of the square root of the features. Leaves are Newton steps of the log-loss, of which the forest
sums up: the likeliest class is that of a vote, but what is said of its probability is nearer to
even than the share of the votes.
"""

import math
from typing import Any

from synthetic_classifiers import xgboost_trees
from synthetic_classifiers.worker import Worker
from synthetic_classifiers.xgboost_trees import Address, Cuts, open_tracker, predict

SHARE = 0.632
"""Of the rows that a bootstrap sample has, for each tree."""
DEPTH = 18
BINS = 64

__all__ = ["open_tracker", "predict", "train"]


def train(
    worker: Worker, classes: int, trees: int, seed: int, cuts: Cuts, tracker: Address | None
) -> bytes | None:
    """The forest as XGBoost's UBJSON, of worker 0 alone. All workers call it at the same time."""
    columns = worker.train.features.shape[1]
    parameters: dict[str, Any] = {
        **xgboost_trees.objective(classes),
        "tree_method": "hist",
        "max_depth": DEPTH,
        "num_parallel_tree": trees,
        "subsample": SHARE,
        "colsample_bynode": math.sqrt(columns) / columns,
        "eta": 1.0,
        "lambda": 1e-5,  # XGBRFClassifier's.
    }
    return xgboost_trees.trained(worker, parameters, 1, seed, cuts, tracker)
