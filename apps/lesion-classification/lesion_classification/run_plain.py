"""Lesions in one process: the baseline that every engine is compared with.

    ./pants run apps/lesion-classification:plain -- --size tiny --weights random
    ./pants run apps/lesion-classification:plain -- --data lesions/ --workers 2 --out answer/

One worker with workers × threads threads, so that it has the same cores as an engine; each thread
computes on images, or trains a fold, of its own.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from studykit.engines import plain_engine
from studykit.run import Outcome, Run

from lesion_classification import answering, inference, outcome, study
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.member import Member
from lesion_classification.parts import Part
from lesion_classification.team import Told
from lesion_classification.worker import Job


class PlainTeam(Told):
    """One worker, which is called."""

    is_first = True

    def __init__(self, threads: int) -> None:
        self.member, self._threads, self.sent = Member(), threads, 0

    def load(self, job: Job) -> list[tuple[str, str]]:
        return [self.member.load(job)]

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        yield from self.member.parts(numbers)
        self.member.rest()

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        assert data is not None
        with ThreadPoolExecutor(self._threads, "fold", inference.one_thread) as pool:
            yield from pool.map(lambda number: self.member.fold(data, number), numbers)

    def seconds(self) -> list[dict[str, float]]:
        return [self.member.seconds()]


def exact(run: Run) -> Outcome:
    answer = answering.answered(run, PlainTeam(run.threads_of_a_worker))
    return outcome.exact(run, answer, 0)


def published_way(run: Run) -> Outcome:
    # Here, because only who asks for it shall wait.
    from lesion_classification import published_plain

    return published_plain.exact(run)


METHODS = {"exact": exact, "published": published_way}

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
