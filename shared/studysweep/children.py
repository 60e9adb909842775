"""A child process and everything below it: none of it outlives the block that runs it.

Engines start processes in sessions of their own, which no signal to a group reaches, and leave
orphans when a driver is killed. So the whole tree below the child is followed, and what loses its
parent falls to this process (Linux), where it can be found and ended.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import psutil
from studykit import interrupts, processes

GRACE_SECONDS = 15.0
"""From asking to end until killing: an engine stops its workers and frees its memory in it."""

PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str], said: IO[bytes]
) -> Iterator["subprocess.Popen[bytes]"]:
    """The child while it runs; when this is left, by whatever way, none of its processes lives.

    Its standard error goes to `said`, its standard output nowhere.
    """
    _adopt_orphans()
    before = processes.below()
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
        with interrupts.ignored():
            left = processes.below() - before
            if process.poll() is None:
                process.terminate()
                processes.wait_for([psutil.Process(process.pid)], GRACE_SECONDS)
            left |= processes.below() - before
            processes.end(left)
            process.wait()
            _bury(left)


def _bury(ended: Iterable[psutil.Process]) -> None:
    """Collect the exit codes of adopted orphans, which else stay in the process table."""
    for process in ended:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _adopt_orphans() -> None:
    """On Linux, processes whose parent died become this process's children and can be found."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
