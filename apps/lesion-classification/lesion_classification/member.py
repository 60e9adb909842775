"""What a worker of any engine does: features of images, then whole folds. No engine, no exchange.

Steps book their seconds as `worker_phases` wants them.
"""

from collections.abc import Iterator, Sequence

from studykit.phases import Phases

from lesion_classification.cross_validation import Fold, FoldResult, Samples, train_fold
from lesion_classification.parts import Part
from lesion_classification.worker import Job, Worker


class Member:
    def __init__(self, number: int = 0) -> None:
        self.number, self.phases = number, Phases()
        self._worker: Worker | None = None

    def load(self, job: Job) -> tuple[str, str]:
        """The network; returns (fingerprint of the weights, precision), by which features are told
        apart."""
        self._worker = Worker(job)
        return self._worker.extractor.weights.sha256, self._worker.extractor.precision

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        """Features of these parts of the images, each as soon as it is done."""
        assert self._worker is not None
        found = self._worker.features_of(numbers)
        while True:
            with self.phases("features"):
                part = next(found, None)
            if part is None:
                return
            yield part

    def rest(self) -> None:
        """Let go of the network and its threads: no more images come."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def fold(self, samples: Samples, fold: Fold) -> FoldResult:
        with self.phases("folds"):
            return train_fold(samples, fold)

    def seconds(self) -> dict[str, float]:
        return self.phases.seconds | {"compute": sum(self.phases.seconds.values())}
