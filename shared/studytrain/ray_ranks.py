"""Ranks as actors of Ray, each with cores of its own.

Ray starts none of them again by itself: a new rank has to join a new group, with all the others.
"""

from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from studykit.engines import ray_engine
from studykit.errors import BusyError

from studytrain.member import Member
from studytrain.process_group import PeerLost
from studytrain.ranks import RankDied

PLACE_SECONDS = 120
"""Ray waits for ever for room; an actor that has it imports torch, on a busy machine for long."""


class RayWorker(Member):
    """Of this name, by which tests find the processes of actors."""

    def host(self) -> str:
        address: str = ray.util.get_node_ip_address()
        return address


class RayRanks:
    def __init__(self, count: int, threads: int) -> None:
        self.count, self._threads = count, threads
        self._actors: list[Any] = []
        self._whole = True

    def place(self) -> None:
        self._kill()
        remote = ray.remote(num_cpus=self._threads)(RayWorker)
        self._actors = [
            remote.remote(number, self.count, self._threads) for number in range(self.count)
        ]
        try:
            # It also says whether their processes have begun.
            self._results([actor.do.remote("host") for actor in self._actors], PLACE_SECONDS)
        except GetTimeoutError:
            cores = self.count * self._threads
            raise BusyError(
                f"{self.count} ranks ask for {cores} cores, for which Ray had no room within"
                f" {PLACE_SECONDS} s"
            ) from None
        self._whole = True

    def call(self, method: str, *arguments: Any) -> list[Any]:
        shared = [ray.put(argument) for argument in arguments]
        return self._results([actor.do.remote(method, *shared) for actor in self._actors])

    def _results(self, running: list[Any], seconds: float | None = None) -> list[Any]:
        try:
            return ray_engine.results(running, seconds)
        except RayError as error:
            self._whole = False
            lost = isinstance(getattr(error, "cause", None), PeerLost)
            if lost or ray_engine.lost_a_worker(error):
                raise RankDied(f"on Ray: {error}") from error
            raise
        except BaseException:
            self._whole = False
            raise

    def close(self) -> None:
        """Actors end with the last reference to them, but not while they wait for others."""
        if self._actors and self._whole:
            self.call("leave")
        elif self._actors:
            self._kill()
        self._actors = []

    def _kill(self) -> None:
        for actor in self._actors:
            ray.kill(actor)
