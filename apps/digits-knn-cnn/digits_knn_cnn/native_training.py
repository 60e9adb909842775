"""A network trained as users of torch write it: a `DataLoader`, a model, an optimizer, a loop.

In one process as it stands; on Ray the model and the loader are first prepared by Ray Train, which
wraps the model by DistributedDataParallel and gives every worker rows of its own. Layers, first
weights and Adam are those of the exact method, batch norm is torch's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from digits_knn_cnn import networks
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.native import Learned
from digits_knn_cnn.reports import Figures
from digits_knn_cnn.training import EPSILON, JUDGED_AT_ONCE, LEARNING_RATE

Examples = DataLoader[tuple[Tensor, ...]]


@dataclass(frozen=True)
class Asked:
    """`batch_size` is of one process."""

    model: str
    batch_size: int
    epochs: int
    seed: int


def same(given: Any) -> Any:
    """Nothing has to be prepared."""
    return given


def learn(
    asked: Asked,
    train: Digits,
    tests: Digits,
    told: Callable[[Figures], None],
    prepare_model: Callable[[nn.Module], nn.Module] = same,
    prepare_loader: Callable[[Examples], Examples] = same,
) -> Learned:
    """Train; `told` is called after each epoch. What it comes to is the same on all ranks."""
    torch.manual_seed(asked.seed % 2**64)
    model = prepare_model(made(asked, train.side))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, eps=EPSILON)
    examples = TensorDataset(pictures(train), labels(train))
    loader: Examples = DataLoader(
        examples,
        batch_size=max(min(asked.batch_size, len(train) // rank_of()[1]), 1),
        shuffle=True,
        # Batch norm has no variance of the one picture that a last batch may have.
        drop_last=asked.model == "resnet18",
    )
    loader = prepare_loader(loader)
    shown, right = pictures(tests), labels(tests)
    history = []
    for number in range(1, asked.epochs + 1):
        if isinstance(loader.sampler, DistributedSampler):
            loader.sampler.set_epoch(number)
        loss, train_accuracy = epoch(model, optimizer, loader)
        read = read_by(model, shown)
        test_accuracy = float((read == right).double().mean())
        history.append(
            {"loss": loss, "train_accuracy": train_accuracy, "test_accuracy": test_accuracy}
        )
        told(history[-1])
    return Learned(history, read.to(torch.uint8).numpy())


def made(asked: Asked, side: int) -> nn.Module:
    if asked.model == "resnet18":
        return networks.resnet18(side, asked.seed, norm_layer=nn.BatchNorm2d)
    return networks.NETWORKS[asked.model](side, asked.seed)


def epoch(
    model: nn.Module, optimizer: torch.optim.Optimizer, loader: Examples
) -> tuple[float, float]:
    """Learn from every row once; mean loss and accuracy while it learned, over all ranks."""
    model.train()
    sums = torch.zeros(3, dtype=torch.float64)
    for given, right in loader:
        logits = model(given)
        loss = F.cross_entropy(logits, right)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct = int((logits.argmax(dim=1) == right).sum())
        sums += torch.tensor([loss.item() * len(right), correct, len(right)])
    total, correct, rows = over_ranks(sums).tolist()
    return total / rows, correct / rows


@torch.no_grad()
def read_by(model: nn.Module, given: Tensor) -> Tensor:
    """What the model reads on every picture, int64[n]; each rank reads a share of them."""
    own = unwrapped(model).eval()
    rank, ranks = rank_of()
    if ranks > 1:
        for buffer in own.buffers():  # Each rank has its own, as wrapped models do between steps.
            dist.broadcast(buffer, 0)
    found = torch.zeros(len(given), dtype=torch.int64)
    for rows in torch.arange(len(given)).tensor_split(ranks)[rank].split(JUDGED_AT_ONCE):
        found[rows] = own(given[rows]).argmax(dim=1)
    return over_ranks(found)


def unwrapped(model: nn.Module) -> nn.Module:
    return model.module if isinstance(model, DistributedDataParallel) else model


def rank_of() -> tuple[int, int]:
    """This process's rank, and how many there are."""
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)


def over_ranks(sums: Tensor) -> Tensor:
    if dist.is_initialized():
        dist.all_reduce(sums)
    return sums


def pictures(part: Digits) -> Tensor:
    """float32[n, 1, side, side] of 0 … 1."""
    scaled = torch.tensor(part.pixels, dtype=torch.float32) / part.max_pixel
    return scaled.view(-1, 1, part.side, part.side)


def labels(part: Digits) -> Tensor:
    return torch.tensor(part.labels, dtype=torch.int64)
