"""One rank, in this process: training without an engine."""

from typing import Any

from studytrain.member import Member


class LocalRanks:
    count = 1

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._member: Member | None = None

    def place(self) -> None:
        self._member = Member(0, self.count, self._threads)

    def call(self, method: str, *arguments: Any) -> list[Any]:
        if self._member is None:
            raise RuntimeError("called before it was placed")
        return [self._member.do(method, *arguments)]

    def close(self) -> None:
        self._member = None
