"""The search in one process: the baseline that every engine is compared with.

    ./pants run apps/hyperparameter-tuning:plain -- --size tiny
    ./pants run apps/hyperparameter-tuning:plain -- --study cifar10 --epochs 8 --out answer/
    ./pants run apps/hyperparameter-tuning:plain -- --study cifar10 --vectorised --beside random

One trial after the other where there is one worker, as many at a time as there are otherwise, each
with the threads of a worker: a trial has the same figures as on an engine. `--vectorised` computes
several small networks as one, with the threads of all.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from studykit.engines import plain_engine
from studykit.run import Outcome, Run

from hyperparameter_tuning import answering, outcome, study, worker
from hyperparameter_tuning.jobs import Job, Report, Stoppable, Trainer
from hyperparameter_tuning.problem import Problem


class PlainTeam:
    """Threads, each with a trainer of its own."""

    def __init__(self, workers: int, threads: int, vectorised: bool) -> None:
        # Seconds of the CPU are a thread's: of one with more threads, all of the process's.
        self._count = 1 if vectorised or threads > 1 else workers
        self._threads = workers * threads if vectorised else threads
        self._vectorised, self.sent = vectorised, 0
        self._compute, self._load = 0.0, 0.0
        self._own, self._closed = threading.local(), False
        self._trainers: list[Trainer] = []
        self._pool = ThreadPoolExecutor(self._count, "trial")

    def begin(self, problem: Problem) -> None:
        self._problem = problem

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        began, loaded = time.monotonic(), self._load
        if self._count == 1:
            yield from self._trainer().train(jobs, states)
        else:
            yield from self._pool.map(lambda job: self._one(job, states), jobs)
        self._compute += time.monotonic() - began - (self._load - loaded) / self._count

    def _one(self, job: Job, states: Mapping[int, bytes]) -> tuple[Report, bytes]:
        (found,) = self._trainer().train([job], states)
        return found

    def _trainer(self) -> Trainer:
        found: Trainer | None = getattr(self._own, "trainer", None)
        if found is None:
            began = time.monotonic()
            found = self._own.trainer = self._problem.trainer(self._threads, self._vectorised)
            self._load += time.monotonic() - began
            self._trainers.append(found)
            if self._closed:
                self._stop()
        return found

    def _stop(self) -> None:
        for trainer in self._trainers:
            if isinstance(trainer, Stoppable):
                trainer.stop()

    def seconds(self) -> list[dict[str, float]]:
        return [{"load": self._load, "compute": self._compute}]

    def close(self) -> None:
        """Where an interrupt has ended the search, its jobs are still trained."""
        self._closed = True
        self._stop()
        self._pool.shutdown(cancel_futures=True)


def exact(run: Run) -> Outcome:
    asked, options = run.parameters, run.options
    with run.phase("start", "importing what trains"):
        worker.WARM_UP[asked.study]()
    team = PlainTeam(options.worker_count, options.threads, asked.vectorised)
    return outcome.exact(run, answering.answered(run, team))


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing what trains"):
        # Here, because no other run needs it.
        from hyperparameter_tuning import published

        worker.WARM_UP[run.parameters.study]()
    return published.searched(run, published.reader(run), published.in_turn, exact)


METHODS = {"exact": exact, "published": published_way}

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
