"""The networks: pictures float32[n, 1, side, side] of 0 … 1 → logits float32[n, 10].

Both start from weights of the seed alone.
"""

import importlib
from collections.abc import Callable
from typing import Any

import torch
from studytrain.batch_norm import BatchNorm2d
from torch import Tensor, nn

from digits_knn_cnn.layout import CLASSES

FILTERS, HIDDEN = 32, 128
FULL = 16.0
"""What the layers of the CNN are given for a pixel of 1, as in the paper's notebooks, whose pixels
are 0 … 16: of pixels of 0 … 1 it has learned less in 10 epochs, a loss of 0.09 for 0.02."""


class Cnn(nn.Sequential):
    def forward(self, pictures: Tensor) -> Tensor:  # type: ignore[override] # narrower than Any
        logits: Tensor = super().forward(FULL * pictures)
        return logits


def cnn(side: int, seed: int = 42) -> nn.Module:
    """The network of the paper's table 1, with Keras' first weights: Glorot's uniform, no bias.

    32 filters of 3 × 3 without padding, the largest of 2 × 2, 128 and 10 units.
    """
    pooled = (side - 2) // 2
    with torch.random.fork_rng(devices=[]):  # Layers begin with weights that are drawn from it.
        model = Cnn(
            nn.Conv2d(1, FILTERS, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(FILTERS * pooled**2, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, CLASSES),
        )
    generator = torch.Generator().manual_seed(seed % 2**64)
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return model


def resnet18(
    side: int, seed: int = 42, norm_layer: Callable[[int], nn.Module] = BatchNorm2d
) -> nn.Module:
    """torchvision's ResNet18 of one channel; its batch norm is over all ranks, if not another.

    Its stem halves a picture twice, which leaves little of a small one: here it is 3 × 3, stride 1
    and no pooling, as He et al. have it for CIFAR (Deep Residual Learning, 2015, section 4.2). So
    any `side` will do.
    """
    from torchvision import models  # As in `prepare`.

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**64)
        model: nn.Module = models.resnet18(norm_layer=norm_layer, num_classes=CLASSES)
        stem = nn.Conv2d(1, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    model.conv1, model.maxpool = stem, nn.Identity()
    return model


NETWORKS = {"cnn": cnn, "resnet18": resnet18}
LEAST_BATCH = {"cnn": 1, "resnet18": 2}
"""Batch norm has no variance of one value, to which the last block comes at 8 × 8."""


def prepare(model: str) -> None:
    """Import what takes two seconds, for which only who asks for ResNet18 shall wait."""
    if model == "resnet18":
        importlib.import_module("torchvision.models")


def operations(model: str, side: int) -> float:
    """Multiplications and additions of one picture's step of training, forward and backward.

    Of the layers that multiply by matrices, as torch.utils.flop_counter has it, whose first use
    imports torch's compiler for a second.
    """
    of_layers: list[int] = []

    def count(layer: nn.Module, _: Any, output: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        of_layers.append(2 * output.numel() * layer.weight[0].numel())

    network = NETWORKS[model](side).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.zeros(1, 1, side, side))
    # Backward, each again for its weights and for what it was given; not the pictures themselves.
    return float(3 * sum(of_layers) - of_layers[0])
