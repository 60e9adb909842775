"""Actors that keep nothing between calls, one per worker: each runs whatever function it is sent.

    actors = start(run.options, worker.warm_up)
    ray.get(actors[0].run.remote(worker.load, splits))

One that dies is started again by Ray, which also repeats what it was doing.
"""

from collections.abc import Callable
from typing import Any

import ray

from studykit.options import Options

RESTARTS = 3
"""Calls to an actor are repeated as long as it is: those to a host that was cut off fail every few
seconds until Ray starts the actor elsewhere."""


class RayWorker:
    """Of this name, by which tests find the processes of actors."""

    def __init__(self, warm_up: Callable[[], object]) -> None:
        warm_up()

    def ready(self) -> None:
        """Return once `__init__` has."""

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


def start(options: Options, warm_up: Callable[[], object]) -> list[ray.actor.ActorHandle]:
    """Return once all have called `warm_up`, a module's function."""
    remote = ray.remote(
        num_cpus=options.threads,
        max_concurrency=options.threads,
        max_restarts=RESTARTS,
        max_task_retries=-1,
    )(RayWorker)
    actors = [remote.remote(warm_up) for _ in range(options.worker_count)]
    ray.get([actor.ready.remote() for actor in actors])
    return actors
