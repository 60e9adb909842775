"""The processes below this one: what began since some moment, and how all of it is ended.

Engines start processes in sessions of their own, which no signal to a group reaches; so the tree
is followed instead.
"""

import contextlib
import signal
import time
from collections.abc import Iterable
from collections.abc import Iterator

import psutil

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
        with interrupts_ignored():
            end(below() - before)
        raise


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    previous = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def end(processes: Iterable[psutil.Process]) -> None:
    """Ask each of them and all below to end, then kill what has not."""
    left = set(processes)
    for process in list(left):
        with contextlib.suppress(psutil.NoSuchProcess):
            left |= set(process.children(recursive=True))
    send(left, signal.SIGTERM)
    wait_for(left, ASKED_SECONDS)
    send(left, signal.SIGKILL)
    wait_for(left, KILLED_SECONDS)


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


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
