"""Fetching ahead: the right items, few at once, and errors where they belong."""

import threading

import pytest
from studykit.storage.ahead import Ahead, in_turn


class Source:
    """Fetches numbers, remembers which, and fails on request."""

    def __init__(self, *bad: int) -> None:
        self.fetched: list[int] = []
        self._bad = bad
        self._lock = threading.Lock()

    def __call__(self, item: int) -> str:
        with self._lock:
            self.fetched.append(item)
        if item in self._bad:
            raise OSError(f"no {item}")
        return f"item {item}"


def test_items_come_in_any_order_and_are_fetched_once() -> None:
    source = Source()
    ahead = Ahead(range(20), source, 3)
    order = [*range(0, 20, 2), *range(19, 0, -2)]
    assert [ahead.take(item) for item in order] == [f"item {item}" for item in order]
    assert sorted(source.fetched) == list(range(20))


def test_no_more_than_the_limit_are_fetched_before_one_is_taken() -> None:
    source = Source()
    ahead = Ahead(range(20), source, 3)
    assert ahead.take(0) == "item 0"
    ahead.take(1)
    ahead.close()
    # Two were taken, so at most three more were begun.
    assert {0, 1} <= set(source.fetched) <= set(range(5))


def test_an_error_belongs_to_its_item() -> None:
    ahead = Ahead(range(4), Source(1), 2)
    assert ahead.take(0) == "item 0"
    with pytest.raises(OSError, match="no 1"):
        ahead.take(1)
    assert ahead.take(2) == "item 2"


def test_what_is_not_among_the_items_is_fetched_at_once() -> None:
    assert Ahead(range(2), Source(), 2).take(9) == "item 9"


def test_many_threads_take_each_item_once() -> None:
    source = Source()
    ahead = Ahead(range(200), source, 4)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda k=k: found.extend(ahead.take(i) for i in range(k, 200, 8)))
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"item {item}" for item in range(200))
    assert sorted(source.fetched) == list(range(200))


def test_who_takes_them_in_turn_and_stops_early_has_few_more_fetched() -> None:
    source = Source()
    taken = in_turn(range(20), source, 3)
    assert [next(taken) for _ in range(2)] == ["item 0", "item 1"]
    taken.close()
    assert {0, 1} <= set(source.fetched) <= set(range(5))
    assert list(in_turn(range(20), source, 3)) == [f"item {item}" for item in range(20)]
