"""Networks that read small pictures, as a search sees them."""

import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from studykit.errors import CheckError
from studykit.run import Run

from hyperparameter_tuning import (
    convolutional,
    guards,
    judging,
    network,
    network_state,
    oracle_data,
    oracle_network,
    pictures,
)
from hyperparameter_tuning.jobs import Step, Trainer
from hyperparameter_tuning.network import Network
from hyperparameter_tuning.picture_parts import Labels
from hyperparameter_tuning.pictures import Pictures
from hyperparameter_tuning.quality import Judged
from hyperparameter_tuning.vectorised import VectorisedTrainer

NETWORKS = {"small": network.small, "paper": network.paper}


@dataclass(frozen=True)
class Recognition:
    """A trial is validated on a fifth of the training part, from which it does not learn."""

    train: Pictures
    validation: Pictures
    test: Pictures
    network: Network
    patience: int
    seed: int

    score_is: ClassVar[str] = "validation accuracy"

    @classmethod
    def read(cls, run: Run) -> "Recognition":
        asked, seed = run.parameters, run.options.seed
        train, test = pictures.read(run.dataset.uri, seed)
        own, validation = pictures.validation_split(train, seed)
        of = NETWORKS[asked.network](len(train.classes))
        return cls(own, validation, test, of, asked.patience, seed)

    def accuracy(self, step: Step) -> float | None:
        return guards.by_score(step)

    @property
    def rows(self) -> dict[str, int]:
        train, held_out, test = map(len, (self.train, self.validation, self.test))
        return {
            "rows": train + held_out + test,
            "train_rows": train,
            "validation_rows": held_out,
            "test_rows": test,
        }

    @property
    def validation_rows(self) -> int:
        return len(self.validation)

    @property
    def chance(self) -> float:
        return self.validation.chance

    @property
    def size(self) -> int:
        return sum(part.pixels.nbytes for part in (self.train, self.validation, self.test))

    @property
    def checksum(self) -> int:
        return zlib.crc32(self.train.labels.tobytes(), zlib.crc32(self.train.pixels.tobytes()))

    def trainer(self, threads: int, vectorised: bool = False) -> Trainer:
        torch.set_num_threads(threads)
        kind = VectorisedTrainer if vectorised else convolutional.SequentialTrainer
        return kind(self.network, self.train, self.validation, self.seed, self.patience)

    def predicted(self, state: bytes) -> Labels:
        return judging.predictions(self.network, state, self.test)

    def judged(self, predicted: Labels) -> Judged:
        return judging.judged(self.test.labels, predicted, len(self.test.classes))

    def further(self, step: Step) -> dict[str, Any]:
        return {"classes": list(self.test.classes), "test_part": self.test.part}

    def model(self, state: bytes) -> bytes:
        return network_state.model(state)

    def check(self, uri: str, state: bytes, predicted: Labels, judged: Judged) -> dict[str, Any]:
        both = np.concatenate([self.train.labels, self.validation.labels])
        pixels = np.concatenate([self.train.pixels, self.validation.pixels])
        whole = Pictures(pixels, both, self.train.classes)
        seen = oracle_data.check_pictures(uri, whole, self.test)
        if judged.right != int((predicted == self.test.labels).sum()):
            raise CheckError(f"right: {judged.right}, not what the predictions come to")
        wrong, count = oracle_network.differing(state, self.test.pixels, predicted, seed=self.seed)
        if wrong:
            raise CheckError(f"{wrong} of {count} test pictures are read otherwise by the model")
        return seen | {"pictures_judged_again": count}
