"""The networks trained: what one rank holds and does, and the training of a run.

Every rank has all pictures, as bytes, and computes its share of each batch; so the order of an
epoch can be any, and nothing but gradients moves. Adam as in Keras, whose epsilon is 1e-7.
"""

import contextlib
import functools
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from studykit.run import Run
from studytrain import batches, checkpoints, process_group
from studytrain import ranks as driver
from studytrain.adam import Adam
from studytrain.checkpoints import Figures, Packed, Setting
from studytrain.learner import Learner
from studytrain.ranks import Plan, Ranks, Training
from torch import Tensor

from digits_knn_cnn.layout import Digits, Labels, Pixels
from digits_knn_cnn.networks import LEAST_BATCH, NETWORKS, prepare

LEARNING_RATE, EPSILON = 1e-3, 1e-7
FIRST_BATCHES = 2
JUDGED_AT_ONCE = 64
"""Pictures: at 32 × 32 a layer of ResNet18 makes 17 MB of them, memory that is kept when freed."""


@dataclass(frozen=True)
class Settings:
    """What a rank is told; `side` and `max_pixel` are of the pictures."""

    model: str
    side: int
    max_pixel: int
    batch_size: int
    seed: int


class Rank:
    """One rank's model and pictures; `studytrain.member.Rank` says what it is asked."""

    def __init__(
        self,
        settings: Settings,
        train_pixels: Pixels,
        train_labels: Labels,
        test_pixels: Pixels,
        test_labels: Labels,
    ) -> None:
        self._side, self._scale = settings.side, 1.0 / settings.max_pixel
        self._parts = [
            (_tensor(train_pixels), _tensor(train_labels).long()),
            (_tensor(test_pixels), _tensor(test_labels).long()),
        ]
        model = NETWORKS[settings.model](settings.side, settings.seed)
        self._learner = Learner(
            model,
            Adam(model.parameters(), LEARNING_RATE, EPSILON),
            self._examples,
            rows=len(train_labels),
            batch_size=settings.batch_size,
            seed=settings.seed,
            least=LEAST_BATCH[settings.model],
        )
        self.state, self.restore = self._learner.state, self._learner.restore

    def epoch(self, number: int) -> Figures:
        """Loss and accuracy of the training part while it learned, of the test part after it; the
        loss of the first batches, by which others can tell whether they take the same steps."""
        learned = self._learner.epoch(number)
        first = learned.losses[:FIRST_BATCHES]
        return {
            "loss": learned.loss,
            "loss_of_first_batches": sum(first) / len(first),
            "train_accuracy": learned.accuracy,
            "test_accuracy": self._accuracy(*self._parts[1]),
        }

    def answer(self) -> Labels:
        """What is read on this rank's share of the test pictures."""
        predicted: Labels = self._predicted(self._parts[1][0]).to(torch.uint8).numpy()
        return predicted

    def _accuracy(self, pixels: Tensor, labels: Tensor) -> float:
        first, stop = self._share(pixels)
        right = (self._predicted(pixels) == labels[first:stop]).sum()
        return int(process_group.all_reduce(right)) / max(len(labels), 1)

    @torch.no_grad()
    def _predicted(self, pixels: Tensor) -> Tensor:
        model = self._learner.model.eval()
        first, stop = self._share(pixels)
        found = [torch.empty(0, dtype=torch.int64)]
        for start in range(first, stop, JUDGED_AT_ONCE):
            block = pixels[start : min(start + JUDGED_AT_ONCE, stop)]
            found.append(model(self._pictures(block)).argmax(dim=1))
        return torch.cat(found)

    def _share(self, pixels: Tensor) -> tuple[int, int]:
        return batches.share(0, len(pixels), process_group.rank(), process_group.world_size())

    def _examples(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        pixels, labels = self._parts[0]
        return self._pictures(pixels[rows]), labels[rows]

    def _pictures(self, pixels: Tensor) -> Tensor:
        """[n, side²] → [n, 1, side, side] of 0 … 1, in torch's default type, float32."""
        scaled = pixels.to(torch.get_default_dtype(), copy=True).mul_(self._scale)
        return scaled.view(-1, 1, self._side, self._side)


def _tensor(array: npt.NDArray[Any]) -> Tensor:
    """The same memory. Engines share arrays that nobody may write; nobody does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not writable")
        return torch.from_numpy(np.ascontiguousarray(array))


@dataclass(frozen=True)
class Trained:
    """The history by epoch, torch's state of the model, what is read on every test picture."""

    history: Sequence[Figures]
    state: Mapping[str, Tensor]
    predictions: Labels
    training: Training
    """Seconds, bytes and restarts of this run."""


def configuration(settings: Settings, train: Digits) -> dict[str, Setting]:
    """All that a training depends on, but for how long it goes on and who does it."""
    return {
        "model": settings.model,
        "side": settings.side,
        "max_pixel": settings.max_pixel,
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        "train_rows": len(train),
        "train_checksum": zlib.crc32(train.labels.tobytes(), zlib.crc32(train.pixels.tobytes())),
    }


def trained(run: Run, ranks: Ranks, train: Digits, test: Digits) -> Trained:
    """Train as `run` asks, by the ranks of its engine, from the checkpoint with --resume.

    DataError where that is of another model, configuration or training part.
    """
    plan = planned(run, train, test)
    with contextlib.closing(ranks):
        with run.phase("start", f"starting {ranks.count} ranks"):
            driver.start(ranks, plan)
        with run.phase("load", "sending the pictures to every rank"):
            driver.build(ranks, plan)
        with run.iterations("training") as computed:
            training = driver.train(ranks, plan)
            computed(training.seconds)
    if training.checkpoint is None:
        raise AssertionError("a run has one epoch at least")
    state = checkpoints.unpacked(training.checkpoint).state["model"]
    return Trained(training.history, state, np.concatenate(training.answers), training)


def planned(run: Run, train: Digits, test: Digits) -> Plan:
    """What the driver is to do; reads the checkpoint, with --resume."""
    asked, seed = run.parameters, run.options.seed
    side = train.side
    settings = Settings(asked.model, side, train.max_pixel, asked.batch_size, seed)
    of = configuration(settings, train)
    begin: Packed | None = None
    if asked.resume:
        begin = checkpoints.read(asked.checkpoint, of, asked.epochs)

    def keep(content: Packed) -> None:
        if asked.checkpoint is not None:
            checkpoints.write(asked.checkpoint, content)

    def told(history: Sequence[Figures], seconds_left: float) -> None:
        last = history[-1]
        run.progress(
            f"epoch {len(history)} of {asked.epochs}: loss {last['loss']:.4f}, accuracy"
            f" {last['test_accuracy']:.4f}, {seconds_left:.0f} s left"
        )

    return Plan(
        make=Rank,
        arguments=(settings, train.pixels, train.labels, test.pixels, test.labels),
        of=of,
        epochs=asked.epochs,
        prepare=functools.partial(prepare, asked.model),
        begin=begin,
        keep=keep,
        told=told,
        died=lambda how: run.say(f"a rank died, {how}: training on from the last checkpoint"),
    )
