"""Named, disjoint wall-clock intervals of a run: start, load, compute, communicate, check, write.

A phase entered inside another takes its time out of the outer one, so the phases of a run never
overlap and their sum is the run. The clock is the system's monotonic one, which all processes of
a host share: a child can count from the moment at which its parent began.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

MEASURED = ("start", "load", "compute", "communicate", "write")
"""The phases that add up to `wall_seconds`; `check` is never counted."""

STARTED_AT = "STUDY_STARTED_AT"
"""Environment variable: monotonic seconds at which the parent of this process began the run."""


class Phases:
    """Collects seconds per phase. `with phases("load"): …`; phases may nest and repeat."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[tuple[str, float]] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        now = time.monotonic()
        if self._open:
            outer, since = self._open[-1]
            self.add(outer, now - since)
        self._open.append((name, now))
        try:
            yield
        finally:
            now = time.monotonic()
            name, since = self._open.pop()
            self.add(name, now - since)
            if self._open:
                self._open[-1] = (self._open[-1][0], now)

    def add(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @property
    def wall_seconds(self) -> float:
        return sum(self.seconds.get(name, 0.0) for name in MEASURED)


def run_started_at() -> float:
    """Monotonic seconds at which this run began: its launcher's word, else this process's birth."""
    told = os.environ.get(STARTED_AT)
    if told is not None:
        return float(told)
    age = time.time() - psutil.Process().create_time()
    return time.monotonic() - max(age, 0.0)


def over_workers(workers: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Seconds of every worker → {phase: {max, sum}}."""
    names = dict.fromkeys(name for worker in workers for name in worker)
    return {
        name: {
            "max": max(worker.get(name, 0.0) for worker in workers),
            "sum": sum(worker.get(name, 0.0) for worker in workers),
        }
        for name in names
    }
