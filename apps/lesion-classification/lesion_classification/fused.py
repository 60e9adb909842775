"""ResNet50 for inference: batch norm is in the filters, and a convolution does all that follows it.

The one idea: in inference batch norm multiplies and adds constants, so the convolution before it
can (Jacob et al., arXiv:1712.05877, 3.2); ReLU, and the sum with what goes past a block, are done
while the convolution's output is still in a cache. Numbers lie channels last, as the vector units
want them. oneDNN has such convolutions, and torch.compile uses them; called directly they need
no compiler and no minutes, and their filters are laid out once, when the network is made.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = Callable[..., Tensor]
"""(input, relu) → output, or (input, relu, added) → ReLU of output + added."""


class FusedResNet:
    """float32[n, 3, side, side], channels last and normalised → features float32[n, 2048]."""

    def __init__(self, network: nn.Module, kind: torch.dtype, device: str, batch: int) -> None:
        """Of torchvision's network; `batch` is what the filters are laid out for."""
        self.kind, self.device = kind, torch.device(device)
        made: Any = network
        side = 224
        convolution = _onednn if self.device.type == "cpu" and has_onednn() else _by_torch

        def fused(of: Any, norm: Any, side: int) -> Convolution:
            folded = fuse_conv_bn_eval(of, norm).requires_grad_(False)
            folded = folded.to(self.device, kind).to(memory_format=torch.channels_last)
            return convolution(folded, (batch, of.in_channels, side, side))

        self.first = fused(made.conv1, made.bn1, side)
        side //= 4
        self.blocks = []
        for block in (one for n in (1, 2, 3, 4) for one in getattr(made, f"layer{n}")):
            inner = side // block.conv2.stride[0]
            past = block.downsample
            shortcut = None if past is None else fused(past[0], past[1], side)
            self.blocks.append(
                (
                    fused(block.conv1, block.bn1, side),
                    fused(block.conv2, block.bn2, side),
                    fused(block.conv3, block.bn3, inner),
                    shortcut,
                )
            )
            side = inner

    def __call__(self, images: Tensor) -> Tensor:
        x = images.to(self.kind)
        x = functional.max_pool2d(self.first(x, True), kernel_size=3, stride=2, padding=1)
        for reduce, convolve, expand, shortcut in self.blocks:
            past = x if shortcut is None else shortcut(x, False)
            x = expand(convolve(reduce(x, True), True), True, past)
        return x.mean((2, 3), dtype=torch.float32)


def has_onednn() -> bool:
    """Whether torch was built with it, and with the operators that torch.compile uses."""
    operators = ("_convolution_pointwise", "_convolution_pointwise_", "_reorder_convolution_weight")
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name) for name in operators
    )


def _onednn(of: nn.Conv2d, shape: tuple[int, ...]) -> Convolution:
    operators = torch.ops.mkldnn
    place = (list(of.padding), list(of.stride), list(of.dilation), of.groups)
    weight = operators._reorder_convolution_weight(of.weight, *place, list(shape))

    def convolve(x: Tensor, relu: bool, added: Tensor | None = None) -> Tensor:
        filters = (weight, of.bias, *place)
        if added is None:
            after = "relu" if relu else "none"
            return operators._convolution_pointwise(x, *filters, after, [], "")
        # Into `added`, which nobody needs any more.
        return operators._convolution_pointwise_.binary(
            added, x, *filters, "add", 1.0, "relu", [], ""
        )

    return convolve


def _by_torch(of: nn.Conv2d, shape: tuple[int, ...]) -> Convolution:
    """Where there is no oneDNN: on a GPU, on other processors."""

    def convolve(x: Tensor, relu: bool, added: Tensor | None = None) -> Tensor:
        x = of(x)
        if added is not None:
            x += added
        return x.relu_() if relu else x

    return convolve
