"""The processes below this one: what began since some moment, and how all of it is ended; the
folder that they use, and how it is removed.

Engines start processes in sessions of their own, which no signal to a group reaches; so the tree
is followed instead.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator

import psutil

from studykit import interrupts

ASKED_SECONDS = 2.0
"""From asking to end until killing: who has lost its driver works for nobody."""
KILLED_SECONDS = 10.0
REMOVE_AFTER_US = """
while read -r line; do :; done
for second in 1 2 3 4 5; do
    [ -e "$1" ] || exit 0
    rm -rf -- "$1"
    sleep 1
done
"""
"""Looks again, because what outlives this process for a moment may still write to the folder."""


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
    """A folder that goes with the block, also where an interrupt comes while it is made, and with
    this process, also where that is killed and cannot remove it."""
    with interrupts.held():  # Asked for the first time, it tries with a file of its own.
        parent = tempfile.gettempdir()
    # Known before it is there, and by 48 bits of chance nobody else's.
    folder = os.path.join(parent, prefix + secrets.token_urlsafe(6))
    with _removed_after_us(folder):
        try:
            os.mkdir(folder, 0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _removed_after_us(folder: str) -> Iterator[None]:
    """A shell waits for the end of this process, however it comes, to remove what is left."""
    guardian = subprocess.Popen(
        ["/bin/sh", "-c", REMOVE_AFTER_US, "sh", folder],
        # A pipe whose other end no program that this process starts gets: only this process has
        # it, and forks of it, which may use the folder as long as they live.
        stdin=subprocess.PIPE,
        # Whoever reads what this process says shall not wait for the shell's end.
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # What a terminal sends to this process's group is not for it.
    )
    try:
        yield
    finally:
        guardian.communicate()


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
    while any(map(lives, processes)) and time.monotonic() < until:
        time.sleep(0.05)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
