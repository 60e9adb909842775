"""Start an entry point as its user would, or call it here where that says the same for less."""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Protocol
from unittest import mock

import psutil

from studytest import leftovers

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1)
LIMIT_SECONDS = 240
"""Far more than any test's run takes on a slow machine; past it the run hangs."""


class Child(Protocol):
    """What was started: a `subprocess.Popen`, or a fork in its place."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> Any: ...
    @property
    def stderr(self) -> IO[str] | None: ...
    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...
    def send_signal(self, number: int, /) -> None: ...


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def record(self) -> dict[str, Any]:
        """The record that --json has printed."""
        found: dict[str, Any] = json.loads(self.stdout)
        return found

    @property
    def error(self) -> str:
        """The one line that says what went wrong."""
        lines = [line for line in self.stderr.splitlines() if line.startswith("error:")]
        assert len(lines) == 1, self.stderr
        return lines[0]


def environment(**variables: str) -> dict[str, str]:
    """For a child that must import what this process imports, and nothing of a launcher's."""
    path = os.pathsep.join(os.path.abspath(part) for part in sys.path if part)
    own = {name: value for name, value in os.environ.items() if not name.startswith("STUDY_")}
    return {
        **own,
        "PYTHONPATH": path,
        "COLUMNS": "200",
        leftovers.MARK: leftovers.SESSION,
        # As a private Ray decides by itself; who joins one has to be told.
        "RAY_AUTH_MODE": "token",
        **variables,
    }


def start(module: str, *argv: object, **variables: str) -> "subprocess.Popen[str]":
    """Start an entry point in a session of its own, so that a signal reaches it alone."""
    return start_python("-m", module, *argv, **variables)


def start_python(*argv: object, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *map(str, argv)],
        stdin=subprocess.PIPE,  # Closed by `finish`.
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**variables),
        start_new_session=True,
        # In the background of a shell interrupts are ignored, and children would inherit that.
        preexec_fn=heed_interrupts,
    )


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process: Child, seconds: float = LIMIT_SECONDS) -> Finished:
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        kill_tree(process.pid)
        stdout, stderr = process.communicate()
        raise AssertionError(f"still running after {seconds} s:\n{stderr}") from None
    return Finished(process.returncode, stdout, stderr)


def run(module: str, *argv: object, **variables: str) -> Finished:
    """Run an entry point to its end."""
    return finish(start(module, *argv, **variables))


def call(module: str, *argv: object, **variables: str) -> Finished:
    """Run an entry point inside this process: far cheaper than a start of its own.

    What its children print is caught too; it must leave the handlers of signals as they were.
    """
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    with (
        tempfile.TemporaryFile("w+", buffering=1) as stdout,
        tempfile.TemporaryFile("w+", buffering=1) as stderr,
    ):
        with (
            mock.patch.dict(os.environ, environment(**variables), clear=True),
            mock.patch.object(sys, "argv", [module, *map(str, argv)]),
            _descriptor(1, stdout),
            _descriptor(2, stderr),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            try:
                importlib.import_module(module).main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        left = {number: signal.getsignal(number) for number in HANDLED}
        for number, handler in handlers.items():
            signal.signal(number, handler)
        assert left == handlers
        stdout.seek(0)
        stderr.seek(0)
        return Finished(code, stdout.read(), stderr.read())


@contextlib.contextmanager
def _descriptor(number: int, file: IO[str]) -> Iterator[None]:
    """What is written to a descriptor, by whoever has it, goes to a file."""
    kept = os.dup(number)
    os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def wait_for_line(process: Child, text: str) -> list[str]:
    """Read standard error up to the first line that contains `text`; returns the lines so far."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"ended without a line '{text}':\n{''.join(lines)}")


def command_lines(pid: int) -> dict[psutil.Process, list[str]]:
    """Of all below a process, without those that are over by now."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found[process] = process.cmdline()
    return found


def interrupt(process: Child, number: signal.Signals) -> Finished:
    """Send a signal to the entry point alone, as a shell or a scheduler does; wait for its end."""
    process.send_signal(number)
    return finish(process, 60)
