"""The gradients of all ranks, summed by one message a step."""

import torch
from torch import nn

from studytrain import process_group


class Gradients:
    """All gradients of a model in one array.

    Each parameter's `grad` is a view of it: backward passes write there, and nothing is copied
    before or after it is sent. So nobody may set a `grad` to None.
    """

    def __init__(self, model: nn.Module) -> None:
        parameters = [one for one in model.parameters() if one.requires_grad]
        count = sum(one.numel() for one in parameters)
        self._all = torch.zeros(count, dtype=parameters[0].dtype)
        start = 0
        for one in parameters:
            one.grad = self._all[start : start + one.numel()].view_as(one)
            start += one.numel()

    def clear(self) -> None:
        self._all.zero_()

    def exchange(self) -> None:
        """Sum the gradients of all ranks, each where it is."""
        process_group.all_reduce(self._all)
