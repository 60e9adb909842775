"""Ranks in the workers of Dask, one in each: tasks that are bound to their worker.

A task bound to a worker that is gone waits for ever, and the nanny's next worker has another
address. So while ranks work, the scheduler is asked who is there.
"""

import contextlib
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import distributed
from dask.sizeof import sizeof
from distributed import CancelledError, Client, KilledWorker, get_worker
from studykit.errors import BusyError

from studytrain.member import Member
from studytrain.process_group import PeerLost
from studytrain.ranks import RankDied

PLACE_SECONDS = 60
"""In which a nanny has a new worker begin."""
WATCH_SECONDS = 1.0
FETCH_SECONDS = 60
LARGE_BYTES = 8_000_000
"""From which on an argument is sent to the workers by itself, not within the task: that takes
Dask 0.3 s, and it warns of tasks of more than 10 MB."""

_members: dict[str, Member] = {}
"""In a worker: its rank of each training."""
_one_at_a_time = threading.Lock()


class DaskMember(Member):
    def host(self) -> str:
        return urlsplit(get_worker().address).hostname or super().host()


def _place(training: str, number: int, count: int, threads: int) -> None:
    with _one_at_a_time:
        # A process is in one group: what `_forget` would leave later must not be the new one.
        _members.clear()
        _members[training] = DaskMember(number, count, threads)


def _do(training: str, method: str, *arguments: Any) -> Any:
    with _one_at_a_time:
        return _members[training].do(method, *arguments)


def _forget(training: str) -> None:
    with _one_at_a_time:
        member = _members.pop(training, None)
        if member is not None:
            member.leave()


class DaskRanks:
    def __init__(self, client: Client, count: int, threads: int) -> None:
        self._client, self.count, self._threads = client, count, threads
        self._addresses: list[str] = []
        self._training = ""

    def place(self) -> None:
        self.close()
        until = time.monotonic() + PLACE_SECONDS
        while len(there := self._there()) < self.count:
            if time.monotonic() > until:
                raise BusyError(f"{self.count} ranks ask for as many Dask workers: {len(there)}")
            time.sleep(WATCH_SECONDS / 5)
        self._training, self._addresses = uuid.uuid4().hex, sorted(there)[: self.count]
        self._results(
            [
                self._submit(address, _place, self._training, number, self.count, self._threads)
                for number, address in enumerate(self._addresses)
            ]
        )

    def call(self, method: str, *arguments: Any) -> list[Any]:
        sent = [self._sent(argument) for argument in arguments]
        return self._results(
            [
                self._submit(address, _do, self._training, method, *sent)
                for address in self._addresses
            ]
        )

    def _sent(self, argument: Any) -> Any:
        if sizeof(argument) < LARGE_BYTES:
            return argument
        return self._client.scatter(argument, workers=self._addresses, broadcast=True, hash=False)

    def _submit(self, address: str, function: Any, *arguments: Any) -> Any:
        return self._client.submit(function, *arguments, workers=[address], pure=False)

    def _results(self, futures: list[Any]) -> list[Any]:
        try:
            while waiting := [future for future in futures if future.status == "pending"]:
                with contextlib.suppress(TimeoutError):
                    distributed.wait(waiting, WATCH_SECONDS, return_when="FIRST_COMPLETED")
                for future in futures:
                    if future.status == "error":
                        future.result()  # Raises it.
                gone = set(self._addresses) - self._there()
                if gone:
                    raise RankDied(f"the Dask worker {min(gone)} is gone")
            return [future.result(FETCH_SECONDS) for future in futures]
        except (PeerLost, KilledWorker, CancelledError, TimeoutError) as error:
            raise RankDied(f"on Dask: {error}") from error

    def _there(self) -> set[str]:
        return set(self._client.scheduler_info(n_workers=-1)["workers"])

    def close(self) -> None:
        """Not waited for: a rank may wait for another one that is gone, until it hears of it."""
        with contextlib.suppress(OSError, TimeoutError):  # Of a cluster that is itself ending.
            for address in set(self._addresses) & self._there():
                distributed.fire_and_forget(self._submit(address, _forget, self._training))
        self._addresses = []
