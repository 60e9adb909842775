"""One cell of a sweep: a configuration and a round, run as a child process that leaves a record.

The child is what its user would run by hand. Whatever becomes of it, there is a record afterwards:
its own, or one with the reason why it left none.
"""

import dataclasses
import datetime
import importlib.util
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from studykit import machine, records, storage
from studykit.errors import DataError, ResourceError, TimeLimitError
from studykit.options import Options, Study, configuration
from studykit.phases import STARTED_AT
from studykit.records import DatasetInfo, Record

from studysweep import children

FINISHED = ("done", "wrong", "unchecked", "skipped")
"""Statuses that a sweep does not try again."""


def to_argv(*groups: Any) -> list[str]:
    """Dataclasses of options → the command line that gives them: only what is not a default."""
    argv: list[str] = []
    for group in groups:
        for field in dataclasses.fields(group):
            value = getattr(group, field.name)
            if value == field.default:
                continue
            option = "--" + field.name.replace("_", "-")
            if value is True:
                argv.append(option)
            elif value is False:
                argv.append("--no-" + option[2:])
            else:
                argv += [option, str(value)]
    return argv


@dataclass(frozen=True)
class Cell:
    """`peer`: the engine is a library beside the study's engines, run by `<package>.peers`.

    `hosts`: a file of hosts, on the first `options.nodes` of which the launch script starts it.
    """

    study: Study
    engine: str
    options: Options
    parameters: Any
    round: int
    peer: bool = False
    hosts: str | None = None

    @property
    def config_hash(self) -> str:
        asked = configuration(self.study, self.engine, self.options, self.parameters)
        return records.config_hash(asked)

    @property
    def path(self) -> str:
        return records.path_of(
            self.options.results, self.study.name, self.engine, self.config_hash, self.round
        )

    @property
    def command(self) -> list[str]:
        if self.hosts is not None:
            # Workers and nodes are what the hosts have.
            options = dataclasses.replace(self.options, workers=None, nodes=None)
            chosen = ["--hosts", self.hosts, "--nodes", str(self.options.nodes)]
            return ["bash", self.launcher, *chosen, *to_argv(options, self.parameters)]
        module = ["peers", self.engine] if self.peer else [f"run_{self.engine}"]
        module[0] = f"{self.study.package}.{module[0]}"
        return [sys.executable, "-m", *module, *to_argv(self.options, self.parameters)]

    @property
    def launcher(self) -> str:
        found = importlib.util.find_spec(self.study.package)
        assert found is not None and found.origin is not None
        return str(Path(found.origin).parents[1] / "launch" / f"{self.engine}.sh")

    @property
    def shown(self) -> str:
        """The command as a user would type it."""
        program, *rest = self.command
        return shlex.join(["bash" if program == "bash" else "python", *rest])

    @property
    def label(self) -> str:
        options = self.options
        split = f", split {options.split_size}" if options.split_size else ""
        data = options.data or options.size
        if options.data is None and options.named_store is not None:
            data = f"{data} in {options.named_store}"
        workers = f"{options.workers} × {options.threads}"
        workers += f", nodes {options.nodes}" if options.nodes else ""
        return f"round {self.round}: {data}, {workers}{split}, {self.engine} {options.method}"

    def finished(self) -> Record | None:
        """The record of an earlier run, where there is one that need not be tried again."""
        record = self.record()
        return record if record is not None and record.status in FINISHED else None

    def record(self) -> Record | None:
        if not storage.exists(self.path):
            return None
        try:
            return records.read(self.path)
        except DataError:
            return None

    def forget(self) -> None:
        """Remove the record of an earlier run, where there is one."""
        if storage.exists(self.path):
            storage.remove(self.path)


def run(cell: Cell, dataset: DatasetInfo) -> Record:
    """Run a cell to its record. An interruption ends the child and all its processes, and goes on.

    The child keeps its own time limit and records what it had done by then; one that does not
    end by itself is ended children.GRACE_SECONDS later.
    """
    cell.forget()
    limit = None if cell.options.timeout is None else cell.options.timeout + children.GRACE_SECONDS
    started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with (
        tempfile.TemporaryFile() as said,
        children.child(cell.command, _environment(cell), said) as child,
    ):
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            code = TimeLimitError.exit_code
        if cell.options.debug:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
        written = cell.record()
        if written is not None:
            return written
        status, reason = _verdict(cell, code, _last_words(said))
    record = Record(
        study=cell.study.name,
        engine=cell.engine,
        method=cell.options.method,
        parameters={
            **configuration(cell.study, cell.engine, cell.options, cell.parameters)["parameters"],
            "split_size": cell.options.split_size,
            "device": cell.options.device,
            **({} if cell.options.nodes is None else {"nodes": cell.options.nodes}),
        },
        dataset=dataset,
        workers=cell.options.worker_count,
        threads=cell.options.threads,
        oversubscribed=cell.options.worker_count * cell.options.threads > machine.cores(),
        repeat=cell.round,
        round=cell.round,
        status=status,
        error=reason,
        machine=machine.describe(),
        commit=machine.commit(),
        command=cell.shown,
        started_at=started,
        config_hash=cell.config_hash,
    )
    records.write(record, cell.options.results)
    return record


def _verdict(cell: Cell, code: int, last_words: str) -> tuple[records.Status, str]:
    """Exit code and last words of a child that left no record → status and reason."""
    if code == TimeLimitError.exit_code:
        return "timeout", f"not done within --timeout {cell.options.timeout or 0:g} s"
    if code == ResourceError.exit_code:
        return "skipped", last_words or "cluster or resources unavailable"
    if code < 0:
        name = signal.Signals(-code).name
        return "failed", f"killed by {name}" + (f": {last_words}" if last_words else "")
    if code == 0:
        return "failed", "ended without an error and without a record"
    return "failed", last_words or f"exit code {code}"


def _last_words(said: IO[bytes]) -> str:
    """The command's own line of an error, below which frameworks may go on; else the last line."""
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - (1 << 16)))
    text = said.read().decode(errors="replace")
    lines = [" ".join(line.split()) for line in reversed(text.split("\n")) if line.strip()]
    own = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return next(iter(own + lines), "")


def _environment(cell: Cell) -> dict[str, str]:
    # A folder that is itself a package is on the path because a script of it was run; it is no
    # source root, and would offer its modules under names that are not theirs.
    roots = [path for path in sys.path if path and not (Path(path) / "__init__.py").exists()]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(roots),
        "STUDY_ROUND": str(cell.round),
    }
    environment.pop(STARTED_AT, None)
    if cell.hosts is not None:
        environment.setdefault("STUDY_PYTHON", sys.executable)
    return environment
