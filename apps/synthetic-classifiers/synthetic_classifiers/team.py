"""All workers of a run, as an engine has them: what a classifier asks of any engine.

A classifier is written once, as steps that all workers take at the same time, and what is made of
their results in between. On Ray the driver calls actors and makes it; on torch.distributed every
rank takes its step, gathers the results of all and makes the same of them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from studykit.engines.host_memory import Hosts

Step = Callable[..., Any]
"""A module's function of a `Worker` and further arguments."""
OnAll = Callable[..., list[Any]]
"""(step, its arguments) → the results of all workers, in their order."""


class Team(Protocol):
    phase: str
    """In which workers book the seconds of their steps."""
    sent: int
    """Bytes that went from process to process, but for what libraries exchange by themselves."""

    def on_all(self, step: Step, *arguments: Any) -> list[Any]:
        """The step on every worker; the results in their order."""

    def bring(self, hosts: Hosts, give: Step, take: Step) -> None:
        """What `give` returns of every worker to the first worker of each other host:
        `take(worker, the results of all workers elsewhere, in order)`."""


def takers(hosts: Hosts) -> dict[int, list[int]]:
    """{first worker of a host: workers of other hosts}."""
    return {leader: hosts.elsewhere(leader) for leader in hosts.leaders}


def one(results: Sequence[Any]) -> Any:
    """What one of the workers alone has to say."""
    (found,) = [result for result in results if result is not None]
    return found


SMALL = 8
"""Bytes of a number."""


def size_of(value: Any) -> int:
    """About the bytes of what is exchanged: those of arrays, text and numbers."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(size_of, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(size_of, value))
    if dataclasses.is_dataclass(value):
        return sum(size_of(getattr(value, one.name)) for one in dataclasses.fields(value))
    return 0 if value is None else SMALL
