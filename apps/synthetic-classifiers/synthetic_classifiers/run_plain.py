"""Every classifier in one process: the baseline that every engine is compared with.

    ./pants run apps/synthetic-classifiers:plain -- --size tiny --algorithm all
    ./pants run apps/synthetic-classifiers:plain -- --data samples.csv --label class --out answer/

One worker with workers × threads threads, so that it has the same cores as an engine; nothing is
exchanged.
"""

from typing import Any

from studykit.engines import plain_engine
from studykit.engines.host_memory import Hosts
from studykit.run import Outcome, Run

from synthetic_classifiers import classifiers, outcome, study, training
from synthetic_classifiers import worker as workers
from synthetic_classifiers.team import Step
from synthetic_classifiers.training import Answer
from synthetic_classifiers.worker import Worker


class PlainTeam:
    """One worker, which is called."""

    def __init__(self, threads: int) -> None:
        self.worker = Worker(threads=threads)
        self.phase, self.sent = "load", 0

    def on_all(self, step: Step, *arguments: Any) -> list[Any]:
        return [self.worker.call(self.phase, step, *arguments)]

    def bring(self, hosts: Hosts, give: Step, take: Step) -> None:
        """There is no other host."""


def exact(run: Run) -> Outcome:
    return outcome.exact(run, answered(run), 0)


def answered(run: Run) -> Answer:
    """The exact answer, to which a published one is held."""
    with run.phase("start", "compiling or loading the kernels"):
        workers.warm_up()
        classifiers.warm_up(run.parameters.kinds)
        team = PlainTeam(run.threads_of_a_worker)

    answer = training.answered(run, team)
    team.worker.close()
    return answer


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from synthetic_classifiers import published_plain

        classifiers.warm_up(run.parameters.algorithms)
    return published_plain.classifiers(run, answered)


METHODS = {"exact": exact, "published": published_way}

main = plain_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
