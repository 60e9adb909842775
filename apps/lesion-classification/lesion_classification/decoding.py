"""From the names of images to pixels, a batch at a time: fetched ahead, decoded where computed.

    pipeline = Pipeline(folder, paths, decode, threads, work, begin, skip_broken=False)
    for done in pipeline.over(batches): …
    pipeline.close()

The one idea: as many threads as the worker has cores decode a batch and compute on it, one after
the other, so no core is used that is not the worker's and none waits for another. Only fetching
has threads of its own: they wait for a disk or a server, a few batches ahead. What is in memory
are the batches that are under way, however many there are.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from studykit import storage
from studykit.errors import DataError, StorageError

from lesion_classification.layout import uri_of

Decode = Callable[[bytes, str], NDArray[np.uint8]]
Done = TypeVar("Done")

FETCHED_AT_ONCE = 24
"""From a server, which makes one wait for every small file; of a disk two are enough."""


@dataclass(frozen=True)
class Broken:
    """An image that cannot be read: its number among all, its path, and what is wrong."""

    number: int
    path: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Images by their numbers, decoded: uint8[len(numbers), side, side, 3]; and those broken."""

    numbers: Sequence[int]
    pixels: NDArray[np.uint8]
    broken: Sequence[Broken]
    bytes_read: int
    waited_seconds: float
    decode_seconds: float


class Pipeline(Generic[Done]):
    """Does `work` on batches of images, several side by side."""

    def __init__(
        self,
        folder: str,
        paths: Sequence[str],
        decode: Decode,
        threads: int,
        work: Callable[[Batch], Done],
        begin: Callable[[], None],
        *,
        skip_broken: bool,
    ) -> None:
        """`begin` is called by each thread before its first batch. Broken images are told of in
        their batch, or raise their DataError."""
        self._folder, self._paths, self._decode, self._work = folder, paths, decode, work
        self._skip_broken = skip_broken
        at_once = 2 if storage.is_local(folder) else FETCHED_AT_ONCE
        self._fetching = ThreadPoolExecutor(at_once, "fetch")
        self._working = ThreadPoolExecutor(threads, "work", begin)
        self._threads = threads
        self._files_ahead = at_once

    def close(self) -> None:
        """Wait for what is under way; begin nothing more."""
        self._working.shutdown(cancel_futures=True)
        self._fetching.shutdown(cancel_futures=True)

    def over(self, batches: Iterable[Sequence[int]]) -> Generator[Done, None, None]:
        """What `work` made of each batch of images' numbers, in the order of the batches.

        What a batch raises is raised here, when its turn comes; then the others are given up.
        """
        under_way: deque[Future[Done]] = deque()
        try:
            for numbers in batches:
                # Those in work, and enough behind them that fetching goes on.
                ahead = self._threads + -(-self._files_ahead // max(len(numbers), 1))
                while len(under_way) > ahead:
                    yield under_way.popleft().result()
                under_way.append(self._begin(numbers))
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()

    def _begin(self, numbers: Sequence[int]) -> Future[Done]:
        fetched = [self._fetching.submit(self._fetch, number) for number in numbers]
        return self._working.submit(lambda: self._work(self._decoded(numbers, fetched)))

    def _fetch(self, number: int) -> bytes:
        uri = self._uri(number)
        try:
            return storage.read_bytes(uri)
        except StorageError as error:
            # A table that names an image that is not there is wrong; a store that is down is not.
            if isinstance(error.__cause__, FileNotFoundError):
                raise DataError("this image is missing", uri=uri) from error
            raise

    def _uri(self, number: int) -> str:
        return uri_of(self._folder, self._paths[number])

    def _decoded(self, numbers: Sequence[int], fetched: Sequence[Future[bytes]]) -> Batch:
        whole: list[int] = []
        pixels: list[NDArray[np.uint8]] = []
        broken: list[Broken] = []
        size, waited, spent = 0, 0.0, 0.0
        for number, future in zip(numbers, fetched, strict=True):
            began = time.perf_counter()
            try:
                content = future.result()
                waited -= began - (began := time.perf_counter())
                size += len(content)
                pixels.append(self._decode(content, self._uri(number)))
                whole.append(number)
            except DataError as error:
                if not self._skip_broken:
                    raise
                broken.append(Broken(number, self._paths[number], error.reason))
            spent += time.perf_counter() - began
        stacked = np.stack(pixels) if pixels else np.empty((0, 0, 0, 3), np.uint8)
        return Batch(whole, stacked, broken, size, waited, spent)
