"""Boosted trees by LightGBM: one model of all workers' rows, data-parallel over its own sockets.

Every worker hands over its own rows alone. It finds the bins of its share of the features in up to
200,000 of its rows, drawn by the seed, and tells the others; then histograms are added up and all
grow the same trees. The same workers, threads and rows give the same bytes, run for run; over
numbers of workers the bins differ, and with them the trees.

Ports. LightGBM binds one that it is told, without the option by which another socket could hold it
meanwhile. So a worker draws one from below those that Linux hands out by itself, where no
connection comes by; as a token it keeps the UDP port of the same number, which no worker of another
run can have, until training ends; and it draws again where either is taken. The TCP port too is
kept, until the moment before LightGBM binds it: a stranger who is quicker then is an error.

Waiting. LightGBM itself tries for two minutes to connect, aborts its process where it is not
connected to, and reads for ever from a peer that has gone. So it works in a thread, whose
connections to the others are counted from outside, and it is left behind where they do not come, or
go. IPv4 alone.
"""

import contextlib
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import psutil
from studykit.errors import BusyError

from synthetic_classifiers.layout import Features, Probabilities
from synthetic_classifiers.worker import Worker

PORTS = range(20_000, 32_000)
ATTEMPTS = 100
CONNECT_SECONDS = 60
"""In which all workers must have come together."""
LOST_SECONDS = 10
"""After which a connection that is gone is an error: longer than what follows the last exchange."""
LOOK_SECONDS = 0.5
PORT = "lightgbm port"
"""Where a worker keeps it between two steps."""


@dataclass(frozen=True)
class Boosting:
    """LightGBM's defaults."""

    rounds: int = 100
    leaves: int = 31
    learning_rate: float = 0.1
    bins: int = 255


DEFAULTS = Boosting()


def claim_port(worker: Worker) -> str | None:
    """`host:port`, at which the others will reach this worker; None where there are none."""
    if worker.count == 1:
        return None
    draws = random.SystemRandom()
    for _ in range(ATTEMPTS):
        port = draws.choice(PORTS)
        token, held = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        try:
            token.bind(("", port))
            held.bind(("", port))
        except OSError:
            token.close()
            held.close()
            continue
        worker.kept[PORT] = (port, token, held)
        return f"{worker.address}:{port}"
    raise BusyError(f"LightGBM: {ATTEMPTS} ports from {PORTS[0]} to {PORTS[-1]} tried, all taken")


def train(
    worker: Worker,
    classes: int,
    seed: int,
    machines: Sequence[str | None],
    boosting: Boosting = DEFAULTS,
) -> bytes | None:
    """The model as LightGBM's text, of worker 0 alone. All workers call it at the same time.

    machines: what `claim_port` returned, of each worker in order.
    BusyError where a worker is lost, or does not come.
    """
    parameters: dict[str, Any] = {
        **objective(classes),
        "num_leaves": boosting.leaves,
        "learning_rate": boosting.learning_rate,
        "max_bin": boosting.bins,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": worker.threads,
        "verbosity": -1,
    }
    if worker.count == 1:
        return _fit(worker, parameters, boosting.rounds)
    port, token, held = worker.kept.pop(PORT)
    parameters |= {
        "tree_learner": "data",
        "pre_partition": True,
        "num_machines": worker.count,
        "machines": ",".join(map(str, machines)),
        "local_listen_port": port,
    }
    with contextlib.closing(token), contextlib.closing(held), _stdout_is_stderr():
        return _watched(worker, parameters, boosting.rounds, held)


def objective(classes: int) -> dict[str, Any]:
    if classes == 2:
        return {"objective": "binary"}
    return {"objective": "multiclass", "num_class": classes}


@contextlib.contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """The thread of LightGBM's that listens has no logger and prints; records are printed there."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


class _Silent:
    """Takes what LightGBM prints: that a peer is not there yet is counted here."""

    def info(self, text: str) -> None: ...
    def warning(self, text: str) -> None: ...


def _fit(worker: Worker, parameters: dict[str, Any], rounds: int) -> bytes | None:
    lightgbm.register_logger(_Silent())  # Of this thread.
    rows = lightgbm.Dataset(worker.train.features, worker.train.labels, params=parameters)
    booster = lightgbm.train(parameters, rows, rounds)
    if worker.count > 1:
        booster.free_network()
    if worker.number:
        return None
    # Ports are another run's others, and no part of the model.
    lines = booster.model_to_string().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_PLACES)).encode()


_PLACES = ("[machines: ", "[local_listen_port: ")


def _watched(
    worker: Worker, parameters: dict[str, Any], rounds: int, held: socket.socket
) -> bytes | None:
    outcome: list[bytes | BaseException | None] = []

    def work() -> None:
        held.close()
        try:
            outcome.append(_fit(worker, parameters, rounds))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    seen, patience = time.monotonic(), CONNECT_SECONDS
    reason = f"LightGBM: worker {worker.number} of {worker.count} "
    while thread.is_alive():
        thread.join(LOOK_SECONDS)
        if _peers(parameters) == worker.count - 1:
            seen, patience = time.monotonic(), LOST_SECONDS
        elif thread.is_alive() and time.monotonic() - seen > patience:
            raise BusyError(f"{reason}has no connection to all of {parameters['machines']}")
    (found,) = outcome
    if isinstance(found, lightgbm.basic.LightGBMError):
        raise BusyError(f"{reason}lost the others: {found}") from found
    if isinstance(found, BaseException):
        raise found
    return found


def _peers(parameters: dict[str, Any]) -> int:
    """Other workers to which this process has a connection whose other end is still open."""
    mine = parameters["local_listen_port"]
    ports = {int(one.rsplit(":", 1)[1]) for one in parameters["machines"].split(",")} - {mine}
    return sum(
        one.status == psutil.CONN_ESTABLISHED
        and (one.laddr.port == mine or bool(one.raddr and one.raddr.port in ports))
        for one in psutil.Process().net_connections(kind="tcp4")
    )


def predict(model: bytes, features: Features, threads: int) -> Probabilities:
    """Of each class. float64[samples, classes]."""
    booster = lightgbm.Booster(model_str=model.decode())
    found = np.asarray(booster.predict(features, num_threads=threads))
    return found if found.ndim == 2 else np.stack([1 - found, found], axis=1)
