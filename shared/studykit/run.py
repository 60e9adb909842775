"""One run of one engine: locate the input, compute, check, write the answer, write the record.

`execute` owns that order; an engine's `compute` gets a `Run` (what was asked, the input, the
phases to fill, a line for the person) and returns an `Outcome` (what came out, and how to check
it). Only what `compute` does is timed; check and limit come after it, with memory not sampled.
"""

import contextlib
import cProfile
import dataclasses
import datetime
import io
import pstats
import shlex
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import psutil
from rich.console import RenderableType
from rich.status import Status
from rich.table import Table

from studykit import cli
from studykit import machine
from studykit import phases as phase
from studykit import records
from studykit import storage
from studykit.errors import CheckError
from studykit.errors import StudyError
from studykit.errors import TimeLimitError
from studykit.memory import TreeSampler
from studykit.options import Options
from studykit.options import Study
from studykit.options import configuration
from studykit.records import Check
from studykit.records import DatasetInfo
from studykit.records import Limit
from studykit.records import Record


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
    phases: phase.Phases = field(default_factory=phase.Phases)
    quiet: bool = False
    profiles: dict[str, bytes] = field(default_factory=dict)
    """{file name: content}, kept beside the record with --profile."""
    sampler: TreeSampler | None = None
    _status: Status | None = None

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
    def profiled(self) -> Iterator[None]:
        """With --profile, where the time of this thread goes; for an engine without a timeline."""
        if not self.options.profile:
            yield
            return
        profile = cProfile.Profile()
        with profile:
            yield
        text = io.StringIO()
        pstats.Stats(profile, stream=text).sort_stats("cumulative").print_stats(60)
        self.profiles["profile.txt"] = text.getvalue().encode()

    def progress(self, text: str) -> None:
        """How far the phase is, on a terminal, in place of the line before."""
        if self._status is not None:
            self._status.update(text)

    def say(self, text: str) -> None:
        if not self.quiet:
            cli.console.print(text, style="dim", markup=False)


def execute(
    study: Study,
    engine: str,
    options: Options,
    parameters: Any,
    compute: Callable[[Run], Outcome | None],
    *,
    sampled_pid: int | None = None,
    sampled: bool = True,
    quiet: bool = False,
) -> int:
    """Run `compute` under the rules of a fair comparison; returns the exit code.

    `compute` returns None in a process that only takes part (a torch rank other than the first):
    it writes a record when it fails and none when it does not. `sampled` says whether memory is
    sampled here, of the tree below `sampled_pid` (this process).
    """
    started = datetime.datetime.now(datetime.UTC)
    import_seconds = time.monotonic() - phase.run_started_at()
    if options.dry_run:
        _print_plan(study, engine, options, parameters)
        return 0
    repeat, round_number = cli.repeat_from_environment()
    rss_before = psutil.Process().memory_info().rss
    dataset = study.locate(options, parameters)
    run = Run(study, engine, options, parameters, dataset, quiet=quiet)
    run.phases.add("start", import_seconds)
    asked = configuration(study, engine, options, parameters)
    record = Record(
        study=study.name,
        engine=engine,
        method=options.method,
        parameters={**asked["parameters"], **_common_parameters(options)},
        dataset=dataset,
        workers=options.worker_count,
        threads=options.threads,
        oversubscribed=options.worker_count * options.threads > machine.cores(),
        repeat=repeat,
        round=round_number,
        status="failed",
        probe_seconds=None if quiet else machine.probe(),
        versions={} if quiet else machine.versions(study.packages),
        machine=machine.describe(),
        commit=None if quiet else machine.commit(),
        command=_command_line(),
        started_at=started.isoformat(timespec="seconds"),
        config_hash=records.config_hash(asked),
    )
    run.sampler = sampler = TreeSampler(sampled_pid)
    try:
        with sampler if sampled else contextlib.nullcontext():
            outcome = compute(run)
            if sampled:
                sampler.sample()
        if outcome is None:
            return 0
        record.driver_rss_delta_bytes = psutil.Process().memory_info().rss - rss_before
        _finish(record, run, outcome)
    except StudyError as error:
        record.status = "timeout" if isinstance(error, TimeLimitError) else record.status
        _write_failed(record, run, error, options)
        raise
    except Exception as error:
        _write_failed(record, run, error, options)
        raise
    host_peaks = outcome.host_peaks or [sampler.peak_bytes]
    record.peak_memory_bytes, record.peak_memory_per_host_bytes = sum(host_peaks), max(host_peaks)
    record.cpu_seconds = sampler.cpu_seconds
    uri = records.write(record, options.results)
    _keep_profiles(run, uri)
    _report(record, outcome, uri, options)
    if record.status == "wrong":
        raise CheckError(record.error or "the answer failed its check")
    return 0


def _finish(record: Record, run: Run, outcome: Outcome) -> None:
    """Write the answer, check it, and fill in what the run has shown."""
    options = run.options
    if options.out is not None:
        with run.phase("write", f"writing {options.out}"):
            record.outputs = dict(outcome.write(options.out))
    record.quality = outcome.quality
    record.worker_phases = phase.over_workers(outcome.worker_phases)
    record.bytes_read, record.bytes_sent = outcome.bytes_read, outcome.bytes_sent
    record.hosts = outcome.hosts
    record.status = "done"
    if outcome.assess is not None:
        with run.phase("check", "assessing the answer"):
            record.quality |= outcome.assess()
    if options.check:
        with run.phase("check", "checking against the oracle"):
            record.check = outcome.check()
        if record.check.passed is False:
            record.status = "wrong"
            record.error = f"the answer failed its check ({record.check.oracle}):" + "".join(
                f" {name} {value}" for name, value in record.check.detail.items()
            )
    elif options.method != "published":
        record.status = "unchecked"
    if outcome.unconverged is not None:
        record.status, record.error = "wrong", outcome.unconverged
    if outcome.limit is not None:
        record.limit = outcome.limit()
    record.phases = dict(run.phases.seconds)
    record.wall_seconds = run.phases.wall_seconds


def _write_failed(record: Record, run: Run, error: Exception, options: Options) -> None:
    record.phases = dict(run.phases.seconds)
    record.wall_seconds = run.phases.wall_seconds
    record.error = " ".join(str(error).split()) or type(error).__name__
    # The error that is on its way to the person matters more than one about its record.
    with contextlib.suppress(StudyError):
        records.write(record, options.results)


def _common_parameters(options: Options) -> dict[str, Any]:
    names = ("seed", "data_seed", "split_size", "device", "memory_limit", "address")
    return {name: getattr(options, name) for name in names}


def _command_line() -> str:
    main = sys.modules["__main__"].__spec__
    program = f"python -m {main.name}" if main is not None else shlex.quote(sys.argv[0])
    return shlex.join([*program.split(" "), *sys.argv[1:]])


def _keep_profiles(run: Run, record_uri: str) -> None:
    for name, content in run.profiles.items():
        uri = record_uri.removesuffix(".json") + "." + name
        storage.write_bytes(uri, content)
        run.say(f"profile: {uri}")


def _print_plan(study: Study, engine: str, options: Options, parameters: Any) -> None:
    asked = configuration(study, engine, options, parameters)
    table = Table(title=f"{study.name} on {engine}: what would be done", show_header=False)
    table.add_row("read", asked["data"])
    if options.data is None:
        table.add_row("made first, if missing, in", options.store or "the user's cache folder")
    table.add_row("run", f"{options.method}, {options.worker_count} workers × {options.threads}")
    for name, value in dataclasses.asdict(parameters).items():
        table.add_row(name.replace("_", " "), str(value))
    table.add_row("answer", options.out or "not kept (--out URI)")
    hashed = records.config_hash(asked)
    path = records.path_of(options.results, study.name, engine, hashed, 0)
    table.add_row("record", path)
    cli.console.print(table)


def _report(record: Record, outcome: Outcome, uri: str, options: Options) -> None:
    if options.json:
        print(record.model_dump_json(indent=2))
    for part in outcome.summary:
        cli.console.print(part)
    table = Table(title=f"{record.study} on {record.engine}: {record.status}", show_header=False)
    for name, seconds in record.phases.items():
        table.add_row(name, f"{seconds:8.2f} s")
    table.add_row("wall (without check)", f"{record.wall_seconds:8.2f} s")
    if record.limit is not None:
        table.add_row("limit of this machine", f"{record.limit.seconds:8.2f} s")
    table.add_row("peak memory", f"{(record.peak_memory_bytes or 0) / 1e6:8.0f} MB")
    cli.console.print(table)
    for name, where in {**record.outputs, "record": uri}.items():
        cli.console.print(f"{name}: {where}", markup=False)
