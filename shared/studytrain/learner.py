"""The steps that one rank takes part in."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from studykit.errors import DataError
from torch import Tensor, nn

from studytrain import batches, process_group
from studytrain.gradients import Gradients

Examples = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Numbers of rows, int64[n] → what the model is given [n, …], labels int64[n]."""


class Optimizer(Protocol):
    """`studytrain.adam.Adam`, or any of torch.optim."""

    def step(self) -> None: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> None: ...


class Learned(NamedTuple):
    """Of an epoch: the mean loss over its rows, and the share of them that the model got right.

    Both are of the model as it was when it was given the row, as Keras has it: counted on the way,
    where judging all rows again after each epoch would cost a third of the epoch.
    """

    loss: float
    accuracy: float
    losses: list[float]
    """The mean of every batch, before the step that it led to."""


class Learner:
    """Cross entropy minimised over batches of `batch_size` rows, of all ranks together."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        examples: Examples,
        *,
        rows: int,
        batch_size: int,
        seed: int,
        least: int = 1,
    ) -> None:
        """`least`: rows that the model needs in a batch. DataError where there are fewer."""
        if min(rows, batch_size) < least:
            raise DataError(f"{min(rows, batch_size)} rows in a batch, the model needs {least}")
        self.model, self._optimizer, self._examples = model, optimizer, examples
        self._rows, self._batch_size, self._seed, self._least = rows, batch_size, seed, least
        self._gradients = Gradients(model)

    def epoch(self, number: int) -> Learned:
        """Learn from every row once; returns the same on all ranks."""
        rank, world_size = process_group.rank(), process_group.world_size()
        order = torch.from_numpy(batches.order(self._rows, self._seed, number))
        self.model.train()
        parts = batches.cut(self._rows, self._batch_size, self._least)
        sums = torch.zeros(len(parts), 2, dtype=torch.float64)
        for of_batch, (start, stop) in zip(sums, parts, strict=True):
            first, end = batches.share(start, stop, rank, world_size)
            self._step(order[first:end], stop - start, of_batch)
        process_group.all_reduce(sums)
        losses, right = sums.T.tolist()
        means = [loss / (stop - start) for loss, (start, stop) in zip(losses, parts, strict=True)]
        return Learned(sum(losses) / self._rows, sum(right) / self._rows, means)

    def _step(self, rows: Tensor, of_all_ranks: int, found: Tensor) -> None:
        """One step from a rank's share of a batch; `found` [2]: its losses, rows got right."""
        self._gradients.clear()
        given, labels = self._examples(rows)
        logits = self.model(given)
        loss = F.cross_entropy(logits, labels, reduction="sum")
        (loss / of_all_ranks).backward()
        self._gradients.exchange()
        self._optimizer.step()
        found[0] = loss.detach()
        found[1] = (logits.detach().argmax(dim=1) == labels).sum()

    def state(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """DataError where it is the state of another model."""
        try:
            self.model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise DataError("the checkpoint does not fit the model") from error
