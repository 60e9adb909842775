"""Classifiers on Ray: one actor per worker, its samples stay with it.

    ./pants run apps/synthetic-classifiers:ray -- --size tiny --algorithm all --workers 2
    ./pants run apps/synthetic-classifiers:ray -- --data samples.csv --address 10.0.0.1:6379

The driver calls every step of a classifier on all actors and makes of their results what the next
one needs. XGBoost and LightGBM exchange by themselves, from actor to actor. Actors hold state, so
when one dies the run starts again from the input with new ones.
"""

from typing import Any

import ray
from ray.exceptions import RayError
from studykit.engines import ray_engine
from studykit.engines.host_memory import Hosts
from studykit.run import Outcome, Run

from synthetic_classifiers import classifiers, dividing, outcome, run_plain, study, team, training
from synthetic_classifiers import worker as workers
from synthetic_classifiers.team import Step
from synthetic_classifiers.worker import Worker

MESSAGE_BYTES = 100_000
"""As `ray_config_def.h` has it: a larger argument Ray puts into the object store for each call."""
HEAR_SECONDS = 5.0
"""In which Ray hears of a process that is gone."""


class RayWorker(Worker):
    """A worker that says when its kernels are compiled, and where it is."""

    def ready(self, kinds: tuple[str, ...]) -> None:
        workers.warm_up()
        classifiers.warm_up(kinds)
        self.address = ray.util.get_node_ip_address()

    def take(self, step: Step, *given: Any) -> Any:
        return self.call("load", step, given)


class RayTeam:
    """Actors, each a worker."""

    def __init__(self, count: int, threads: int, kinds: tuple[str, ...]) -> None:
        remote = ray.remote(num_cpus=threads)(RayWorker)
        self._actors = [remote.remote(number, count, threads) for number in range(count)]
        starting = [actor.ready.remote(kinds) for actor in self._actors]
        # Here too: the driver says what the steps are, and divides the rows.
        classifiers.imported(kinds)
        dividing.tests_of(0, 1, 0)
        ray.get(starting)
        self.phase, self.sent = "load", 0

    def on_all(self, step: Step, *arguments: Any) -> list[Any]:
        # Of what is small a message holds a copy; what is large is put down once for all.
        shared = [
            ray.put(argument) if team.size_of(argument) > MESSAGE_BYTES else argument
            for argument in arguments
        ]
        results = self._results(
            [actor.call.remote(self.phase, step, *shared) for actor in self._actors]
        )
        self.sent += len(self._actors) * team.size_of(arguments) + team.size_of(results)
        return results

    def bring(self, hosts: Hosts, give: Step, take: Step) -> None:
        """From actor to actor, through the object stores of their hosts."""
        given = [actor.call.remote("load", give) for actor in self._actors]
        self._results(
            [
                self._actors[leader].take.remote(take, *(given[other] for other in elsewhere))
                for leader, elsewhere in team.takers(hosts).items()
            ]
        )

    def _results(self, calls: list[Any]) -> list[Any]:
        try:
            return ray_engine.results(calls)
        except RayError as error:
            lost = None if ray_engine.lost_a_worker(error) else _lost(calls)
            # Who waits for a lost one within a library does not end with the last reference to it.
            for actor in self._actors:
                ray.kill(actor)
            if lost is not None:
                raise lost from error
            raise


def _lost(calls: list[Any]) -> RayError | None:
    """Of calls of which one failed: that a worker is gone, which may be why. Ray may hear of it
    after another worker, to which it was connected."""
    done, _ = ray.wait(calls, num_returns=len(calls), timeout=HEAR_SECONDS)
    for call in done:
        try:
            ray.get(call)
        except RayError as error:
            if ray_engine.lost_a_worker(error):
                return error
    return None


@ray_engine.again_from_the_input
def exact(run: Run) -> Outcome:
    options = run.options

    with run.phase("start", f"starting {options.worker_count} actors"):
        actors = RayTeam(options.worker_count, options.threads, run.parameters.kinds)

    answer = training.answered(run, actors)
    return outcome.exact(run, answer, actors.sent)


def native_way(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data and Ray Train"):
        # Here, because it takes seconds, for which only who asks for it shall wait.
        from synthetic_classifiers import native_ray

        classifiers.warm_up(run.parameters.algorithms)
    return outcome.exact(run, native_ray.answered(run), 0)


def published_way(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        from synthetic_classifiers import published_ray

        classifiers.warm_up(run.parameters.algorithms)
    return published_ray.classifiers(run, run_plain.answered)


METHODS = {"exact": exact, "native": native_way, "published": published_way}

main = ray_engine.entry_point(study.STUDY, METHODS)

if __name__ == "__main__":
    main()
