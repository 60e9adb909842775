"""What was done for a part of a job: the result, who came to it, and in how many seconds.

A worker's function calls `partial`; the engine brings back what it returns, and the driver makes
the record's `worker_phases` of it.
"""

import os
import socket
import time
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from studykit.text.bad_rows import BadRows

Result = TypeVar("Result")


@dataclass(frozen=True)
class Partial(Generic[Result]):
    """A result; the process that made it; its phase and seconds; rows that were left out."""

    result: Result
    worker: str
    phase: str
    seconds: float
    bad: BadRows = field(default_factory=BadRows)

    def of(self, result: Any) -> "Partial[Any]":
        """Something that is known of the result, made by the same work."""
        return Partial(result, self.worker, self.phase, self.seconds, self.bad)


def partial(phase: str, work: Callable[..., Result], *arguments: Any) -> Partial[Result]:
    """Do it here and now."""
    began = time.monotonic()
    result = work(*arguments)
    worker = f"{socket.gethostname()}:{os.getpid()}"
    return Partial(result, worker, phase, time.monotonic() - began)


def seconds_of_workers(
    partials: Iterable[Partial[Any]], threads: int, of: Container[str] = ("load", "compute")
) -> list[dict[str, float]]:
    """What each worker spent in each phase, as `worker_phases` wants it.

    `of` are the phases in which its threads work side by side, each on a part: their seconds are
    divided by their number.
    """
    spent: dict[str, dict[str, float]] = {}
    for part in partials:
        phases = spent.setdefault(part.worker, {})
        seconds = part.seconds / threads if part.phase in of else part.seconds
        phases[part.phase] = phases.get(part.phase, 0.0) + seconds
    return list(spent.values())
