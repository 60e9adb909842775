"""What is tuned: data with a training, a validation and a test part, and what computes a trial."""

from typing import Any, ClassVar, Protocol

from studykit.run import Run

from hyperparameter_tuning.jobs import Step, Trainer
from hyperparameter_tuning.paper import CIFAR10
from hyperparameter_tuning.quality import Judged


class Problem(Protocol):
    """Goes to every worker; only who trains imports what it trains with."""

    score_is: ClassVar[str]

    def accuracy(self, step: Step) -> float | None:
        """Of a trial after a job, on the rows that it is validated on."""
        ...

    @property
    def rows(self) -> dict[str, int]:
        """Of all the data, and of their parts."""
        ...

    @property
    def validation_rows(self) -> int: ...

    @property
    def chance(self) -> float:
        """The accuracy that needs no model."""
        ...

    @property
    def size(self) -> int:
        """Bytes in memory."""
        ...

    @property
    def checksum(self) -> int:
        """Of the training part, by which a search knows its data again."""
        ...

    def trainer(self, threads: int, vectorised: bool = False) -> Trainer: ...

    def predicted(self, state: bytes) -> Any:
        """Of the test part, by the model of a state."""
        ...

    def judged(self, predicted: Any) -> Judged: ...

    def further(self, step: Step) -> dict[str, Any]:
        """Figures of the best trial's best job that are this problem's alone."""
        ...

    def model(self, state: bytes) -> bytes:
        """The model alone, as --out has it."""
        ...

    def check(self, uri: str, state: bytes, predicted: Any, judged: Judged) -> dict[str, Any]:
        """By other means; CheckError where something is another. What was looked at."""
        ...


def read(run: Run) -> Problem:
    """DataError where it is no such data."""
    # Here, because either imports libraries that the other does not need.
    if run.parameters.study == CIFAR10:
        from hyperparameter_tuning.of_pictures import Recognition

        return Recognition.read(run)
    from hyperparameter_tuning.of_diagnoses import Diagnosis

    return Diagnosis.read(run)
