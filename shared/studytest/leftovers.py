"""What a run leaves behind: processes, listening ports, shared memory, files of its own."""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import psutil

MARK = "TEST_SESSION"
"""Environment variable by which everything that this test session starts is known."""
SESSION = uuid.uuid4().hex
kept: set[int] = set()
"""Processes that more than one test uses, which no test leaves behind."""


@contextlib.contextmanager
def nothing_left(seconds: float = 10) -> Iterator[None]:
    """Fails where the block leaves a process, a listening port or shared memory behind.

    Then its processes are killed: what they start later would be taken for the next block's.
    """
    before = _found()
    try:
        yield
        deadline = time.monotonic() + seconds
        while True:
            found = _found()
            left = {kind: sorted(found[kind] - before[kind]) for kind in found}
            if not any(left.values()) or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        assert not any(left.values()), left
    except BaseException:
        for pid in _processes().keys() - {pid for pid, _ in before["processes"]}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise


def _found() -> dict[str, set[Any]]:
    ours = _processes()
    return {
        "processes": set(ours.items()),
        "ports": _ports(ours),
        "shared memory": _shared_memory(ours),
    }


def _processes() -> dict[int, str]:
    """{pid: command} of everything that was started with this session's mark, and their children;
    other sessions' processes may come and go meanwhile."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.pid not in kept and process.environ().get(MARK) == SESSION
            if ours and process.status() != "zombie":
                found[process.pid] = " ".join(process.cmdline())[:120]
    return found


def _ports(ours: Container[int]) -> set[int]:
    """Ports on which this session's processes listen."""
    connections = psutil.net_connections(kind="tcp")
    return {
        connection.laddr.port
        for connection in connections
        if connection.status == psutil.CONN_LISTEN and connection.pid in ours
    }


def _shared_memory(ours: Container[int]) -> set[str]:
    """Files in shared memory, without those that processes of other sessions have mapped.

    Nor semaphores: other sessions' stay for a while when the process is gone that had them mapped.
    """
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return set()
    found = {path.name for path in folder.iterdir() if not path.name.startswith("sem.")}
    for process in psutil.process_iter() if found else ():
        if process.pid not in ours:
            with contextlib.suppress(psutil.Error, OSError):
                maps = Path(f"/proc/{process.pid}/maps").read_text()
                found -= {name for name in found if f"{folder}/{name}" in maps}
    return found
