"""Ranks in processes of this machine, without an engine: for tests alone."""

import multiprocessing
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from typing import Any

from studytrain.member import Member
from studytrain.process_group import PeerLost
from studytrain.ranks import RankDied


def _serve(connection: Connection, number: int, count: int) -> None:
    member = Member(number, count, 1)
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, member.do(method, *arguments)))
        except Exception as error:
            connection.send((False, error))


class ProcessRanks:
    def __init__(self, count: int) -> None:
        self.count = count
        self._processes: list[Any] = []
        self._connections: list[Connection] = []

    def place(self) -> None:
        self.close()
        # Forked by a server that has imported torch, which has no threads as yet.
        forkserver = multiprocessing.get_context("forkserver")
        forkserver.set_forkserver_preload(["torch", __name__])
        for number in range(self.count):
            here, there = forkserver.Pipe()
            process = forkserver.Process(
                target=_serve, args=(there, number, self.count), daemon=True
            )
            process.start()
            there.close()
            self._processes.append(process)
            self._connections.append(here)

    def call(self, method: str, *arguments: Any) -> list[Any]:
        try:
            for connection in self._connections:
                connection.send((method, arguments))
            answers = [connection.recv() for connection in self._connections]
        except (EOFError, OSError) as error:
            raise RankDied("a process is gone") from error
        for well, answer in answers:
            if not well:
                raise RankDied(str(answer)) if isinstance(answer, PeerLost) else answer
        return [answer for _, answer in answers]

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            process.kill()
            process.join()
        self._connections, self._processes = [], []


@contextmanager
def processes(count: int) -> Iterator[ProcessRanks]:
    with closing(ProcessRanks(count)) as ranks:
        yield ranks
