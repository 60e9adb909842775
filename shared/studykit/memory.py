"""Peak memory and processor time of a whole process tree, sampled while it works.

Memory is the proportional set size (PSS: a page shared by n processes counts 1/n in each), so an
object store or a memory map counts once, however many workers look at it. Reading it makes the
kernel walk the page tables, so samples are spaced to cost at most a twentieth of one core; a peak
shorter than the spacing can be missed.
"""

import threading
import time
from collections.abc import Callable

import psutil

SMALLEST_INTERVAL_SECONDS = 0.05
INTERVAL_PER_COST = 20


def pss_bytes(process: psutil.Process) -> int:
    """Proportional set size in bytes; resident set size where the system has no PSS."""
    try:
        memory = process.memory_full_info()
    except psutil.AccessDenied:
        memory = process.memory_info()
    return int(getattr(memory, "pss", memory.rss))


class TreeSampler:
    """Samples a process and all its descendants from a thread of this process.

    After the `with` block: `peak_bytes`, and `cpu_seconds` spent by all processes seen since it
    began. `watch(bytes)` is called with what every sample has found.
    """

    def __init__(
        self, pid: int | None = None, watch: Callable[[int], None] = lambda total: None
    ) -> None:
        self._root, self._watch = psutil.Process(pid), watch
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._cpu: dict[int, float] = {}
        self._cpu_before: dict[int, float] = {}
        self._thread = threading.Thread(target=self._work, daemon=True, name="memory-sampler")
        self.peak_bytes = 0

    def __enter__(self) -> "TreeSampler":
        self.sample()
        self._cpu_before = dict(self._cpu)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def cpu_seconds(self) -> float:
        """User and system seconds of the tree since the block began, up to the last sample."""
        return sum(now - self._cpu_before.get(pid, 0.0) for pid, now in self._cpu.items())

    def sample(self) -> None:
        """Take one sample now, for a moment that is known to be a peak or the end."""
        with self._lock:
            total = self._measured()
            self.peak_bytes = max(self.peak_bytes, total)
        self._watch(total)

    def _work(self) -> None:
        interval = SMALLEST_INTERVAL_SECONDS
        while not self._stop.wait(interval):
            began = time.monotonic()
            self.sample()
            cost = time.monotonic() - began
            interval = max(SMALLEST_INTERVAL_SECONDS, INTERVAL_PER_COST * cost)

    def _measured(self) -> int:
        total = 0
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for process in tree:
            try:
                total += pss_bytes(process)
                times = process.cpu_times()
                self._cpu[process.pid] = times.user + times.system
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return total
