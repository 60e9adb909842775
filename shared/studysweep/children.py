"""A child process and everything below it: none of it outlives the block that runs it.

Engines start processes in sessions of their own, which no signal to a group reaches, and leave
orphans when a driver is killed. So the whole tree below the child is followed, and what loses its
parent falls to this process (Linux), where it can be found and ended.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import IO

import psutil

GRACE_SECONDS = 15.0
"""From asking to end until killing: an engine stops its workers and frees its memory in it."""

ORPHAN_SECONDS = 2.0
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)
PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str], said: IO[bytes]
) -> Iterator["subprocess.Popen[bytes]"]:
    """The child while it runs; when this is left, by whatever way, none of its processes lives.

    Its standard error goes to `said`, its standard output nowhere.
    """
    _adopt_orphans()
    mine = psutil.Process()
    before = set(mine.children(recursive=True))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # A second interruption must not leave behind what the first one began to stop.
        previous = {number: signal.signal(number, signal.SIG_IGN) for number in INTERRUPTIONS}
        try:
            left = set(mine.children(recursive=True)) - before
            if process.poll() is None:
                process.terminate()
                _wait_for([psutil.Process(process.pid)], GRACE_SECONDS)
            left |= set(mine.children(recursive=True)) - before
            # What has lost its driver works for nobody: it is asked once, and then killed.
            _signal(left, signal.SIGTERM)
            _wait_for(left, ORPHAN_SECONDS)
            _signal(left, signal.SIGKILL)
            process.wait()
            _wait_for(left, GRACE_SECONDS)
            _bury(left)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _wait_for(processes: Iterable[psutil.Process], seconds: float) -> None:
    until = time.monotonic() + seconds
    while any(map(_lives, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _bury(processes: Iterable[psutil.Process]) -> None:
    """Collect the exit codes of adopted orphans, which else stay in the process table."""
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _adopt_orphans() -> None:
    """On Linux, processes whose parent died become this process's children and can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
