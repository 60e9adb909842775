"""Kernels are compiled, or loaded from the cache, before the clock of the work runs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def warm_up(compile_all: Callable[[], None]) -> None:
    """Call what meets every kernel once: its time belongs to `start`.

    In a thread, because LLVM's callbacks swallow an interrupt that reaches the main thread in them.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(compile_all).result()
