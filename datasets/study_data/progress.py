"""What a person sees of work that takes longer than two seconds: a bar on standard error."""

import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import DownloadColumn
from rich.progress import Progress as Bar
from rich.progress import TextColumn
from rich.progress import TimeRemainingColumn
from rich.progress import TransferSpeedColumn

PATIENCE_SECONDS = 2.0

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)"""


Moved = Callable[[int], None]
"""Told of so many bytes more, by any thread."""


def counted(report: Progress, total: int) -> Moved:
    """From bytes more to bytes done."""
    lock, done = threading.Lock(), 0

    def moved(count: int) -> None:
        nonlocal done
        with lock:
            done += count
            report(done, total)

    return moved


@contextmanager
def shown(doing: str, expected_bytes: int) -> Iterator[Progress]:
    """A bar that appears when the work has taken as long as a person waits without asking.

    Where standard error is no terminal, one line says what began and one that it ended.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("", total=expected_bytes)
    began, told = time.monotonic(), False

    def report(done: int, total: int) -> None:
        nonlocal told
        if not told and time.monotonic() - began > PATIENCE_SECONDS:
            told = True
            console.print(f"{doing} ({total / 1e9:,.2f} GB)", markup=False)
            if console.is_terminal:
                bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
    if told:
        console.print(f"{doing}: {time.monotonic() - began:.1f} s", markup=False)
