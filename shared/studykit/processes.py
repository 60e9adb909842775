"""The processes below this one: what began since some moment, and how all of it is ended.

Engines start processes in sessions of their own, which no signal to a group reaches; so the tree
is followed instead.
"""

import contextlib
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from collections.abc import Iterator
from types import FrameType

import psutil

ASKED_SECONDS = 2.0
"""From asking to end until killing: who has lost its driver works for nobody."""
KILLED_SECONDS = 10.0
REPEATED_SECONDS = 0.5
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


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
def temporary_folder(prefix: str) -> Iterator[str]:
    """A folder that goes with the block, also where an interrupt comes while it is made."""
    folder = None
    try:
        with interrupts_held():
            folder = tempfile.mkdtemp(prefix=prefix)
        yield folder
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """What comes while the block runs is heard after it."""
    came: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        came.append(number)

    previous = {number: signal.signal(number, keep) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    for heard in came:
        signal.raise_signal(heard)


@contextlib.contextmanager
def interrupts_repeated() -> Iterator[None]:
    """While the block runs, an interrupt is sent again until it has ended the block.

    The interpreter drops what a handler raises within a callback of the interpreter's own; those
    of a fork are where a signal is heard that came during the fork, which takes long in a process
    of some size. It would print what it drops, which is no error here.
    """

    def dropped(lost: "sys.UnraisableHookArgs") -> None:
        if lost.exc_value is None or isinstance(lost.exc_value, Exception):
            print_dropped(lost)

    print_dropped, sys.unraisablehook = sys.unraisablehook, dropped
    receiving, sending = socket.socketpair()
    sending.setblocking(False)
    ended, main = threading.Event(), threading.get_ident()

    def repeat() -> None:
        number = receiving.recv(1)
        while number and number[0] in INTERRUPTS and not ended.wait(REPEATED_SECONDS):
            signal.pthread_kill(main, number[0])

    thread = threading.Thread(target=repeat, daemon=True, name="interrupts")
    previous = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        sys.unraisablehook = print_dropped
        signal.set_wakeup_fd(previous)
        sending.close()
        thread.join()
        receiving.close()


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    previous = {n: signal.signal(n, signal.SIG_IGN) for n in INTERRUPTS}
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
