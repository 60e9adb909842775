"""The ranks of torch.distributed, as the answer asks of them: this one's worker, and what the first
gathers of the others'."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch.distributed as dist
from studykit.engines.collectives import gather_objects

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
            for part in self.gathered(next(mine, None)):
                self.sent += part.features.nbytes if part.number % self.count else 0
                yield part
        self.member.rest()

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        shared = self.told(lambda: data)
        assert shared is not None
        self.sent += (self.count - 1) * shared.features.nbytes
        mine = [self.member.fold(shared, fold) for fold in numbers[self.rank :: self.count]]
        for results in self.gathered(mine):
            yield from results

    def seconds(self) -> list[dict[str, float]]:
        return gather_objects(self.member.seconds())

    def gathered(self, mine: Any) -> list[Any]:
        """What every rank has, where it has any: in the first rank alone."""
        found: list[Any] | None = [None] * self.count if self.rank == 0 else None
        dist.gather_object(mine, found)
        return [one for one in found or [] if one is not None]
