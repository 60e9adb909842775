"""Convolutional networks: what they are made of, their first weights, their logits.

A network's parameters lie in one array, one after the other, so that an optimizer steps once for
all of them, a state is three arrays, and those of several models are the rows of a matrix. Filters
lie as [outputs, rows, columns, inputs]: torch's channels-last, and the order in which pictures have
their bytes. All layers are followed by ReLU; He et al.'s first weights (2015, "Delving deep into
rectifiers", equation 10), no bias.

`paper` is the network of Ray's own example of population-based training with Keras, in whose names
and shapes the paper's figures are: 64-64-128-128-256-256 filters of 3 × 3, the largest of 2 × 2
after every two, dropout, dense. That the paper trained it is an inference, if a strong one. `small`
is for one core: strides instead of pooling, and the mean of every channel (Lin et al. 2014,
"Network in network") before dropout and the dense layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE, CHANNELS = 32, 3
MIDDLE, SPREAD = 128.0, 64.0
"""Of pixels: a layer is given (pixel - middle) / spread."""


@dataclass(frozen=True)
class Convolution:
    outputs: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    pooled: bool = False  # The largest of 2 × 2 follows.


@dataclass(frozen=True)
class Network:
    """`means`: the dense layer is given the mean of each channel, instead of all that there is."""

    name: str
    convolutions: tuple[Convolution, ...]
    means: bool
    classes: int = 10

    def sides(self) -> list[int]:
        """Of what each layer is given, and of what the last one gives."""
        sides = [SIDE]
        for layer in self.convolutions:
            side = (sides[-1] + 2 * layer.padding - layer.kernel) // layer.stride + 1
            sides.append(side // 2 if layer.pooled else side)
        return sides

    def features(self) -> int:
        """What the dense layer is given, and dropout acts on."""
        last = self.convolutions[-1].outputs
        return last if self.means else last * self.sides()[-1] ** 2

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of the parameters, in the order in which they lie in the array."""
        found: dict[str, tuple[int, ...]] = {}
        inputs = CHANNELS
        for number, layer in enumerate(self.convolutions, 1):
            found[f"conv{number}.weight"] = (layer.outputs, layer.kernel, layer.kernel, inputs)
            found[f"conv{number}.bias"] = (layer.outputs,)
            inputs = layer.outputs
        return found | {
            "dense.weight": (self.classes, self.features()),
            "dense.bias": (self.classes,),
        }

    def parameters(self) -> int:
        return sum(torch.Size(shape).numel() for shape in self.shapes().values())


def paper(classes: int = 10) -> Network:
    layers = [Convolution(n, pooled=last) for n in (64, 128, 256) for last in (False, True)]
    return Network("paper", tuple(layers), means=False, classes=classes)


def small(classes: int = 10) -> Network:
    layers = (Convolution(16, 4, 4, 0), Convolution(24, 3, 2, 0))
    return Network("small", layers, means=True, classes=classes)


NETWORKS = {"small": small, "paper": paper}


def views(network: Network, parameters: Tensor) -> dict[str, Tensor]:
    """The parameters by name, each where it lies in an array [..., count]."""
    found, start = {}, 0
    for name, shape in network.shapes().items():
        stop = start + torch.Size(shape).numel()
        found[name] = parameters[..., start:stop].unflatten(-1, shape)
        start = stop
    return found


def first_weights(network: Network, seed: int) -> Tensor:
    """[count], of the seed alone."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    parameters = torch.zeros(network.parameters())
    for name, tensor in views(network, parameters).items():
        if name.endswith("weight"):
            # Drawn as float32 in any precision, so that all begin alike.
            drawn = torch.empty(tensor.shape, dtype=torch.float32).normal_(generator=generator)
            tensor.copy_(drawn * (2 / tensor[0].numel()) ** 0.5)
    return parameters


def given(pixels: Tensor) -> Tensor:
    """uint8[..., 32, 32, 3] → what the first layer is given, in torch's default type."""
    return pixels.to(torch.get_default_dtype()).sub_(MIDDLE).mul_(1 / SPREAD)


def logits(
    network: Network, weights: Sequence[Tensor], pictures: Tensor, kept: Tensor | None = None
) -> Tensor:
    """[n, classes] of `given` pictures [n, 32, 32, 3].

    `weights`: `views` in their order; `kept` [n, features]: what dropout multiplies by.
    """
    found = pictures.permute(0, 3, 1, 2)
    for number, layer in enumerate(network.convolutions):
        filters, bias = weights[2 * number].permute(0, 3, 1, 2), weights[2 * number + 1]
        found = F.relu(F.conv2d(found, filters, bias, layer.stride, layer.padding))
        if layer.pooled:
            found = F.max_pool2d(found, 2)
    # The mean by pooling: the gradient of `mean` has no memory of its own, which ReLU's is slow on.
    pooled = F.avg_pool2d(found, found.shape[-1]) if network.means else found
    features = pooled.permute(0, 2, 3, 1).flatten(1)
    return F.linear(features if kept is None else features * kept, weights[-2], weights[-1])
