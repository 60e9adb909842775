"""What a person sees of work that takes longer than two seconds: a bar on standard error."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

PATIENCE_SECONDS = 2.0

Moved = Callable[[int], None]
"""Told of so many bytes more, by any thread."""


@contextmanager
def shown(doing: str, expected_bytes: int) -> Iterator[Moved]:
    """A bar that appears when the work has taken as long as a person waits without asking.

    Where standard error is no terminal, one line says what began and one that it ended.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("", total=expected_bytes)
    began, told, lock = time.monotonic(), False, threading.Lock()

    def moved(count: int) -> None:
        nonlocal told
        with lock:
            if not told and time.monotonic() - began > PATIENCE_SECONDS:
                told = True
                console.print(f"{doing} ({expected_bytes / 1e9:,.2f} GB)", markup=False)
                if console.is_terminal:
                    bar.start()
        bar.advance(task, count)

    try:
        yield moved
    finally:
        if bar.live.is_started:
            bar.stop()
    if told:
        console.print(f"{doing}: {time.monotonic() - began:.1f} s", markup=False)
