"""Networks trained one after the other: the sequential trainer, by torch's own layers.

It is what the vectorised trainer is compared with, so nothing is wasted: parameters and gradients
are one array each, torch's fused Adam steps once over all of them, memory that is freed is kept.
"""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from studytrain import batches
from studytrain.allocator import keep_freed_memory
from torch import Tensor

from hyperparameter_tuning import epochs, network_state
from hyperparameter_tuning.jobs import Job, Report, Stopped
from hyperparameter_tuning.network import Network, given, logits, views
from hyperparameter_tuning.network_state import State
from hyperparameter_tuning.picture_parts import Pictures

PATIENCE = 5


class SequentialTrainer:
    """`hyperparameter_tuning.jobs.Trainer`, of networks: one after the other.

    `seed`, the search's, orders the pictures. A trial stops early after `patience` epochs without a
    better validation accuracy.
    """

    def __init__(
        self,
        network: Network,
        train: Pictures,
        validation: Pictures,
        seed: int,
        patience: int = PATIENCE,
    ) -> None:
        keep_freed_memory()
        self.network, self._seed, self._patience = network, seed, patience
        self._pixels, self._labels = torch.tensor(train.pixels), torch.tensor(train.labels)
        self._shape = self._pixels.shape[1:]
        self._pixels = self._pixels.flatten(1)  # Of rows, whole ones are copied.
        self._judged, self._judged_labels = (
            torch.tensor(one) for one in (validation.pixels, validation.labels)
        )
        self._stopped = threading.Event()

    def stop(self) -> None:
        """`jobs.Stoppable`: between the halves of a batch, each of which may take a second."""
        self._stopped.set()

    def _require_going(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        for job in jobs:
            yield self._trained(job, None if job.parent is None else states[job.parent])

    def _trained(self, job: Job, begin: bytes | None) -> tuple[Report, bytes]:
        clock, progress = epochs.Clock(), epochs.Progress(job)
        state = begun(self.network, job, begin)
        while not progress.over():
            before = state.copy()
            loss = self._epoch(state, job, job.first_epoch + len(progress.scores))
            if not math.isfinite(loss):
                state = before
                epochs.diverged(progress)
                continue
            score = self._accuracy(state.weights)
            state.scored(score)
            progress.told(loss, score, state.waited, self._patience)
        content = network_state.packed(self.network, state)
        clock.share([progress])
        return progress.report(), content

    def _epoch(self, state: State, job: Job, epoch: int) -> float:
        """Learn from every picture once; the mean loss on the way."""
        rows = len(self._labels)
        order = epochs.order(rows, self._seed, epoch)
        kept = epochs.kept(self.network, rows, job, epoch)
        gradients = torch.zeros_like(state.weights)
        weights = list(views(self.network, state.weights).values())
        for weight, gradient in zip(weights, views(self.network, gradients).values(), strict=True):
            weight.requires_grad_().grad = gradient
        total = torch.zeros(())
        for start, stop in batches.cut(rows, epochs.batch_size(job)):
            self._require_going()
            taken = order[start:stop]
            pictures = given(self._pixels.index_select(0, taken).view(-1, *self._shape))
            found = logits(self.network, weights, pictures, kept[start:stop])
            losses = F.cross_entropy(found, self._labels[taken], reduction="sum")
            gradients.zero_()
            self._require_going()
            (losses / (stop - start)).backward()  # type: ignore[no-untyped-call] # torch's own
            total += losses.detach()
            step(state, gradients, epochs.learning_rate(job))
        return total.item() / rows

    def _accuracy(self, weights: Tensor) -> float:
        found = predicted(self.network, weights, self._judged, self._require_going)
        return int((found == self._judged_labels).sum()) / len(found)


def begun(network: Network, job: Job, begin: bytes | None) -> State:
    if begin is None:
        return network_state.initial(network, job.seed)
    return network_state.unpacked(network, begin)


@torch.no_grad()
def step(state: State, gradients: Tensor, learning_rate: float) -> None:
    """One step of Adam (Kingma and Ba 2015, algorithm 1) of all parameters, by torch's kernel."""
    state.steps += 1
    torch._fused_adam_(
        [state.weights], [gradients], [state.means], [state.squares], [], [state.steps],
        amsgrad=False, lr=learning_rate, beta1=epochs.BETAS[0], beta2=epochs.BETAS[1],
        weight_decay=0.0, eps=epochs.EPSILON, maximize=False,
    )  # fmt: skip


@torch.no_grad()
def predicted(
    network: Network,
    weights: Tensor,
    pixels: Tensor,
    before_each: Callable[[], None] = lambda: None,
) -> Tensor:
    """int64[n]: the classes of uint8[n, 32, 32, 3]. `before_each`: called before each block."""
    of_layers, found = list(views(network, weights).values()), []
    for block in pixels.split(epochs.JUDGED_AT_ONCE):
        before_each()
        found.append(logits(network, of_layers, given(block)).argmax(dim=1))
    return torch.cat(found)
