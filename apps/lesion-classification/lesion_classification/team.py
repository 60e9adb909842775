"""All workers of a run, as an engine has them: what the answer asks of any engine.

Images are shared out in parts, folds as they are. Results come one by one to the first process, as
they are done: on Ray and plain that is the driver, on torch.distributed the first rank. Every rank
runs the same loop; in those that are not the first it goes over nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.parts import Part
from lesion_classification.worker import Job

T = TypeVar("T")


class Told:
    """Of a process that has nobody to be told by."""

    def told(self, make: Callable[[], T]) -> T:
        return make()


class Team(Protocol):
    is_first: bool
    """Whether this process is the one that results come to."""
    sent: int
    """Bytes that went from process to process."""

    def told(self, make: Callable[[], T]) -> T:
        """What the first process makes, in every process."""

    def load(self, job: Job) -> list[tuple[str, str]]:
        """The network, on every worker: (fingerprint of the weights, precision) of each."""

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        """The features of these parts of the images."""

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        """Every fold, trained and tested; only the first process has the data."""

    def seconds(self) -> list[dict[str, float]]:
        """Of every worker, by phase."""
