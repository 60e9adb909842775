"""A run that trains a network, whatever the engine that places its ranks.

The driver reads all pictures, a small part of a training, and sends them to the ranks once.
"""

from studykit.run import Outcome, Run
from studytrain.ranks import Ranks

from digits_knn_cnn import outcome, study, training, worker


def network(run: Run, ranks: Ranks) -> Outcome:
    threads = run.options.worker_count * run.options.threads
    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        train, tests = worker.read_parts(source.splits, source.formats, threads)
    return outcome.network(run, tests, len(train), training.trained(run, ranks, train, tests))
