"""Who computes the jobs of a search: what an engine hands over."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from hyperparameter_tuning.jobs import Job, Report
from hyperparameter_tuning.problem import Problem


class Team(Protocol):
    """A `jobs.Trainer`, once it has begun."""

    sent: int
    """Bytes to and from workers so far."""

    def begin(self, problem: Problem) -> None:
        """Give every worker the data."""
        ...

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]: ...

    def seconds(self) -> list[dict[str, float]]:
        """Of every worker, by phase."""
        ...

    def close(self) -> None: ...
