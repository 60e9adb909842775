"""Boosted trees by XGBoost: one model of all workers' rows, by the library's own collective.

Every worker hands over its own rows alone, and all cut a feature into the same bins (see `cuts`).
XGBoost adds up their histograms of gradients level by level: all find the same splits and hold the
same trees. A tracker, in the process of worker 0, tells them where the others are.

What is equal: the same workers, threads and rows give the same bytes, run for run: ranks are the
workers' numbers, and each sum is made in one order. Over numbers of workers XGBoost promises
nothing: the order in which numbers are added is another one, and two splits that are worth the same
up to the last digit may be taken for each other. What its collective takes is inside `train`, and
the library has no clock of its own for it: its seconds cannot be told from computing.

Threads of OpenMP wait for each other by spinning: with more of them on a host than it has cores,
which takes --oversubscribe, training is some forty times slower.
"""

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost
from studykit.errors import BusyError
from xgboost import collective
from xgboost.core import XGBoostError
from xgboost.tracker import RabitTracker

from synthetic_classifiers.layout import Features, Probabilities
from synthetic_classifiers.worker import Worker

CONNECT_SECONDS = 60
"""In which all workers must have come together, and must all have left."""
SILENT_SECONDS = 300
"""After which a peer is lost that still has a connection: far more than the slowest level takes."""
TRACKER = "xgboost tracker"
"""Where worker 0 keeps it between two steps."""

Address = dict[str, str | int]
"""Of the tracker, as the collective wants it."""
Cuts = npt.NDArray[np.float32]
"""float32[bins, features], of `cuts.quantiles`."""


@dataclass(frozen=True)
class Boosting:
    """XGBoost's defaults."""

    rounds: int = 100
    depth: int = 6
    learning_rate: float = 0.3
    bins: int = 256


DEFAULTS = Boosting()


def open_tracker(worker: Worker) -> Address | None:
    """Where the workers will meet; of worker 0 alone, where there are others."""
    if worker.count == 1 or worker.number:
        return None
    tracker = RabitTracker(
        n_workers=worker.count, host_ip=worker.address, sortby="task", timeout=CONNECT_SECONDS
    )
    tracker.start()
    worker.kept[TRACKER] = tracker
    return tracker.worker_args()


def train(
    worker: Worker,
    classes: int,
    seed: int,
    cuts: Cuts,
    tracker: Address | None,
    boosting: Boosting = DEFAULTS,
) -> bytes | None:
    """The model as XGBoost's UBJSON, of worker 0 alone. All workers call it at the same time.

    BusyError where a worker is lost, or does not come. Now and then the library has a peer of one
    that is lost wait for ever: who calls it ends that process."""
    parameters = {
        **objective(classes),
        "tree_method": "hist",
        "max_depth": boosting.depth,
        "eta": boosting.learning_rate,
    }
    return trained(worker, parameters, boosting.rounds, seed, cuts, tracker)


def objective(classes: int) -> dict[str, Any]:
    if classes == 2:
        return {"objective": "binary:logistic"}
    return {"objective": "multi:softprob", "num_class": classes}


def trained(
    worker: Worker,
    parameters: dict[str, Any],
    rounds: int,
    seed: int,
    cuts: Cuts,
    tracker: Address | None,
) -> bytes | None:
    """As `train`, with any parameters."""
    common = {"max_bin": len(cuts), "nthread": worker.threads}
    # Of a table of no more values than bins all are cuts. Made alone: together it would be of all.
    cut = xgboost.QuantileDMatrix(cuts, np.zeros(len(cuts)), **common)
    with met(worker, tracker):
        # Makes bins of the rows as they are: no copy of them.
        rows = xgboost.QuantileDMatrix(
            worker.train.features, worker.train.labels, ref=cut, **common
        )
        booster = xgboost.train(
            {**parameters, **common, "seed": seed}, rows, num_boost_round=rounds
        )
        return None if worker.number else bytes(booster.save_raw("ubj"))


@contextlib.contextmanager
def met(worker: Worker, tracker: Address | None) -> Iterator[None]:
    """All workers, connected; the tracker ends with it."""
    if tracker is None:
        yield
        return
    try:
        # The library prints what it has to say; standard output is for records.
        with contextlib.redirect_stdout(sys.stderr):
            with contextlib.redirect_stdout(io.StringIO()):  # "got rank 0"
                # As text the tracker sorts them: ranks are the workers' numbers.
                task = f"{worker.number:09d}"
                collective.init(**tracker, dmlc_task_id=task, dmlc_timeout=SILENT_SECONDS)
            try:
                yield
                collective.finalize()
            except BaseException:
                _leave()
                raise
            if TRACKER in worker.kept:
                worker.kept[TRACKER].wait_for(CONNECT_SECONDS)
    except XGBoostError as error:
        if "/collective/" not in str(error):
            raise
        reason = f"XGBoost: worker {worker.number} of {worker.count} lost the others"
        raise BusyError(f"{reason}: {_innermost(str(error))}") from error
    finally:
        if TRACKER in worker.kept:
            # Complains of those that never left, which has been said.
            with contextlib.suppress(XGBoostError):
                worker.kept.pop(TRACKER).free()


def _leave() -> None:
    """Close the connections to the others, on which they may be waiting.

    `finalize` does, where the tracker is still there; an empty group in its place does it anyhow.
    """
    with contextlib.suppress(XGBoostError):
        collective.finalize()
    collective.init()


def _innermost(text: str) -> str:
    """Of a chain of reasons, each in a line `- [file:line|time]: reason`, the last."""
    reasons = [line for line in text.splitlines() if line.startswith("- [")]
    return reasons[-1].split("]: ", 1)[-1] if reasons else text.splitlines()[0]


def predict(model: bytes, features: Features, threads: int) -> Probabilities:
    """Of each class. float64[samples, classes]."""
    booster = xgboost.Booster({"nthread": threads})
    booster.load_model(bytearray(model))
    found = np.asarray(booster.inplace_predict(features), np.float64)
    if found.ndim == 1:
        return np.stack([1 - found, found], axis=1)
    return found / found.sum(axis=1, keepdims=True)  # They were single floats.
