"""The steps that one rank takes part in."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from studykit.errors import DataError
from torch import Tensor, nn

from studytrain import batches, process_group
from studytrain.gradients import Gradients

Examples = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Numbers of rows, int64[n] → what the model is given [n, …], labels int64[n]."""


class Learner:
    """Cross entropy minimised over batches of `batch_size` rows, of all ranks together."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
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
        self.losses: list[float] = []
        """Of the last epoch, by batch, each before the step that it led to."""

    def epoch(self, number: int) -> float:
        """Learn from every row once; returns the mean loss over the rows, the same on all ranks."""
        rank, world_size = process_group.rank(), process_group.world_size()
        order = torch.from_numpy(batches.order(self._rows, self._seed, number))
        self.model.train()
        self.losses, total = [], 0.0
        for start, stop in batches.cut(self._rows, self._batch_size, self._least):
            first, end = batches.share(start, stop, rank, world_size)
            self.losses.append(self._step(order[first:end], stop - start))
            total += self.losses[-1] * (stop - start)
        return total / self._rows

    def _step(self, rows: Tensor, of_all_ranks: int) -> float:
        """One step from a rank's share of a batch; returns the mean loss of the whole batch."""
        self._gradients.clear()
        given, labels = self._examples(rows)
        loss = F.cross_entropy(self.model(given), labels, reduction="sum") / of_all_ranks
        loss.backward()
        mean = self._gradients.exchange(loss)
        self._optimizer.step()
        return mean

    def state(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """DataError where it is the state of another model."""
        try:
            self.model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise DataError("the checkpoint does not fit the model") from error


def warm_up() -> None:
    """What torch imports with its first optimizer takes two seconds, which belong to `start`."""
    parameter = torch.zeros(1, requires_grad=True)
    parameter.grad = torch.zeros(1)
    torch.optim.Adam([parameter], fused=True).step()
