"""Workers as bare processes: what an engine is to a classifier, and nothing else.

A worker's outcome is what its step returned, the error that it raised, or `Dead`.
"""

import multiprocessing
import os
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import psutil

SECONDS = 120
"""Far more than any step takes on a slow machine."""


class Samples(NamedTuple):
    features: np.ndarray
    labels: np.ndarray

    @property
    def rows(self):
        return len(self.labels)


@dataclass
class Worker:
    """What a library that trains asks of a `synthetic_classifiers.worker.Worker`."""

    number: int = 0
    count: int = 1
    threads: int = 1
    address: str = "127.0.0.1"
    train: Samples | None = None
    kept: dict[str, Any] = field(default_factory=dict)


class Dead(Exception):
    pass


def samples(classes=2, rows=6000):
    """Training samples, and test samples of half as many."""
    from sklearn.datasets import make_classification  # Which no worker needs.

    features, labels = make_classification(
        rows * 3 // 2, 10, n_informative=5, n_redundant=5, n_classes=classes, random_state=7
    )
    both = Samples(features.astype(np.float32), labels.astype(np.int32))
    return cut(both, slice(0, rows)), cut(both, slice(rows, None))


def cut(whole, part):
    features, labels = whole
    return Samples(np.ascontiguousarray(features[part]), np.ascontiguousarray(labels[part]))


class Processes:
    """Processes that are workers of what `deal` deals out: started once, and where one is lost."""

    def __init__(self):
        self.started = []
        self.members = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, ours in self.started:
            ours.close()
            process.kill()
            process.join()

    def deal(self, parts, threads=1):
        """`parts` are the training samples of each worker."""
        for process, ours in self.started[len(self.members) :]:
            assert process.is_alive() and not ours.poll()
        while len(self.started) < len(parts):
            self.started.append(_start())
        self.members = self.started[: len(parts)]
        for number, part in enumerate(parts):
            self.members[number][1].send((become, (number, len(parts), threads, part)))
        assert [ours.recv() for _, ours in self.members] == [None] * len(parts)
        return self

    def outcomes(self, step, *arguments, seconds=SECONDS):
        for _, ours in self.members:
            ours.send((step, arguments))
        deadline = time.monotonic() + seconds
        found = [self._outcome(process, ours, deadline) for process, ours in self.members]
        for member, outcome in zip(self.members, found, strict=True):
            if isinstance(outcome, Exception):
                self.started.remove(member)
                member[0].kill()
        return found

    def _outcome(self, process, ours, deadline):
        if not ours.poll(max(0, deadline - time.monotonic())):
            return TimeoutError("still computes")
        try:
            return ours.recv()
        except EOFError:
            process.join()
            return Dead(process.exitcode)

    def on_all(self, step, *arguments):
        found = self.outcomes(step, *arguments)
        for outcome in found:
            if isinstance(outcome, Exception):
                raise outcome
        return found


def _start():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def _serve(pipe: Connection):
    worker = Worker()
    while True:
        try:
            step, arguments = pipe.recv()
        except EOFError:
            return
        try:
            outcome = step(worker, *arguments)
        except Exception as error:
            outcome = error
        pipe.send(outcome)


def become(worker, number, count, threads, part):
    worker.number, worker.count, worker.threads, worker.train = number, count, threads, part


def strided(whole, count):
    return [cut(whole, slice(number, None, count)) for number in range(count)]


def die_soon(worker, victim, seconds):
    """The worker of this number ends in so many seconds, whatever it does then."""
    if worker.number == victim:
        threading.Timer(seconds, os._exit, (9,)).start()


def left_over(worker):
    """What a step may leave in its process: (threads, sockets that listen or are connected)."""
    me = psutil.Process()
    return me.num_threads(), len(me.net_connections(kind="inet"))
