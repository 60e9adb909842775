"""Lesions on torch.distributed: one rank per worker, which loads the network once.

    ./pants run apps/lesion-classification:torch -- --size tiny --weights random --workers 2
    torchrun --nproc-per-node 2 -m lesion_classification.run_torch --size tiny --weights random

Every rank runs this file from top to bottom. Features go to the first rank a part of each rank at a
time, over gloo; the first keeps them. All get the samples and take every n-th fold. A rank that
dies ends the run: its launcher stops the others; with --features the next run computes only what is
missing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch.distributed as dist
from studykit.engines import torch_engine
from studykit.engines.collectives import gather_objects
from studykit.run import Outcome, Run

from lesion_classification import answering, outcome, study
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.member import Member
from lesion_classification.parts import Part
from lesion_classification.team import T
from lesion_classification.worker import Job


class TorchTeam:
    """This rank's worker, and what the first one gathers of the others'."""

    def __init__(self) -> None:
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.member, self.sent = Member(self.rank), 0
        self.is_first = self.rank == 0

    def told(self, make: Callable[[], T]) -> T:
        said: list[Any] = [make() if self.rank == 0 else None]
        dist.broadcast_object_list(said)
        return said[0]  # type: ignore[no-any-return]

    def load(self, job: Job) -> list[tuple[str, str]]:
        return gather_objects(self.member.load(job))

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        mine = self.member.parts(numbers[self.rank :: self.count])
        for _ in range(0, len(numbers), self.count):
            for part in self._gathered(next(mine, None)):
                self.sent += part.features.nbytes if part.number % self.count else 0
                yield part
        self.member.rest()

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        shared = self.told(lambda: data)
        assert shared is not None
        self.sent += (self.count - 1) * shared.features.nbytes
        mine = [self.member.fold(shared, fold) for fold in numbers[self.rank :: self.count]]
        for results in self._gathered(mine):
            yield from results

    def seconds(self) -> list[dict[str, float]]:
        return gather_objects(self.member.seconds())

    def _gathered(self, mine: Any) -> list[Any]:
        """What every rank has, where it has any: in the first rank alone."""
        found: list[Any] | None = [None] * self.count if self.rank == 0 else None
        dist.gather_object(mine, found)
        return [one for one in found or [] if one is not None]


def exact(run: Run) -> Outcome | None:
    with run.phase("start", "meeting the other ranks"):
        ranks = TorchTeam()
        dist.barrier()

    answer = answering.answered(run, ranks)
    if ranks.rank != 0:
        return None
    return outcome.exact(run, answer, ranks.sent)


def native_way(run: Run) -> Outcome | None:
    # Here, because it builds on what stands above.
    from lesion_classification import native_torch

    return native_torch.exact(run)


def published_way(run: Run) -> Outcome | None:
    # Here, because only who asks for it shall wait.
    from lesion_classification import published_torch

    return published_torch.exact(run)


METHODS = {"exact": exact, "native": native_way, "published": published_way}

main = torch_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
