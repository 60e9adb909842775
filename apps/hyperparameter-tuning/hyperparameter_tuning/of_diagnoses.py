"""Boosted trees on the diagnoses, as a search sees them."""

import zlib
from dataclasses import dataclass
from typing import Any, ClassVar

from studykit.run import Run

from hyperparameter_tuning import boosting, diagnoses, guards, oracle_boosting, oracle_data
from hyperparameter_tuning.boosting import Probabilities
from hyperparameter_tuning.diagnoses import Divided
from hyperparameter_tuning.diagnosis_table import SPLIT_BYTES
from hyperparameter_tuning.jobs import Step, Trainer
from hyperparameter_tuning.quality import Judged


@dataclass(frozen=True)
class Diagnosis:
    """A trial is validated by five folds of the training part, all of whose rows count."""

    parts: Divided
    seed: int

    score_is: ClassVar[str] = "minus log-loss"

    @classmethod
    def read(cls, run: Run) -> "Diagnosis":
        table = diagnoses.read(run.dataset.uri, run.options.split_bytes or SPLIT_BYTES)
        return cls(diagnoses.divided(table, run.options.seed), run.options.seed)

    def accuracy(self, step: Step) -> float | None:
        return guards.by_error(step)

    @property
    def rows(self) -> dict[str, int]:
        train, test = len(self.parts.train), len(self.parts.test)
        return {"rows": train + test, "train_rows": train, "test_rows": test}

    @property
    def validation_rows(self) -> int:
        return len(self.parts.train)

    @property
    def chance(self) -> float:
        return self.parts.train.chance

    @property
    def size(self) -> int:
        return self.parts.train.features.nbytes + self.parts.test.features.nbytes

    @property
    def checksum(self) -> int:
        train = self.parts.train
        return zlib.crc32(train.labels.tobytes(), zlib.crc32(train.features.tobytes()))

    def trainer(self, threads: int, vectorised: bool = False) -> Trainer:
        return boosting.BoostingTrainer(self.parts.train, self.seed, threads)

    def predicted(self, state: bytes) -> Probabilities:
        return boosting.predict(state, self.parts.test)

    def judged(self, predicted: Probabilities) -> Judged:
        return boosting.judge(predicted, self.parts.test.labels)

    def further(self, step: Step) -> dict[str, Any]:
        return {"cross_validated": boosting.cross_validated(step.figures)}

    def model(self, state: bytes) -> bytes:
        return state

    def check(
        self, uri: str, state: bytes, predicted: Probabilities, judged: Judged
    ) -> dict[str, Any]:
        return oracle_data.check_diagnoses(uri, self.seed, self.parts) | oracle_boosting.check(
            state, self.parts.test, predicted, judged
        )
