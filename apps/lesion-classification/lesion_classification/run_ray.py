"""Lesions on Ray: one actor per worker, which loads the network once.

    ./pants run apps/lesion-classification:ray -- --size tiny --weights random --workers 2
    ./pants run apps/lesion-classification:ray -- --data lesions/ --address 10.0.0.1:6379

Each actor streams the features of its parts of the images to the driver, which keeps them; then
folds go to whoever is free. When an actor dies the run starts again with new ones, and with
--features only what is missing is computed.
"""

from collections.abc import Iterator, Sequence

import ray
from ray.util import ActorPool
from studykit.engines import ray_engine
from studykit.run import Outcome, Run

from lesion_classification import answering, outcome, study
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.member import Member
from lesion_classification.parts import Part
from lesion_classification.team import Told
from lesion_classification.worker import Job


class RayWorker(Member):
    """A worker that says when it is there."""

    def ready(self) -> None:
        """Started, and its libraries imported."""


class RayTeam(Told):
    """Actors, each a worker."""

    is_first = True

    def __init__(self, count: int, threads: int, gpus: int) -> None:
        remote = ray.remote(num_cpus=threads, num_gpus=gpus)(RayWorker)
        self._actors = [remote.remote(number) for number in range(count)]
        ray.get([actor.ready.remote() for actor in self._actors])
        self.sent = 0

    def load(self, job: Job) -> list[tuple[str, str]]:
        shared = ray.put(job)
        return ray.get([actor.load.remote(shared) for actor in self._actors])  # type: ignore[no-any-return]

    def parts(self, numbers: Sequence[int]) -> Iterator[Part]:
        count = len(self._actors)
        streams = [
            actor.parts.options(num_returns="streaming").remote(numbers[place::count])
            for place, actor in enumerate(self._actors)
        ]
        while streams:
            (stream, *_), _ = ray.wait(streams, num_returns=1, fetch_local=False)
            try:
                part: Part = ray.get(next(stream))
            except StopIteration:
                streams.remove(stream)
            else:
                self.sent += part.features.nbytes
                yield part
        ray.get([actor.rest.remote() for actor in self._actors])

    def folds(self, data: Data | None, numbers: Sequence[int]) -> Iterator[FoldResult]:
        assert data is not None
        shared = ray.put(data)
        self.sent += len(self._actors) * data.features.nbytes
        yield from ActorPool(self._actors).map_unordered(
            lambda actor, number: actor.fold.remote(shared, number), numbers
        )

    def seconds(self) -> list[dict[str, float]]:
        return ray.get([actor.seconds.remote() for actor in self._actors])  # type: ignore[no-any-return]


@ray_engine.again_from_the_input
def exact(run: Run) -> Outcome:
    options = run.options

    with run.phase("start", f"starting {options.worker_count} actors"):
        gpus = int(options.device == "cuda")
        actors = RayTeam(options.worker_count, options.threads, gpus)

    answer = answering.answered(run, actors)
    return outcome.exact(run, answer, actors.sent)


def native_way(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data"):
        # Here, because it takes seconds, for which only who asks for it shall wait.
        from lesion_classification import native_ray
    return native_ray.exact(run)


def published_way(run: Run) -> Outcome:
    # Here, because only who asks for it shall wait.
    from lesion_classification import published_ray

    return published_ray.exact(run)


METHODS = {"exact": exact, "native": native_way, "published": published_way}

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
