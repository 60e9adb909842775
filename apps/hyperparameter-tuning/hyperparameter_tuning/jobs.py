"""What a search asks for and what it is told: jobs, reports, trials.

A search is a pure function of reports. `ask()` gives the jobs that can be computed now, `tell()`
takes their reports, in the order of the jobs, and decides what follows. So a search does not know
who computes, one process or the actors of a cluster: its answer is the same for any number of
workers, and a search that was killed goes on by being told again what had been reported.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

# {"learning_rate": 1e-3, "batch_size": 64, "dropout": 0.3}, or {"max_depth": 5}
Configuration = Mapping[str, float | int]

DONE = "done"
STOPPED_EARLY = "stopped early"
DIVERGED = "diverged"
RUNNING = "running"
EXPLOITED = "exploited"  # Its last state was given up for a better trial's.
OUT_OF_BUDGET = "out of budget"
NOT_PROMOTED = "not promoted"
AT_CHANCE = "at chance"


@dataclass(frozen=True)
class Job:
    """Train a trial on, from a state, for so many epochs."""

    number: int  # In the order in which the search asked.
    trial: int
    configuration: Configuration
    parent: int | None  # The job whose state it begins with; None: from scratch.
    first_epoch: int  # Epochs that this state has behind it.
    epochs: int
    seed: int  # Of the trial: first weights and dropout are functions of (seed, epoch).


@dataclass(frozen=True)
class Report:
    """What became of a job. Its state, bytes, travels beside it."""

    job: int
    scores: Sequence[float]  # After each epoch, on the validation part; higher is better.
    figures: Mapping[str, Sequence[float]]  # Others by epoch: loss, ...
    epochs: int  # Done; fewer than asked where it stopped early.
    cpu_seconds: float  # Of the process's threads.
    seconds: float
    status: str  # DONE, STOPPED_EARLY or DIVERGED.


@dataclass(frozen=True)
class Step:
    """One job in the life of a trial, and where it came from."""

    job: int
    parent: int | None  # The job whose state it began with.
    first_epoch: int
    epochs: int
    configuration: Configuration
    score: float | None  # After its last epoch; None where it has none, or diverged.
    copied_from: int | None  # The trial whose state it began with, if not its own.
    perturbation: Mapping[str, str]  # {"learning_rate": "× 1.2", "batch_size": "drawn anew"}
    figures: Mapping[str, float] = field(default_factory=dict)  # The report's, at its end.


@dataclass
class Trial:
    """One member of a search, and what became of it."""

    number: int
    configuration: Configuration  # The last one.
    score: float | None = None  # The best at the end of a job, of which there is a state.
    best_job: int | None = None  # The job that ended so.
    epochs: int = 0  # Trained in this trial, in all.
    cpu_seconds: float = 0.0
    parent: int | None = None  # The trial that it last copied.
    status: str = RUNNING
    history: list[Step] = field(default_factory=list)


class Trainer(Protocol):
    """What computes jobs: one after the other, or several as one."""

    def train(
        self, jobs: Sequence[Job], states: Mapping[int, bytes]
    ) -> Iterator[tuple[Report, bytes]]:
        """Report and state of each of `jobs`, in their order.

        `states` has those of their parents, by the number of the job that left them.
        """
        ...


class Stopped(Exception):
    """A job was not trained to its end, because nobody wants its report any more."""


@runtime_checkable
class Stoppable(Protocol):
    """A trainer whose jobs can take long, in a thread that cannot be interrupted."""

    def stop(self) -> None:
        """Called by another thread: the job that is trained ends soon, by `Stopped`."""
        ...


class Search(Protocol):
    """What decides which jobs follow."""

    @property
    def trials(self) -> Sequence[Trial]:
        """All trials so far, by number."""
        ...

    def ask(self) -> Sequence[Job]:
        """The jobs to compute next; none: it is over."""
        ...

    def tell(self, reports: Sequence[Report]) -> None:
        """Take the reports of the jobs last asked for, in their order."""
        ...

    def needed(self) -> set[int]:
        """Numbers of the jobs whose states may still be wanted."""
        ...
