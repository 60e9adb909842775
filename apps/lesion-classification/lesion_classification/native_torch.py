"""The engine's own way on torch: a `DataLoader` with a `DistributedSampler` on every rank.

The sampler deals images to ranks one by one, and deals some twice, so that all ranks have as many.
What is computed on a batch is what the exact method computes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch.distributed as dist
from studykit import storage
from studykit.run import Outcome, Run
from torch.utils.data import DataLoader, DistributedSampler

from lesion_classification import answering, inference, outcome, parts, resnet
from lesion_classification.inference import Extractor
from lesion_classification.layout import uri_of
from lesion_classification.parts import Part
from lesion_classification.torch_team import TorchTeam
from lesion_classification.worker import Job


class Images:
    """torch's data set: (number of the image, its pixels, bytes of its file)."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __len__(self) -> int:
        return len(self._job.paths)

    def __getitem__(self, number: int) -> tuple[int, Any, int]:
        uri = uri_of(self._job.folder, self._job.paths[number])
        content = storage.read_bytes(uri)
        return number, self._job.decode(content, uri), len(content)


class LoaderTeam(TorchTeam):
    def load(self, job: Job) -> list[tuple[str, str]]:
        self._job = job
        weights = resnet.load(job.weights, job.seed)
        self._extractor = Extractor(weights, job.precision, job.device)
        inference.one_thread()
        return [(weights.sha256, self._extractor.precision)]

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        images: Any = Images(self._job)
        sampler: Any = DistributedSampler(images, shuffle=False)
        loader = DataLoader(images, self._extractor.batch, sampler=sampler, collate_fn=list)
        found: dict[int, tuple[Any, int]] = {}
        with self.member.phases("features"):
            for batch in loader:
                features = self._extractor(np.stack([pixels for _, pixels, _ in batch]))
                for (number, _, size), row in zip(batch, features, strict=True):
                    found[number] = row, size
        gathered: dict[int, tuple[Any, int]] = {}
        for one in self.gathered(found):
            gathered |= one
        if dist.get_rank() != 0:
            return
        self.sent += len(images) * (self.count - 1) // self.count * resnet.FEATURES * 4
        for number, own in enumerate(parts.ranges(len(images))):
            rows = np.stack([gathered[image][0] for image in own])
            yield Part(number, list(own), rows, bytes_read=sum(gathered[image][1] for image in own))


def exact(run: Run) -> Outcome | None:
    ranks = LoaderTeam()
    answer = answering.answered(run, ranks)
    if ranks.rank != 0:
        return None
    return outcome.exact(run, answer, ranks.sent)
