"""Adam (Kingma and Ba, Adam, 2015, algorithm 1), by the function behind torch.optim.Adam.

That class computes the same, but the first object of it imports torch's compiler: two seconds in
every process of a training.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam


class Adam:
    def __init__(
        self, parameters: Iterable[nn.Parameter], learning_rate: float, epsilon: float = 1e-8
    ) -> None:
        self._weights: list[Tensor] = list(parameters)
        self._rate, self._epsilon = learning_rate, epsilon
        self._means = [torch.zeros_like(one) for one in self._weights]
        self._squares = [torch.zeros_like(one) for one in self._weights]
        self._steps = [torch.zeros(()) for _ in self._weights]

    @torch.no_grad()
    def step(self) -> None:
        """By the gradients that the parameters have; all of them have one."""
        gradients = [one.grad for one in self._weights if one.grad is not None]
        adam(
            self._weights, gradients, self._means, self._squares, [], self._steps,
            amsgrad=False, beta1=0.9, beta2=0.999, lr=self._rate, weight_decay=0.0,
            eps=self._epsilon, maximize=False, fused=True,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        return {"means": self._means, "squares": self._squares, "steps": self._steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """ValueError or RuntimeError where it is of other parameters."""
        for own, given in (
            (self._means, state["means"]),
            (self._squares, state["squares"]),
            (self._steps, state["steps"]),
        ):
            _copy(own, given)


def _copy(own: list[Tensor], given: list[Tensor]) -> None:
    for one, other in zip(own, given, strict=True):
        if one.shape != other.shape:
            raise ValueError(f"a tensor of {tuple(other.shape)} for one of {tuple(one.shape)}")
        one.copy_(other)
