"""A run under the rules of a fair comparison: locate, compute, check, write, record.

`execute` owns that order. Only what the engine's `compute` does is timed; check and limit come
after it, with memory not sampled.
"""

import contextlib
import datetime
import functools
import shlex
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from studykit import cli, interrupts, machine, records, showing, storage
from studykit import phases as phase
from studykit.errors import (
    BusyError,
    CheckError,
    ResourceError,
    StudyError,
    TimeLimitError,
    one_line,
)
from studykit.memory import TreeSampler
from studykit.options import Options, Study, configuration, recorded
from studykit.records import PLAIN, Record
from studykit.run import Outcome, Run


def execute(
    study: Study,
    engine: str,
    options: Options,
    parameters: Any,
    compute: Callable[[Run], Outcome | None],
    *,
    sampled_pid: int | None = None,
    sampled: bool = True,
    memory_limit: int | None = None,
    quiet: bool = False,
) -> int:
    """Run `compute` under the rules of a fair comparison; returns the exit code.

    `compute` returns None in a process that only takes part (a torch rank other than the first):
    it writes a record when it fails and none when it does not. `sampled` says whether memory is
    sampled here, of the tree below `sampled_pid` (this process). Where that takes more bytes than
    `memory_limit`, the run ends with a BusyError: for engines that cannot fit into a budget.
    """
    started = datetime.datetime.now(datetime.UTC)
    import_seconds = time.monotonic() - phase.run_started_at()
    if options.dry_run:
        showing.print_plan(study, engine, options, parameters)
        return 0
    rss_before = psutil.Process().memory_info().rss
    with interrupts.limited(options.timeout) as end:
        dataset = study.locate(options, parameters)
        run = Run(study, engine, options, parameters, dataset, quiet=quiet, end=end)
        run.phases.add("start", import_seconds)
        record = _begun(run, started)
        run.write_failed = functools.partial(_write_failed, record, run)
        try:
            run.sampler = sampler = TreeSampler(sampled_pid, _limit_of_memory(memory_limit, end))
            with sampler if sampled else contextlib.nullcontext():
                outcome = compute(run)
                if sampled:
                    sampler.sample()
            if outcome is None:
                return 0
            record.driver_rss_delta_bytes = psutil.Process().memory_info().rss - rss_before
            _finish(record, run, outcome)
        except interrupts.LimitReached as limit:
            run.write_failed(limit.error)
            raise
        except Exception as error:
            run.write_failed(error)
            raise
        host_peaks = outcome.host_peaks or [sampler.peak_bytes]
        record.peak_memory_bytes = sum(host_peaks)
        record.peak_memory_per_host_bytes = max(host_peaks)
        record.cpu_seconds = sampler.cpu_seconds
        uri = records.write(record, options.results)
        _keep_profiles(run, uri)
        showing.report(record, outcome, uri, options)
    if record.status == "wrong":
        raise CheckError(record.error or "the answer failed its check")
    return 0


def _limit_of_memory(limit: int | None, end: Callable[[StudyError], None]) -> Callable[[int], None]:
    """A function to be told how many bytes are in use: more than the limit end the run."""

    def use(found: int) -> None:
        if limit is not None and found > limit:
            end(
                BusyError(
                    f"--memory-limit is {limit:,} bytes, the run needed {found:,}: raise it, or"
                    " take fewer workers or an engine that spills"
                )
            )

    return use


def _begun(run: Run, started: datetime.datetime) -> Record:
    """What is known before anything is done. Of the machine a quiet process, one of several of the
    run, leaves to another what takes time to find out."""
    options, quiet = run.options, run.quiet
    asked = configuration(run.study, run.engine, options, run.parameters)
    number = cli.round_from_environment()
    return Record(
        study=run.study.name,
        engine=run.engine,
        method=options.method,
        parameters={**asked["parameters"], **recorded(options)},
        dataset=run.dataset,
        workers=options.worker_count,
        threads=options.threads,
        oversubscribed=options.worker_count * options.threads > machine.cores(),
        repeat=number,
        round=number,
        status="failed",
        probe_seconds=None if quiet else machine.probe(),
        versions={} if quiet else machine.versions(run.study.packages),
        machine=machine.describe(),
        commit=None if quiet else machine.commit(),
        command=_command_line(),
        started_at=started.isoformat(timespec="seconds"),
        config_hash=records.config_hash(asked),
    )


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
    record.devices = list(
        outcome.devices or ["cpu"] * (1 if run.engine == PLAIN else run.options.worker_count)
    )
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


def _status_of(error: Exception) -> records.Status:
    """A sweep tries again what failed, and not what this machine has not got."""
    if isinstance(error, TimeLimitError):
        return "timeout"
    lasting = isinstance(error, ResourceError) and not isinstance(error, BusyError)
    return "skipped" if lasting else "failed"


def _write_failed(record: Record, run: Run, error: Exception) -> None:
    record.status = _status_of(error)
    record.phases = dict(run.phases.seconds)
    record.wall_seconds = run.phases.wall_seconds
    record.error = one_line(error)
    # The error that is on its way to the person matters more than one about its record.
    with contextlib.suppress(StudyError):
        records.write(record, run.options.results)


def _command_line() -> str:
    main = sys.modules["__main__"].__spec__
    program = f"python -m {main.name}" if main is not None else shlex.quote(sys.argv[0])
    return shlex.join([*program.split(" "), *sys.argv[1:]])


def _keep_profiles(run: Run, record_uri: str) -> None:
    for name, content in run.profiles.items():
        uri = record_uri.removesuffix(".json") + "." + name
        storage.write_bytes(uri, content)
        run.say(f"profile: {uri}")
