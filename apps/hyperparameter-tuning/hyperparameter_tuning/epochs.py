"""What an epoch of a trial is made of, whoever computes it: a function of seeds and the epoch."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from studytrain import batches
from torch import Tensor

from hyperparameter_tuning.jobs import DIVERGED, DONE, STOPPED_EARLY, Job, Report
from hyperparameter_tuning.network import Network

BETAS, EPSILON = (0.9, 0.999), 1e-7
"""Adam's, as in Keras."""
LEVELS = 2**16
"""Of the random numbers that dropout compares its share with."""
JUDGED_AT_ONCE = 128


@dataclass
class Progress:
    """Of one job: its report as it grows."""

    job: Job
    scores: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    status: str = DONE

    def over(self) -> bool:
        return self.status != DONE or len(self.scores) == self.job.epochs

    def told(self, loss: float, score: float, waited: int, patience: int) -> None:
        self.losses.append(loss)
        self.scores.append(score)
        if waited >= patience:
            self.status = STOPPED_EARLY

    def report(self) -> Report:
        return Report(
            job=self.job.number,
            scores=self.scores,
            figures={"loss": self.losses},
            epochs=len(self.scores),
            cpu_seconds=self.cpu_seconds,
            seconds=self.seconds,
            status=self.status,
        )


class Clock:
    """CPU-seconds of this process's threads, and seconds, since it was made."""

    def __init__(self) -> None:
        # One thread's own, so that others may train beside it.
        self._clock = time.thread_time if torch.get_num_threads() == 1 else time.process_time
        self._cpu, self._wall = self._clock(), time.perf_counter()

    def share(self, of: Sequence[Progress]) -> None:
        """Book what was spent since to these, by equal parts."""
        cpu, wall = self._clock() - self._cpu, time.perf_counter() - self._wall
        for one in of:
            one.cpu_seconds += cpu / len(of)
            one.seconds += wall / len(of)


def order(rows: int, seed: int, epoch: int) -> Tensor:
    """int64[rows]: in which order all trials of a search see the pictures. What tells two trials
    apart is then their configuration, weights and dropout alone, and those that are trained
    together are given the same pictures."""
    return torch.from_numpy(batches.order(rows, seed, epoch))


def kept(network: Network, rows: int, job: Job, epoch: int) -> Tensor:
    """What dropout multiplies features [rows, features] by, in the order of the epoch."""
    drawn = np.random.default_rng([job.seed % 2**64, epoch, 1])
    bits = drawn.integers(0, LEVELS, (rows, network.features()), np.uint16)
    dropped = round(float(job.configuration["dropout"]) * LEVELS)
    held = torch.from_numpy(bits >= dropped).to(torch.get_default_dtype())
    return held.mul_(LEVELS / (LEVELS - dropped))


def diverged(progress: Progress) -> None:
    progress.status = DIVERGED


def batch_size(job: Job) -> int:
    return int(job.configuration["batch_size"])


def learning_rate(job: Job) -> float:
    return float(job.configuration["learning_rate"])
