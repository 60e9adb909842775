"""The engine's own way on Ray: images by Ray Data, `map_batches` with a class that keeps the
network, and folds as tasks.

Ray Data decides what is where, starts the actors and holds back what would flood memory. A batch is
a part of the images, so what is computed on it is what the exact method computes.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import ray
from ray.data import ActorPoolStrategy, DataContext
from studykit.run import Outcome, Run

from lesion_classification import answering, inference, outcome, parts, resnet
from lesion_classification.cross_validation import Data, FoldResult, train_fold
from lesion_classification.parts import Part
from lesion_classification.team import Told
from lesion_classification.worker import Job, Worker


class FeaturesOfParts:
    """A stateful function of `map_batches`."""

    def __init__(self, job: Job) -> None:
        self._worker = Worker(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """{"id": int64[parts]} → a row for each image: its part, its number, its features."""
        found = list(self._worker.features_of([int(number) for number in batch["id"]]))
        return {
            "part": np.concatenate([np.full(len(part.numbers), part.number) for part in found]),
            "number": np.concatenate([np.array(part.numbers, np.int64) for part in found]),
            "features": np.concatenate([part.features for part in found]),
            "bytes_read": np.concatenate([_shared_out(part) for part in found]),
        }


def _shared_out(part: Part) -> Any:
    """What was read for a part, as said by its first image."""
    said = np.zeros(len(part.numbers), np.int64)
    said[:1] = part.bytes_read
    return said


class DataTeam(Told):
    """Whatever Ray Data and Ray's scheduler use."""

    is_first = True

    def __init__(self, count: int, threads: int) -> None:
        self._count, self._threads, self.sent = count, threads, 0
        self._job: Job
        self._began = time.monotonic()
        DataContext.get_current().enable_progress_bars = False

    def load(self, job: Job) -> list[tuple[str, str]]:
        """The network is loaded by Ray Data's actors, when the first image comes."""
        self._job = job
        kind = inference.resolved_precision(job.precision, "cpu")
        sha256 = resnet.load(job.weights, job.seed).sha256
        return [(sha256, str(kind).removeprefix("torch."))]

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        self._began = time.monotonic()
        images = len(self._job.paths)
        found = (
            # Of items that are here: tasks that make them would wait for the actors' cores.
            ray.data.from_items(
                [{"id": number} for number in numbers], override_num_blocks=len(numbers)
            )
            .map_batches(
                FeaturesOfParts,
                fn_constructor_args=(self._job,),
                batch_size=1,
                num_cpus=self._threads,
                compute=ActorPoolStrategy(size=self._count),
            )
            .iter_batches(batch_size=parts.size(images))
        )
        kept: dict[int, list[Any]] = {}
        for batch in found:
            for number in np.unique(batch["part"]):
                own = batch["part"] == number
                rows = kept.setdefault(int(number), [])
                rows.append([batch[name][own] for name in ("number", "features", "bytes_read")])
        for number, rows in sorted(kept.items()):
            images_of, features, read = (
                np.concatenate(column) for column in zip(*rows, strict=True)
            )
            order = np.argsort(images_of)
            self.sent += features.nbytes
            yield Part(
                number, images_of[order].tolist(), features[order], bytes_read=int(read.sum())
            )

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        shared = ray.put(data)
        train: Any = ray.remote(num_cpus=self._threads)(train_fold)
        waiting = [train.remote(number, shared) for number in numbers]
        while waiting:
            done, waiting = ray.wait(waiting)
            yield from ray.get(done)

    def seconds(self) -> list[dict[str, float]]:
        """Ray Data keeps its workers' to itself: those of the driver, all of them."""
        return [{"compute": time.monotonic() - self._began}]


def exact(run: Run) -> Outcome:
    team = DataTeam(run.options.worker_count, run.options.threads)
    answer = answering.answered(run, team)
    return outcome.exact(run, answer, team.sent)
