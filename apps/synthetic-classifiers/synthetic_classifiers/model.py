"""What a classifier hands over when it is trained, and what it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from studykit.engines.host_memory import Hosts

from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Probabilities
from synthetic_classifiers.team import Team


@dataclass(frozen=True)
class Data:
    """Of the table, once it is divided. `hosts` where every host has all training samples."""

    division: Division
    columns: int
    classes: int
    hosts: Hosts | None

    @property
    def tests(self) -> int:
        return self.division.rows - self.division.train_rows


def nothing(team: Team, whole: bool) -> None:
    """The model is here already, or there is none."""


@dataclass
class Model:
    """predict: probabilities of every worker's own test samples, in the order of the workers;
    content: the model in its library's own format, None where it was not fetched or is the samples
    themselves; size: bytes of its numbers, where those of `content` hang on how they are rounded;
    facts: what `quality` says of it; unconverged: why it is none.

    fetch: brings the model here from the workers that hold it, or a part for the check, and sets
    `content` or `part`; called when the clock has stopped.
    """

    predict: Callable[[Team], list[Probabilities]]
    content: bytes | None = None
    size: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    unconverged: str | None = None
    part: Any = None
    fetch: Callable[[Team, bool], None] = nothing


@dataclass(frozen=True)
class Trained:
    """A classifier's answer: probabilities of the test samples, in the order of their numbers.

    Seconds are of the wall, `trained_in` with all that workers exchange.
    """

    kind: str
    fitted: Model
    probabilities: Probabilities
    trained_in: float
    predicted_in: float
