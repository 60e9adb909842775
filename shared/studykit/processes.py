"""The processes below this one: what began since some moment, and how all of it is ended.

Engines start processes in sessions of their own, which no signal to a group reaches; so the tree
is followed instead.
"""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator

import psutil

from studykit import interrupts

ASKED_SECONDS = 2.0
"""From asking to end until killing: who has lost its driver works for nobody."""
KILLED_SECONDS = 10.0


def below() -> set[psutil.Process]:
    """All descendants of this process."""
    return set(psutil.Process().children(recursive=True))


@contextlib.contextmanager
def ended_on_error() -> Iterator[None]:
    """Whatever the block has started is ended where an error or an interrupt ends the block."""
    before = below()
    try:
        yield
    except BaseException:
        # A second interrupt must not leave behind what the first one began to stop.
        with interrupts.ignored():
            end(below() - before)
        raise


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[str]:
    """A folder that goes with the block, also where an interrupt comes while it is made."""
    # Known before it is there, and by 48 bits of chance nobody else's.
    folder = os.path.join(tempfile.gettempdir(), prefix + secrets.token_urlsafe(6))
    try:
        os.mkdir(folder, 0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def end(processes: Iterable[psutil.Process]) -> None:
    """Ask each of them and all below to end, then kill what has not."""
    left = set(processes)
    for process in list(left):
        with contextlib.suppress(psutil.NoSuchProcess):
            left |= set(process.children(recursive=True))
    for number, seconds in ((signal.SIGTERM, ASKED_SECONDS), (signal.SIGKILL, KILLED_SECONDS)):
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        wait_for(left, seconds)


def wait_for(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Return when all have ended, or after so many seconds."""
    until = time.monotonic() + seconds
    while any(map(_lives, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
