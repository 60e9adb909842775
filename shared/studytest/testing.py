"""What every study's tests need: start it as its user would, and see what is left afterwards.

A study supplies valid input and its answer; `BAD_TEXT` below holds the damages that every reader
of text has to name.
"""

import contextlib
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

MARK = "TEST_SESSION"
"""Environment variable by which everything that this test session starts is known."""
_SESSION = uuid.uuid4().hex

LIMIT_SECONDS = 240
"""Far more than any test's run takes on a slow machine; past it the run hangs."""


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
    path = os.pathsep.join(part for part in sys.path if part)
    own = {name: value for name, value in os.environ.items() if not name.startswith("STUDY_")}
    return {**own, "PYTHONPATH": path, "COLUMNS": "200", MARK: _SESSION, **variables}


def start(module: str, *argv: object, **variables: str) -> "subprocess.Popen[str]":
    """Start an entry point in a session of its own, so that a signal reaches it alone."""
    return start_python("-m", module, *argv, **variables)


def start_python(*argv: object, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *map(str, argv)],
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


def finish(process: "subprocess.Popen[str]", seconds: float = LIMIT_SECONDS) -> Finished:
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


def call(module: str, *argv: object) -> Finished:
    """Run an entry point inside this process, for what it does or refuses without any other: far
    cheaper than a start of its own."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, COLUMNS="200"),
        mock.patch.object(sys, "argv", [module, *map(str, argv)]),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            importlib.import_module(module).main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Finished(code, stdout.getvalue(), stderr.getvalue())


def kill_tree(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def wait_for_line(process: "subprocess.Popen[str]", text: str) -> list[str]:
    """Read standard error up to the first line that contains `text`; returns the lines so far."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"ended without a line '{text}':\n{''.join(lines)}")


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def interrupt(process: "subprocess.Popen[str]", number: signal.Signals) -> Finished:
    """Send a signal to the entry point alone, as a shell or a scheduler does; wait for its end."""
    process.send_signal(number)
    return finish(process, 60)


@contextlib.contextmanager
def nothing_left(seconds: float = 10) -> Iterator[None]:
    """Fails where the block leaves a process, a listening port or shared memory behind."""
    processes, ports, memory = _processes(), _ports(), _shared_memory()
    yield
    deadline = time.monotonic() + seconds
    while True:
        left = {
            "processes": sorted(set(_processes().items()) - set(processes.items())),
            "ports": sorted(_ports() - ports),
            "shared memory": sorted(_shared_memory() - memory),
        }
        if not any(left.values()) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert not any(left.values()), left


def _processes() -> dict[int, str]:
    """{pid: command} of everything that was started with this session's mark, and their children;
    other sessions' processes may come and go meanwhile."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == _SESSION and process.status() != "zombie":
                found[process.pid] = " ".join(process.cmdline())[:120]
    return found


def _ports() -> set[int]:
    """Ports on which this session's processes listen."""
    ours = _processes()
    connections = psutil.net_connections(kind="tcp")
    return {
        connection.laddr.port
        for connection in connections
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours
    }


def _shared_memory() -> set[str]:
    """Files in shared memory, without those that processes of other sessions have mapped."""
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return set()
    found = {path.name for path in folder.iterdir()}
    ours = _processes()
    for process in psutil.process_iter():
        if found and process.pid not in ours:
            with contextlib.suppress(psutil.Error, OSError):
                maps = Path(f"/proc/{process.pid}/maps").read_text()
                found -= {name for name in found if f"{folder}/{name}" in maps}
    return found


BAD_TEXT: dict[str, tuple[bytes, int | None]] = {
    "empty file": (b"", None),
    "blank lines only": (b"\n\n\r\n", None),
    "NUL bytes": (b"1,2\n3,\x004\n", 2),
    "three columns": (b"1,2\n3,4,5\n6,7\n", 2),
    "one column": (b"1,2\n3\n", 2),
    "a letter in a number": (b"1,2\n2,3\n3,4x\n", 3),
    "a quoted line break": (b'1,2\n"3\n",4\n', 2),
    "truncated last line": (b"1,2\n3,4\n5,", 3),
}
"""name → (content of two integer columns, the line to be named)."""
