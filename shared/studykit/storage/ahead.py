"""Fetch what will be wanted next while what came before is worked on: a few, so little memory."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)
Fetched = TypeVar("Fetched")


class Ahead(Generic[Item, Fetched]):
    """Fetches items in their order, at most `at_once` ahead of those that were taken."""

    def __init__(
        self, items: Sequence[Item], fetch: Callable[[Item], Fetched], at_once: int
    ) -> None:
        self._fetch, self._at_once = fetch, at_once
        self._waiting = deque(items)
        self._begun: dict[Item, Future[Fetched]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="ahead")
        with self._lock:
            self._begin()

    def _begin(self) -> None:
        while self._waiting and len(self._begun) < self._at_once:
            item = self._waiting.popleft()
            self._begun[item] = self._pool.submit(self._fetch, item)

    def take(self, item: Item) -> Fetched:
        """What was fetched, or fetch it now where it is not under way; raises what that raised."""
        with self._lock:
            under_way = self._begun.pop(item, None)
            if under_way is None and item in self._waiting:
                self._waiting.remove(item)
            self._begin()
        return self._fetch(item) if under_way is None else under_way.result()

    def close(self) -> None:
        """Begin nothing more; what is under way ends by itself."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)


def in_turn(
    items: Sequence[Item], fetch: Callable[[Item], Fetched], at_once: int
) -> Generator[Fetched, None, None]:
    """What was fetched of each item, in their order; who stops early does not wait for more."""
    with closing(Ahead(items, fetch, at_once)) as ahead:
        for item in items:
            yield ahead.take(item)
