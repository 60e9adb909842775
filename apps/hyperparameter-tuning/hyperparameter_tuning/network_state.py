"""A training between two epochs: parameters, Adam's moments, what early stopping remembers.

As bytes it is a safetensors file, which no reader can be made to run code by; the parameters have
torch's own names and shapes, so that they are a model for anyone.
"""

import json
from dataclasses import dataclass

import safetensors.torch
import torch
from safetensors import SafetensorError
from studykit.errors import DataError
from torch import Tensor

from hyperparameter_tuning.network import Network, first_weights, views

MEANS, SQUARES, PROGRESS = "adam.mean.", "adam.square.", "progress"


@dataclass
class State:
    """Arrays [count] of all parameters; `steps` has one value, as Adam's function wants it."""

    weights: Tensor
    means: Tensor
    squares: Tensor
    steps: Tensor
    epochs: int = 0
    best: float = -1.0  # Score so far.
    waited: int = 0  # Epochs since it was reached.

    def copy(self) -> "State":
        return State(
            self.weights.clone(), self.means.clone(), self.squares.clone(), self.steps.clone(),
            self.epochs, self.best, self.waited,
        )  # fmt: skip

    def scored(self, score: float) -> None:
        """An epoch is over."""
        self.epochs += 1
        if score > self.best:
            self.best, self.waited = score, 0
        else:
            self.waited += 1


def initial(network: Network, seed: int) -> State:
    weights = first_weights(network, seed)
    return State(weights, torch.zeros_like(weights), torch.zeros_like(weights), torch.zeros(()))


def packed(network: Network, state: State) -> bytes:
    tensors = {
        prefix + name: _exchanged(tensor, to_torch=True)
        for prefix, array in (("", state.weights), (MEANS, state.means), (SQUARES, state.squares))
        for name, tensor in views(network, array).items()
    }
    progress = [state.steps.item(), state.epochs, state.best, state.waited]
    tensors[PROGRESS] = torch.tensor(progress, dtype=torch.float64)
    # Of several words about itself safetensors changes the order from one file to the next.
    made_of = {"network": network.name}
    return safetensors.torch.save(tensors, made_of)


def model(content: bytes) -> bytes:
    """The parameters alone of a state, as a safetensors file."""
    tensors = safetensors.torch.load(content)
    own = {name: one for name, one in tensors.items() if not _of_training(name)}
    return safetensors.torch.save(own, {"network": _network(content)})


def _of_training(name: str) -> bool:
    return name == PROGRESS or name.startswith((MEANS, SQUARES))


def _network(content: bytes) -> str:
    """The word about itself: the header is JSON of so many bytes."""
    length = int.from_bytes(content[:8], "little")
    return str(json.loads(content[8 : 8 + length])["__metadata__"]["network"])


def unpacked(network: Network, content: bytes) -> State:
    """DataError where it is no such state, or of another network."""
    try:
        tensors = safetensors.torch.load(content)
        count = network.parameters()
        arrays = []
        for prefix in ("", MEANS, SQUARES):
            array = torch.empty(count)
            for name, own in views(network, array).items():
                found = _exchanged(tensors.pop(prefix + name), to_torch=False)
                if found.shape != own.shape:
                    raise ValueError(f"{name} has the shape {tuple(found.shape)}")
                own.copy_(found)
            arrays.append(array)
        steps, epochs, best, waited = tensors.pop(PROGRESS).tolist()
        if tensors:
            raise ValueError(f"{min(tensors)} is of no parameter")
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"no state of the network {network.name}, or a damaged one") from error
    weights, means, squares = arrays
    return State(weights, means, squares, torch.tensor(steps), int(epochs), best, int(waited))


def _exchanged(tensor: Tensor, to_torch: bool) -> Tensor:
    """Filters between [outputs, rows, columns, inputs] and torch's [outputs, inputs, rows, …]."""
    if tensor.ndim != 4:
        return tensor.contiguous()
    return tensor.permute(0, 3, 1, 2).contiguous() if to_torch else tensor.permute(0, 2, 3, 1)
