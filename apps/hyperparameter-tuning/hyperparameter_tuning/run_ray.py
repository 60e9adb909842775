"""The search on Ray: one actor per worker, which computes whatever job is sent to it.

    ./pants run apps/hyperparameter-tuning:ray -- --size tiny --workers 2
    ./pants run apps/hyperparameter-tuning:ray -- --study cifar10 --epochs 8 --checkpoint search/

The driver decides, so the search is that of plain, trial by trial. Data are in the object store
once a host; a job brings the state that it begins with and hands back the one that it leaves. An
actor that dies is started again by Ray, which repeats its job; where the driver dies, `--resume`
goes on with the jobs that `--checkpoint` does not have.
"""

from collections.abc import Iterator, Mapping, Sequence

import ray
from ray.util import ActorPool
from studykit.engines import ray_actors, ray_engine
from studykit.errors import UsageError
from studykit.options import Options
from studykit.run import Outcome, Run

from hyperparameter_tuning import answering, outcome, run_plain, study, worker
from hyperparameter_tuning.jobs import Job, Report
from hyperparameter_tuning.problem import Problem


class RayTeam:
    """Actors, which keep nothing but the trainer that the data make."""

    def __init__(self, options: Options, kind: str) -> None:
        self._actors = ray_actors.start(options, worker.WARM_UP[kind])
        self._threads, self.sent = options.threads, 0
        self._seconds = [dict.fromkeys(("load", "compute"), 0.0) for _ in self._actors]

    def begin(self, problem: Problem) -> None:
        self._problem = ray.put(problem)
        self.sent += problem.size * len(self._actors)

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        numbers = {actor: number for number, actor in enumerate(self._actors)}

        def send(actor: ray.actor.ActorHandle, job: Job) -> "ray.ObjectRef[object]":
            state = None if job.parent is None else states[job.parent]
            self.sent += len(state or b"")
            return actor.run.remote(
                worker.compute, self._problem, job, state, self._threads, numbers[actor]
            )

        for done in ActorPool(self._actors).map(send, jobs):
            seconds = self._seconds[done.number]
            seconds["load"] += done.load_seconds
            seconds["compute"] += done.report.seconds
            self.sent += len(done.state)
            yield done.report, done.state

    def seconds(self) -> list[dict[str, float]]:
        return self._seconds

    def close(self) -> None:
        """Ray ends the actors."""


def exact(run: Run) -> Outcome:
    options, asked = run.options, run.parameters
    if asked.vectorised:
        raise UsageError("--vectorised: on plain only")
    with run.phase("start", f"starting {options.worker_count} actors"):
        team = RayTeam(options, asked.study)
        worker.WARM_UP[asked.study]()  # The driver reads and judges.
    return outcome.exact(run, answering.answered(run, team))


def native_way(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Train and Ray Tune"):
        # Here, because it takes seconds, for which only who asks for it shall wait.
        from hyperparameter_tuning import native_ray

        worker.WARM_UP[run.parameters.study]()
    return outcome.exact(run, native_ray.answered(run))


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Train and Ray Tune"):
        # Here, as above.
        from hyperparameter_tuning import published, published_ray

        worker.WARM_UP[run.parameters.study]()
    reader, computing = published_ray.reader(run), published_ray.computing(run)
    return published.searched(run, reader, computing, run_plain.exact)


METHODS = {"exact": exact, "native": native_way, "published": published_way}

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
