"""One run of one engine as the engine sees it: what was asked, phases to fill, what to hand back.

An engine's function gets a `Run` and returns an `Outcome` (what came out, and how to check it).
What lies around it is in `execution`.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.status import Status

from studykit import cli
from studykit.errors import StudyError, UsageError
from studykit.memory import TreeSampler
from studykit.options import Options, Study
from studykit.phases import Phases
from studykit.records import PLAIN, Check, DatasetInfo, Limit

RECORD_SECONDS = 10.0
"""For the record of a run that has to end: its storage may be what is lost."""

Methods = Mapping[Any, Callable[..., Any]]
"""An engine's functions: {method: function}, or {(task, method): …} in a study of several tasks."""


@dataclass
class Outcome:
    """What an engine hands back. The callables run after the clock has stopped."""

    quality: dict[str, Any]
    check: Callable[[], Check]
    write: Callable[[str], Mapping[str, str]]
    """Answer → URI; returns {name of the output: where it is}."""
    assess: Callable[[], Mapping[str, Any]] | None = None
    """Further quality figures, which the answer itself does not need."""
    limit: Callable[[], Limit] | None = None
    worker_phases: Sequence[Mapping[str, float]] = ()
    bytes_read: int = 0
    bytes_sent: int = 0
    hosts: int = 1
    devices: Sequence[str] = ()
    """Where each worker computed, where that was not the CPU everywhere."""
    host_peaks: Sequence[int] = ()
    """Peak memory in bytes of every host, where the engine had to ask them."""
    unconverged: str | None = None
    """Why the answer is no answer, where the algorithm stopped before it was one."""
    summary: Sequence[RenderableType] = ()


@dataclass
class Run:
    study: Study
    engine: str
    options: Options
    parameters: Any
    dataset: DatasetInfo
    phases: Phases = field(default_factory=Phases)
    quiet: bool = False
    device: str = "cpu"
    """Where the workers of this run compute, the same for all of them: cpu or cuda."""
    profiles: dict[str, bytes] = field(default_factory=dict)
    """{file name: content}, kept beside the record with --profile."""
    sampler: TreeSampler | None = None
    end: Callable[[StudyError], None] = lambda error: None
    """Ends the run with an error, by whatever thread it is called."""
    write_failed: Callable[[Exception], None] = lambda error: None
    """Writes the record of a run that ended with an error."""
    _status: Status | None = None

    @property
    def threads_of_a_worker(self) -> int:
        """Plain is one worker, with the threads of all."""
        return self.options.threads * (self.options.worker_count if self.engine == PLAIN else 1)

    def end_at_once(self, error: StudyError) -> None:
        """For a thread that has waited in vain for the main one, which cannot write the record."""
        writer = threading.Thread(target=self.write_failed, args=(error,), daemon=True)
        writer.start()
        writer.join(RECORD_SECONDS)
        cli.end_at_once(error)

    def chosen(self, methods: Methods) -> Callable[..., Any]:
        """The function for the task and method that were asked for."""
        task, method = self.study.task, self.options.method
        found = methods.get(method if task is None else (getattr(self.parameters, task), method))
        if found is None:
            raise UsageError(f"--method {method}: not on {self.engine}")
        return found

    @contextlib.contextmanager
    def phase(self, name: str, doing: str) -> Iterator[None]:
        """A phase of the record, with its line for the person who waits."""
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            if self.quiet:
                pass
            elif cli.console.is_terminal:
                self._status = stack.enter_context(cli.console.status(doing))
                stack.callback(setattr, self, "_status", None)
            else:
                self.say(f"{doing} …")
            with self.phases(name):
                yield
        self.say(f"{doing}: {time.monotonic() - began:.2f} s")

    @contextlib.contextmanager
    def iterations(self, doing: str) -> Iterator[Callable[[Sequence[Mapping[str, float]]], None]]:
        """The phase in which workers compute and exchange by turns.

        Yields a function to be told, at the end, the seconds of every worker: of the wall time,
        what the slowest of them computed is `compute`, the rest is `communicate`. One plain
        process exchanges nothing: all of it is `compute`.
        """
        told: list[float] = []

        def computed(worker_phases: Sequence[Mapping[str, float]]) -> None:
            told[:] = [seconds.get("compute", 0.0) for seconds in worker_phases]

        try:
            with self.phase("iterations", doing):
                yield computed
        finally:
            # An interrupt may come before there is any.
            wall = self.phases.seconds.pop("iterations", 0.0)
            compute = wall if self.engine == PLAIN else min(max(told, default=0.0), wall)
            self.phases.add("compute", compute)
            if self.engine != PLAIN:
                self.phases.add("communicate", wall - compute)

    def progress(self, text: str) -> None:
        """How far the phase is, on a terminal, in place of the line before."""
        if self._status is not None:
            self._status.update(text)

    def say(self, text: str) -> None:
        if not self.quiet:
            cli.console.print(text, style="dim", markup=False)
