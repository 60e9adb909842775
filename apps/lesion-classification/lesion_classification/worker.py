"""What a worker holds, the network once, and does: the features of parts of the images.

    worker = Worker(Job(folder, paths, pictures.decode, weights="random"))
    for part in worker.features_of([0, 3, 4]):      # as they are done, in that order
        …
    worker.close()

A Ray actor, a torch rank and the plain process each hold one; it knows none of them.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from lesion_classification import parts, resnet
from lesion_classification.decoding import Batch, Broken, Decode, Pipeline
from lesion_classification.inference import Extractor, Features, Precision, one_thread
from lesion_classification.parts import Part


@dataclass(frozen=True)
class Job:
    """What is to be computed, small enough to be sent to each worker once."""

    folder: str
    paths: Sequence[str]
    decode: Decode
    weights: str = resnet.IMAGENET
    seed: int = 42
    precision: Precision = "auto"
    device: str = "auto"
    threads: int = 1
    skip_broken: bool = False
    """Whether broken images are told of in their part, or end the work with a DataError."""


@dataclass(frozen=True)
class _Done:
    batch: Batch
    features: Features
    seconds: float


class Worker:
    def __init__(self, job: Job) -> None:
        """Loads the network. StorageError, DataError or ResourceError where that cannot be."""
        self.job = job
        self.extractor = Extractor(resnet.load(job.weights, job.seed), job.precision, job.device)
        self._ranges = parts.ranges(len(job.paths))
        self._pipeline = Pipeline(
            job.folder,
            job.paths,
            job.decode,
            job.threads,
            self._work,
            one_thread,
            skip_broken=job.skip_broken,
        )

    def features_of(self, numbers: Sequence[int]) -> Generator[Part, None, None]:
        """Parts by their numbers, each as soon as it and those before it are done.

        Threads of its own, as many as the job says, decode and compute; who asks may meanwhile
        do little things, such as keep a part. One who asks at a time.
        """
        size = self.extractor.batch
        batches = [
            (number, self._ranges[number][start : start + size])
            for number in numbers
            for start in range(0, len(self._ranges[number]), size)
        ]
        results = self._pipeline.over([batch for _, batch in batches])
        done: list[_Done] = []
        with closing(results):
            for place, one in enumerate(results):
                number = batches[place][0]
                done.append(one)
                if place + 1 == len(batches) or batches[place + 1][0] != number:
                    yield _part(number, done)
                    done = []

    def close(self) -> None:
        """End its threads."""
        self._pipeline.close()

    def _work(self, batch: Batch) -> _Done:
        began = time.perf_counter()
        if batch.numbers:
            features = self.extractor(batch.pixels)
        else:
            features = np.empty((0, resnet.FEATURES), np.float32)
        return _Done(batch, features, time.perf_counter() - began)


def _part(number: int, done: Sequence[_Done]) -> Part:
    batches = [one.batch for one in done]
    broken: list[Broken] = [one for batch in batches for one in batch.broken]
    return Part(
        number,
        [one for batch in batches for one in batch.numbers],
        np.concatenate([one.features for one in done]),
        broken,
        sum(batch.bytes_read for batch in batches),
        sum(batch.waited_seconds for batch in batches),
        sum(batch.decode_seconds for batch in batches),
        sum(one.seconds for one in done),
    )
