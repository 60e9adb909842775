"""Many files at once, what comes of them in order; large ones alone."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    alone: Callable[[T], bool] = lambda item: False,
) -> Generator[R, None, None]:
    """`work` of every item, in their order; a few results more than threads wait in memory.

    What is long is better done `alone`: by the calling thread, which hears an interrupt at once.
    Whoever stops early waits for what has begun; the rest is not done.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                if alone(item):
                    done: Future[R] = Future()
                    done.set_result(work(item))
                    waiting.append(done)
                else:
                    waiting.append(pool.submit(work, item))
                if len(waiting) > threads + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
