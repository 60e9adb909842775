"""A run that trains a network, whatever the engine that places its ranks.

The driver reads all pictures, a small part of a training, and sends them to the ranks once.
"""

from studykit.run import Outcome, Run
from studytrain.ranks import Ranks

from digits_knn_cnn import loading, outcome, training


def network(run: Run, ranks: Ranks) -> Outcome:
    train, tests = loading.read_parts(run)
    return outcome.network(run, tests, len(train), training.trained(run, ranks, train, tests))
