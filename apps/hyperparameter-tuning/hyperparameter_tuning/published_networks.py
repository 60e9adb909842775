"""The paper's networks: 128 pictures to learn from, 128 that choose the best and judge it.

What is wrong with it is said in `published`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from studykit.run import Run
from studytrain import batches
from torch import Tensor

from hyperparameter_tuning import (
    convolutional,
    epochs,
    guards,
    network,
    network_state,
    paper,
    pictures,
    published_figures,
)  # fmt: skip
from hyperparameter_tuning.jobs import Job, Report, Step, Trial
from hyperparameter_tuning.network import Network, logits, views
from hyperparameter_tuning.network_state import State
from hyperparameter_tuning.picture_parts import Pictures
from hyperparameter_tuning.quality import Judged

BATCH_SIZE, BRIGHTEST = 64, 255
PICTURES = paper.TEST_PICTURES


@dataclass(frozen=True)
class Networks:
    """`others`: the test pictures that choose nothing."""

    train: Pictures
    test: Pictures
    others: Pictures
    train_rows: int  # Of which `train` are the first.
    network: Network
    threads: int

    score_is: ClassVar[str] = "accuracy on the test pictures"

    @classmethod
    def read(cls, run: Run) -> "Networks":
        train, test = pictures.read(run.dataset.uri, run.options.seed)
        # A folder has its pictures by class: the first would be of one.
        random = np.random.default_rng(run.options.seed % 2**63)
        drawn, chosen = random.permutation(len(train)), random.permutation(len(test))
        return cls(
            train.at(drawn[:PICTURES], "train"),
            test.at(chosen[:PICTURES], "test"),
            test.at(chosen[PICTURES:], "test, not looked at"),
            len(train),
            network.paper(len(train.classes)),
            run.threads_of_a_worker,
        )

    @property
    def chance(self) -> float:
        return self.test.chance

    @property
    def rows(self) -> dict[str, int]:
        return {
            "rows": self.train_rows + len(self.test) + len(self.others),
            "train_rows": len(self.train),
            "test_rows": len(self.test),
        }

    def compute(self, job: Job) -> tuple[Report, bytes]:
        torch.set_num_threads(self.threads)
        clock, progress = epochs.Clock(), epochs.Progress(job)
        state = network_state.initial(self.network, job.seed)
        while not progress.over():
            loss = self._iteration(state, job, len(progress.scores))
            if not math.isfinite(loss):
                epochs.diverged(progress)
                continue
            score = self._right(state, self.test) / len(self.test)
            state.scored(score)
            progress.told(loss, score, 0, 1)  # Nothing stops early.
        clock.share([progress])
        return progress.report(), network_state.packed(self.network, state)

    def _iteration(self, state: State, job: Job, epoch: int) -> float:
        """Learn from every picture once; the mean loss on the way."""
        order = epochs.order(len(self.train), job.seed, epoch).numpy()
        kept = epochs.kept(self.network, len(self.train), job, epoch)
        labels = torch.tensor(self.train.labels[order])
        pixels, total = bright(self.train.pixels[order]), 0.0
        for start, stop in batches.cut(len(order), BATCH_SIZE):
            weights = state.weights.detach().requires_grad_()
            of_layers = list(views(self.network, weights).values())
            found = logits(self.network, of_layers, pixels[start:stop], kept[start:stop])
            loss = F.cross_entropy(found, labels[start:stop])
            (gradients,) = torch.autograd.grad(loss, weights)
            total += loss.item() * (stop - start)
            convolutional.step(state, gradients, epochs.learning_rate(job))
        return total / len(order)

    @torch.no_grad()
    def _right(self, state: State, part: Pictures) -> int:
        of_layers = list(views(self.network, state.weights).values())
        found = [
            logits(self.network, of_layers, bright(part.pixels[start:stop])).argmax(dim=1)
            for start, stop in batches.cut(len(part), epochs.JUDGED_AT_ONCE)
        ]
        return int((torch.cat(found) == torch.tensor(part.labels)).sum())

    def accuracy(self, step: Step) -> float | None:
        return guards.by_score(step)

    def judged(self, state: bytes) -> Judged:
        model = network_state.unpacked(self.network, state)
        return Judged(self._right(model, self.test), len(self.test))

    def model(self, state: bytes) -> bytes:
        return network_state.model(state)

    def further(self, trials: Sequence[Trial], state: bytes) -> dict[str, Any]:
        model = network_state.unpacked(self.network, state)
        count = len(self.others)
        elsewhere = self._right(model, self.others) / count if count else None
        allowed = [trial.configuration for trial in trials]
        row = dict(published_figures.best_of(trials))
        reported = row | {"dropout": paper.REPORTED["dropout"]}
        at_chance = sum(trial.status == "at chance" for trial in trials)
        here = self.judged(state).share
        wrong = [
            f"{at_chance} of {len(trials)} trials may be chance, on {len(self.test)} pictures",
            f"{len(self.train)} of {self.train_rows} training pictures were learned from",
            f"the pictures that chose the best trial judge it: {here:.4f}; on the"
            f" {count} others of the test part it is"
            f" {'not known' if elsewhere is None else f'{elsewhere:.4f}'}",
            *(f"reported as the best: {text}" for text in guards.faults(
                trials, reported, None, allowed)),
        ]  # fmt: skip
        return {
            "best_configuration": row,
            "reported_configuration": reported,
            "accuracy_on_other_pictures": elsewhere,
            "wrong": wrong,
        }


def bright(pixels: Any) -> Tensor:
    """uint8[n, 32, 32, 3] → 0 … 1."""
    return torch.tensor(pixels).to(torch.get_default_dtype()).mul_(1 / BRIGHTEST)
