"""Peak memory and processor time of a whole process tree, sampled while it works.

Memory is the proportional set size (PSS: a page shared by n processes counts 1/n in each), so an
object store or a memory map counts once, however many workers look at it. Reading it makes the
kernel walk the page tables, so samples are spaced to cost at most a twentieth of one core; a peak
shorter than the spacing can be missed.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import psutil

SMALLEST_INTERVAL_SECONDS = 0.05
INTERVAL_PER_COST = 20


def pss_bytes(process: psutil.Process) -> int:
    """Proportional set size in bytes; resident set size where the system has no PSS."""
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", "rb") as rollup:
            for line in rollup:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        pass
    return int(process.memory_info().rss)


class TreeSampler:
    """Samples a process and all its descendants from a thread of this process.

    After the `with` block: `peak_bytes`, and `cpu_seconds` spent by all processes seen since it
    began. `paused()` leaves out work that is not part of the run, such as the check.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._root = psutil.Process(pid)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._pauses = 0
        self._cpu: dict[int, float] = {}
        self._cpu_before: dict[int, float] = {}
        self._thread = threading.Thread(target=self._work, daemon=True, name="memory-sampler")
        self.peak_bytes = 0

    def __enter__(self) -> "TreeSampler":
        self._sample()
        self._cpu_before = dict(self._cpu)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        """User and system seconds of the tree since the block began, up to the last sample."""
        return sum(now - self._cpu_before.get(pid, 0.0) for pid, now in self._cpu.items())

    def sample(self) -> None:
        """Take one sample now, for a moment that is known to be a peak or the end."""
        with self._lock:
            if not self._pauses:
                self._sample()

    @contextmanager
    def paused(self) -> Iterator[None]:
        with self._lock:
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1

    def _work(self) -> None:
        interval = SMALLEST_INTERVAL_SECONDS
        while not self._stop.wait(interval):
            began = time.monotonic()
            self.sample()
            cost = time.monotonic() - began
            interval = max(SMALLEST_INTERVAL_SECONDS, INTERVAL_PER_COST * cost)

    def _sample(self) -> None:
        total = 0
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in tree:
            try:
                total += pss_bytes(process)
                times = process.cpu_times()
                self._cpu[process.pid] = times.user + times.system
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        self.peak_bytes = max(self.peak_bytes, total)
