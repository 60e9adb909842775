"""Run a search to its end: ask it, have its jobs computed, tell it, keep what may be wanted.

Nothing here decides anything. So a search that was killed goes on by the same loop: jobs whose
report was kept are told again and not computed again, and the search asks for what it would have
asked for.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from studykit.errors import DataError

from hyperparameter_tuning.jobs import Job, Report, Search, Trainer, Trial
from hyperparameter_tuning.register import best, last_score
from hyperparameter_tuning.search_log import SearchLog, require_num_to_keep

Progress = Callable[[Job, Report], None]


@dataclass
class Searched:
    """A search that is over."""

    search: Search
    best_state: bytes | None
    """Of the best trial's best job; None where no job left a state of use."""
    best_so_far: list[tuple[float, float, float]] = field(default_factory=list)
    """(CPU-seconds, wall seconds, best score until then), whenever it rose, and at the end."""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    replayed: int = 0
    """Jobs that were told from the log."""

    @property
    def best(self) -> Trial | None:
        return best(self.search.trials)


@dataclass(frozen=True)
class Past:
    """A `jobs.Search` that is over."""

    trials: Sequence[Trial]

    def ask(self) -> Sequence[Job]:
        return []

    def tell(self, reports: Sequence[Report]) -> None:
        raise ValueError("it is over")

    def needed(self) -> set[int]:
        return set()


def run_search(
    search: Search,
    trainer: Trainer,
    log: SearchLog | None = None,
    *,
    num_to_keep: int = 1,
    together: bool = False,
    progress: Progress | None = None,
) -> Searched:
    """`num_to_keep`: so many last states of each trial stay in the log, beside those needed.

    `together`: the trainer computes the jobs of one `ask` as one, and rounds otherwise for fewer of
    them; so where the report of one is missing, all of them are computed again.
    """
    require_num_to_keep(num_to_keep)
    loop = _Loop(search, trainer, log, num_to_keep, together, progress)
    while jobs := search.ask():
        loop.compute(jobs)
    return loop.searched()


class _Loop:
    """The states and the clock of a search that runs."""

    def __init__(
        self,
        search: Search,
        trainer: Trainer,
        log: SearchLog | None,
        num_to_keep: int,
        together: bool,
        progress: Progress | None,
    ) -> None:
        self._search, self._trainer, self._log = search, trainer, log
        self._num_to_keep, self._together, self._progress = num_to_keep, together, progress
        self._told = {} if log is None else dict(log.told)
        self._replayed = 0
        # The clock goes on from the last report that was kept.
        before = max((kept.wall_seconds for kept in self._told.values()), default=0.0)
        self._began = time.monotonic() - before
        self._states: dict[int, bytes] = {}
        self._by_trial: dict[int, list[int]] = {}
        self._stored: set[int] = set()
        self._curve: list[tuple[float, float, float]] = []
        self._cpu = 0.0
        self._wall = 0.0

    def compute(self, jobs: Sequence[Job]) -> None:
        """Have the jobs' reports, from the log or from the trainer, and tell the search."""
        missing = [job for job in jobs if job.number not in self._told]
        if missing and self._together:
            missing = list(jobs)
        kept = [job for job in jobs if job not in missing]
        reports = {job.number: self._again(job) for job in kept}
        states = {job.parent: self._state(job.parent) for job in missing if job.parent is not None}
        answers = self._trainer.train(missing, states) if missing else ()
        for job, (report, state) in zip(missing, answers, strict=True):
            reports[job.number] = report
            self._take(job, report, state)
        self._search.tell([reports[job.number] for job in jobs])
        self._forget()

    def _again(self, job: Job) -> Report:
        kept = self._told[job.number]
        if kept.job != job:
            reason = f"the report of another job: trial {kept.job.trial}, {kept.job.configuration}"
            raise DataError(reason, uri=kept.uri)
        self._count(job, kept.report, kept.wall_seconds)
        self._replayed += 1
        return kept.report

    def _take(self, job: Job, report: Report, state: bytes) -> None:
        wall = time.monotonic() - self._began
        self._states[job.number] = state
        if self._log is not None:
            self._log.keep(job, report, state, wall)
        self._count(job, report, wall)
        if self._progress is not None:
            self._progress(job, report)

    def _count(self, job: Job, report: Report, wall: float) -> None:
        self._by_trial.setdefault(job.trial, []).append(job.number)
        self._stored.add(job.number)
        self._cpu += report.cpu_seconds
        self._wall = max(self._wall, wall)
        score = last_score(report)
        if score is not None and (not self._curve or score > self._curve[-1][2]):
            self._curve.append((self._cpu, self._wall, score))

    def _state(self, number: int) -> bytes:
        if number in self._states:
            return self._states[number]
        assert self._log is not None
        return self._log.state(number)

    def _forget(self) -> None:
        """Drop states that nobody wants: not the search, and not who looks into the log."""
        needed = self._search.needed()
        for number in self._states.keys() - needed:
            del self._states[number]
        if self._log is None:
            return
        latest = {number for own in self._by_trial.values() for number in own[-self._num_to_keep :]}
        for number in self._stored - needed - latest:
            self._log.forget(number)
            self._stored.remove(number)

    def searched(self) -> Searched:
        leader = best(self._search.trials)
        if leader is not None and leader.score is not None:
            self._curve.append((self._cpu, self._wall, leader.score))
        number = None if leader is None else leader.best_job
        return Searched(
            self._search,
            None if number is None else self._state(number),
            self._curve,
            self._cpu,
            self._wall,
            self._replayed,
        )
