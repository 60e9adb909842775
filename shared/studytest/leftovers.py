"""What a run leaves behind: processes, listening ports, shared memory, files of its own."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "TEST_SESSION"
"""Environment variable by which everything that this test session starts is known."""
SESSION = uuid.uuid4().hex


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
            if process.environ().get(MARK) == SESSION and process.status() != "zombie":
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
