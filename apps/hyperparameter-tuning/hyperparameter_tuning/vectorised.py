"""Several small networks trained as one: the vectorised trainer.

All models go through the same pictures in step, so many at a time as divide every batch size. Each
adds up its gradients until its own batch is full, and then takes its own step of Adam with its own
learning rate: the steps that the sequential trainer takes, to rounding. Only models that have as
many epochs behind them see the same pictures: others are trained after them.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import torch
from studykit.errors import UsageError
from studytrain import batches
from studytrain.allocator import keep_freed_memory
from torch import Tensor

from hyperparameter_tuning import epochs, network_state
from hyperparameter_tuning.convolutional import PATIENCE, begun, step
from hyperparameter_tuning.jobs import Job, Report
from hyperparameter_tuning.network import Network
from hyperparameter_tuning.network_state import State
from hyperparameter_tuning.picture_parts import Pictures
from hyperparameter_tuning.vectorised_network import backward, first_patches, forward

WIDTH = 8
"""Models that are computed together: of more, it was not faster."""
AT_ONCE = 32
"""Pictures of each model, at most."""


class VectorisedTrainer:
    """`hyperparameter_tuning.jobs.Trainer`, of networks: `width` at a time, without pooling.

    `seed`, the search's, orders the pictures."""

    def __init__(
        self,
        network: Network,
        train: Pictures,
        validation: Pictures,
        seed: int,
        patience: int = PATIENCE,
        width: int = WIDTH,
    ) -> None:
        if any(layer.pooled for layer in network.convolutions):
            raise UsageError(f"the network {network.name} has pooling: it is not vectorised")
        keep_freed_memory()
        self.network, self._seed, self._patience, self._width = network, seed, patience, width
        self._labels, self._judged_labels = (
            torch.tensor(one.labels) for one in (train, validation)
        )
        self._pixels, self._judged = (
            first_patches(network, torch.tensor(one.pixels)) for one in (train, validation)
        )

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        done: dict[int, tuple[Report, bytes]] = {}
        waiting = deque(jobs)
        for group in _groups(jobs, self._width):
            begin = [None if one.parent is None else states[one.parent] for one in group]
            done |= zip([one.number for one in group], self._together(group, begin), strict=True)
            while waiting and waiting[0].number in done:
                yield done.pop(waiting.popleft().number)

    def _together(
        self, jobs: Sequence[Job], begin: Sequence[bytes | None]
    ) -> list[tuple[Report, bytes]]:
        progress = [epochs.Progress(job) for job in jobs]
        states = [begun(self.network, *one) for one in zip(jobs, begin, strict=True)]
        while going := [at for at, one in enumerate(progress) if not one.over()]:
            clock = epochs.Clock()
            before = {at: states[at].copy() for at in going}
            weights = _joined([states[at] for at in going])
            epoch = jobs[0].first_epoch + len(progress[going[0]].scores)
            losses = self._epoch(
                [states[at] for at in going], weights, [jobs[at] for at in going], epoch
            )
            scores = self._scores(weights)
            for at, loss, score in zip(going, losses, scores, strict=True):
                if not math.isfinite(loss):
                    states[at] = before[at]
                    epochs.diverged(progress[at])
                    continue
                states[at].scored(score)
                progress[at].told(loss, score, states[at].waited, self._patience)
            clock.share([progress[at] for at in going])
        return [
            (one.report(), network_state.packed(self.network, state))
            for one, state in zip(progress, states, strict=True)
        ]

    @torch.no_grad()
    def _epoch(
        self, states: Sequence[State], weights: Tensor, jobs: Sequence[Job], epoch: int
    ) -> list[float]:
        """Learn from every picture once; the mean losses on the way."""
        rows, each = len(self._labels), _at_once(jobs)
        order = epochs.order(rows, self._seed, epoch)
        kept = torch.stack([epochs.kept(self.network, rows, job, epoch) for job in jobs])
        shares = torch.stack([_shares(rows, epochs.batch_size(job)) for job in jobs])
        right = self._labels[order]
        gradients, totals = torch.zeros_like(weights), torch.zeros(len(jobs))
        for start, stop in batches.cut(rows, each):
            held = kept[:, start:stop]
            pixels = self._pixels.index_select(0, order[start:stop]).to(weights.dtype)
            found, features, layers = forward(self.network, weights, pixels, held)
            likely = found.log_softmax(dim=2)
            labels = right[start:stop, None].expand(len(jobs), -1, -1)
            totals -= likely.gather(2, labels)[:, :, 0].sum(dim=1)
            wrong = likely.exp_().scatter_add_(2, labels, -torch.ones_like(likely[:, :, :1]))
            wrong *= shares[:, start:stop, None]
            backward(self.network, weights, gradients, wrong, features, held, layers)
            for at, job in enumerate(jobs):
                if stop % epochs.batch_size(job) == 0 or stop == rows:
                    step(states[at], gradients[at], epochs.learning_rate(job))
                    gradients[at].zero_()
        return [total / rows for total in totals.tolist()]

    @torch.no_grad()
    def _scores(self, weights: Tensor) -> list[float]:
        pixels, labels = self._judged, self._judged_labels
        right = torch.zeros(len(weights), dtype=torch.int64)
        for start in range(0, len(labels), AT_ONCE):
            block = pixels[start : start + AT_ONCE].to(weights.dtype)
            found = forward(self.network, weights, block, None)[0].argmax(dim=2)
            right += (found == labels[start : start + AT_ONCE]).sum(dim=1)
        return [one / len(labels) for one in right.tolist()]


def _groups(jobs: Sequence[Job], width: int) -> list[list[Job]]:
    """Those that go together: as many epochs are behind them, and they are no more than `width`."""
    groups = []
    ordered = sorted(jobs, key=lambda job: job.first_epoch)
    for _, equal in groupby(ordered, key=lambda job: job.first_epoch):
        alike = list(equal)
        groups += [alike[start : start + width] for start in range(0, len(alike), width)]
    return groups


def _joined(states: Sequence[State]) -> Tensor:
    """The weights of all as one array, of which each has its row from now on."""
    weights = torch.stack([state.weights for state in states])
    for state, row in zip(states, weights, strict=True):
        state.weights = row
    return weights


def _at_once(jobs: Sequence[Job]) -> int:
    """So many pictures that every batch is a whole number of them."""
    common = math.gcd(*(epochs.batch_size(job) for job in jobs))
    return max(size for size in range(1, AT_ONCE + 1) if common % size == 0)


def _shares(rows: int, batch_size: int) -> Tensor:
    """[rows]: what a picture's loss counts in that of its batch."""
    parts = batches.cut(rows, batch_size)
    return torch.cat([torch.full((stop - start,), 1 / (stop - start)) for start, stop in parts])
