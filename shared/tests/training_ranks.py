"""Small trainings."""

import os
import signal
from pathlib import Path
from typing import Any

import torch
from studytrain import batches, process_group
from studytrain.adam import Adam
from studytrain.batch_norm import BatchNorm2d
from studytrain.checkpoints import Figures, Setting
from studytrain.learner import Learner
from studytrain.ranks import Plan, Ranks, Training, build, start, train
from torch import nn

ROWS = 21
OF: dict[str, Setting] = {"model": "small", "seed": 7}


class SmallRank:
    """A network of convolution and batch norm learns random pictures.

    `dies`: (rank, epoch, file): there and then it kills its process, unless the file is there.
    """

    def __init__(self, dtype: torch.dtype, dies: tuple[int, int, str] | None = None) -> None:
        generator = torch.Generator().manual_seed(3)
        pictures = torch.rand(ROWS, 1, 6, 6, generator=generator, dtype=dtype)
        labels = torch.randint(0, 3, (ROWS,), generator=generator)
        with torch.random.fork_rng():
            torch.manual_seed(4)
            model = nn.Sequential(
                nn.Conv2d(1, 4, 3), BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)
            ).to(dtype)
        optimizer = Adam(model.parameters(), 1e-2)
        # 21 rows in batches of 8: the last one has 5.
        self._learner = Learner(
            model, optimizer, lambda rows: (pictures[rows], labels[rows]),
            rows=ROWS, batch_size=8, seed=7, least=2,
        )  # fmt: skip
        self.state, self.restore = self._learner.state, self._learner.restore
        self._dies = dies

    def epoch(self, number: int) -> Figures:
        if self._dies is not None:
            rank, epoch, file = self._dies
            if (rank, epoch) == (process_group.rank(), number) and not Path(file).exists():
                Path(file).touch()
                die()
        return dict(self._learner.epoch(number)._asdict())

    def answer(self) -> list[int]:
        """The rows that would be this rank's."""
        share = batches.share(0, ROWS, process_group.rank(), process_group.world_size())
        return list(range(*share))


class DyingRank(SmallRank):
    """Its rank 0 dies whenever it is to learn."""

    def epoch(self, number: int) -> Figures:
        if process_group.rank() == 0:
            die()
        return super().epoch(number)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(file: Path) -> None:
    """Unless the file is there."""
    if not file.exists():
        file.touch()
        die()


def make_or_die(file: Path, *arguments: Any) -> SmallRank:
    die_once(file)
    return SmallRank(*arguments)


class NormRank:
    """Batch norm of this rank's share of given images, forward and backward."""

    def __init__(self, images: torch.Tensor, upstream: torch.Tensor) -> None:
        self._images, self._upstream = images, upstream

    def epoch(self, number: int) -> Figures:
        return {}

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None: ...

    def answer(self) -> dict[str, torch.Tensor]:
        share = batches.share(
            0, len(self._images), process_group.rank(), process_group.world_size()
        )
        return normed(
            BatchNorm2d(self._images.shape[1]),
            self._images[slice(*share)],
            self._upstream[slice(*share)],
        )


def normed(
    norm: nn.BatchNorm2d, images: torch.Tensor, upstream: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Everything that a batch norm, its weights away from where they begin, makes of images."""
    norm = norm.to(images.dtype)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, len(norm.weight)))
        norm.bias.copy_(torch.linspace(-1, 1, len(norm.bias)))
    images = images.clone().requires_grad_()
    output = norm(images)
    output.backward(upstream)
    found = {"output": output, "images": images.grad, "weight": norm.weight.grad}
    found |= {"bias": norm.bias.grad} | dict(norm.named_buffers())
    return {name: value.detach().clone() for name, value in found.items() if value is not None}


def run(ranks: Ranks, plan: Plan) -> Training:
    start(ranks, plan)
    build(ranks, plan)
    return train(ranks, plan)


def plan(dtype: torch.dtype = torch.float64, **more: Any) -> Plan:
    dies = more.pop("dies", None)
    settings: dict[str, Any] = {
        "make": SmallRank,
        "arguments": (dtype, dies),
        "of": OF,
        "epochs": 4,
    }
    return Plan(**settings | more)
