"""What a worker does: one job, with a trainer that it makes of the data and keeps."""

import time
from typing import NamedTuple

from hyperparameter_tuning.jobs import Job, Report, Trainer
from hyperparameter_tuning.paper import BREAST_CANCER, CIFAR10
from hyperparameter_tuning.problem import Problem

_trainers: dict[tuple[int, int], Trainer] = {}


class Computed(NamedTuple):
    """By worker `number`, which needed so many seconds to make a trainer of the data."""

    number: int
    load_seconds: float
    report: Report
    state: bytes


def compute(problem: Problem, job: Job, state: bytes | None, threads: int, number: int) -> Computed:
    """`state` is that of the job's parent."""
    began = time.monotonic()
    key = problem.checksum, threads
    if key not in _trainers:
        _trainers.clear()
        _trainers[key] = problem.trainer(threads)
    states = {} if job.parent is None or state is None else {job.parent: state}
    loaded = time.monotonic() - began
    ((report, left),) = _trainers[key].train([job], states)
    return Computed(number, loaded, report, left)


def warm_up_trees() -> None:
    """Import what trains: its time belongs to `start`."""
    import sklearn.model_selection
    import xgboost  # noqa: F401

    assert sklearn.model_selection


def warm_up_networks() -> None:
    from hyperparameter_tuning import of_pictures

    assert of_pictures


WARM_UP = {BREAST_CANCER: warm_up_trees, CIFAR10: warm_up_networks}
