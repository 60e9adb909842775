"""The paper on Ray: a task for every k, waited for before the next; four actors of a network each.

As in its notebooks nothing says what a task or an actor needs, so all four run at once on however
few workers.
"""

import time
from typing import Any

import ray
from studykit.run import Outcome, Run

from digits_knn_cnn import loading, published
from digits_knn_cnn.layout import Digits, Labels, Pixels
from digits_knn_cnn.published import Exact, Fitted


def knn(run: Run, exact: Exact) -> Outcome:
    task = ray.remote(published.fit)

    def fit(k: int, pixels: Pixels, labels: Labels, queries: Pixels) -> Fitted:
        """The data is sent with every task, for Ray is not told that it is the same."""
        fitted: Fitted = ray.get(task.remote(k, pixels, labels, queries))
        return fitted

    found = published.knn(run, *loading.read_parts(run), exact, fit)
    rows = found.quality["train_rows"] + found.quality["test_rows"]
    side, judged = run.parameters.resolution, found.quality["train_rows_judged"]
    of_task = 8 * side**2 * (rows + judged) + found.quality["train_rows"]
    found.bytes_sent = run.parameters.neighbours * of_task
    return found


class Trainer:
    """One network, on all of the training part."""

    def __init__(self) -> None:
        began = time.monotonic()
        import torch

        from digits_knn_cnn import published_network

        torch.set_num_threads(1)
        self._train = published_network.train
        self._import_seconds = time.monotonic() - began

    def ready(self) -> None:
        """Return once `__init__` has."""

    def train(self, data: Digits, tests: Digits, epochs: int) -> Any:
        return self._train(data, tests, epochs, self._import_seconds)


def network(run: Run, exact: Exact) -> Outcome:
    with run.phase("start", f"starting {published.NETWORKS} actors"):
        remote = ray.remote(Trainer)
        actors = [remote.remote() for _ in range(published.NETWORKS)]
        ray.get([actor.ready.remote() for actor in actors])
    train, tests = loading.read_parts(run)
    with run.phase("compute", f"training {published.NETWORKS} networks"):
        epochs = run.parameters.epochs
        trained = ray.get([actor.train.remote(train, tests, epochs) for actor in actors])
    return published.network(run, train, tests, trained, exact)
