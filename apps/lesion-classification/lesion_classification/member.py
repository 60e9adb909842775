"""What a worker of any engine does: features of images, then whole folds. No engine, no exchange.

Steps book their seconds as `worker_phases` wants them.
"""

import time
from collections.abc import Iterator, Sequence

from studykit.phases import Phases

from lesion_classification.cross_validation import Data, FoldResult, train_fold
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
            began = time.monotonic()
            part = next(found, None)
            if part is None:
                return
            # What its threads spent on fetching and decoding, side by side.
            loading = (part.waited_seconds + part.decode_seconds) / self._worker.job.threads
            passed = time.monotonic() - began
            self.phases.add("load", min(loading, passed))
            self.phases.add("features", max(passed - loading, 0.0))
            yield part

    def rest(self) -> None:
        """Let go of the network and its threads: no more images come."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def fold(self, data: Data, number: int) -> FoldResult:
        with self.phases("folds"):
            return train_fold(number, data)

    def seconds(self) -> dict[str, float]:
        return self.phases.seconds | {"compute": sum(self.phases.seconds.values())}
