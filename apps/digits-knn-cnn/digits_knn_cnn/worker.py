"""What a worker does: no engine, one process.

In order: `load` its splits, `place` the rows once all workers' are counted, then `search` its
training rows for the nearest to whatever it is asked. Every engine places these functions on its
workers and moves what they return to where it is needed next.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit import compiling, storage
from studykit.partials import Partial, partial
from studykit.storage import Split
from threadpoolctl import threadpool_limits

from digits_knn_cnn import clean_pixels, digits, nearest, voting
from digits_knn_cnn.layout import DigitFormat, Digits, Labels, Pixels, Rows
from digits_knn_cnn.nearest import Nearest, Places

MOST_JUDGED = 10_000
"""Training rows whose own predictions are asked for; of more, a sample."""

Formats = Mapping[str, DigitFormat]
Count = tuple[str, int, int]
"""File, offset of the split, its rows."""


@dataclass(frozen=True)
class Placed:
    """Some rows of the training or of the test part, by their places in it, which ascend.

    places: int64[n]; pixels: [n, side²], bytes where all are; labels: uint8[n].
    """

    places: Places
    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.places)

    @classmethod
    def of(cls, places: Places, pixels: Pixels, labels: Labels) -> "Placed":
        """In the order of the places."""
        order = np.argsort(places, kind="stable")
        return cls(places[order], pixels[order], labels[order])

    @classmethod
    def together(cls, parts: Sequence["Placed"]) -> "Placed":
        return cls.of(
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.pixels for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )


@dataclass(frozen=True)
class Part:
    """What one worker holds: training rows to be searched, and the queries that lay among them."""

    train: Placed
    tests: Placed
    judged: Placed
    """Training rows whose own predictions are asked for."""


def load(splits: Sequence[Split], formats: Formats, threads: int) -> Partial[list[Rows]]:
    """The rows of these splits."""
    return partial("load", _load, splits, formats, threads)


def _load(splits: Sequence[Split], formats: Formats, threads: int) -> list[Rows]:
    with ThreadPoolExecutor(threads) as pool:
        return list(
            storage.map_splits(pool, lambda split: digits.read(split, formats[split.uri]), splits)
        )


def describe(loaded: Partial[list[Rows]]) -> Partial[list[Count]]:
    """How many rows each split had."""
    return loaded.of([(rows.uri, rows.offset, len(rows)) for rows in loaded.result])


def place(
    loaded: Partial[list[Rows]], counts: Sequence[Count], formats: Formats, seed: int
) -> Partial[Part]:
    """Divide what was loaded, by the counts of all splits, into training and test rows."""
    return partial("load", _place, loaded.result, counts, formats, seed)


def _place(loaded: Sequence[Rows], counts: Sequence[Count], formats: Formats, seed: int) -> Part:
    train, tests, train_rows = _divided(loaded, counts, formats)
    own = np.isin(train.places, judged_places(train_rows, seed), assume_unique=True)
    return Part(train, tests, Placed(train.places[own], train.pixels[own], train.labels[own]))


def _divided(
    loaded: Sequence[Rows], counts: Sequence[Count], formats: Formats
) -> tuple[Placed, Placed, int]:
    """The training and the test rows of what was loaded; the training rows of all workers."""
    divided = divide(counts, formats)
    side = next(iter(formats.values())).side
    places = np.concatenate(
        [np.empty(0, np.int64), *(divided[rows.uri, rows.offset] for rows in loaded)]
    )
    pixels = np.concatenate([np.empty((0, side**2), np.uint8), *(rows.pixels for rows in loaded)])
    labels = np.concatenate([np.empty(0, np.uint8), *(rows.labels for rows in loaded)])
    trains = places >= 0
    train = Placed.of(places[trains], pixels[trains], labels[trains])
    tests = Placed.of(-1 - places[~trains], pixels[~trains], labels[~trains])
    return train, tests, sum(int((own >= 0).sum()) for own in divided.values())


def read_parts(splits: Sequence[Split], formats: Formats, threads: int) -> tuple[Digits, Digits]:
    """All training and all test rows of an input, read by this process alone."""
    loaded = _load(splits, formats, threads)
    counts = [(rows.uri, rows.offset, len(rows)) for rows in loaded]
    train, tests, _ = _divided(loaded, counts, formats)
    largest = next(iter(formats.values())).max_pixel
    return Digits(train.pixels, train.labels, largest), Digits(tests.pixels, tests.labels, largest)


def divide(counts: Sequence[Count], formats: Formats) -> dict[tuple[str, int], Places]:
    """{(file, offset of a split): the places of its rows}, as `digits.divide` has them of files."""
    totals: dict[str, int] = {}
    starts = {}
    for uri, offset, rows in sorted(counts):
        starts[uri, offset] = totals.get(uri, 0), totals.get(uri, 0) + rows
        totals[uri] = totals.get(uri, 0) + rows
    places = digits.divide(totals, formats)
    return {key: places[key[0]][start:stop] for key, (start, stop) in starts.items()}


def judged_places(rows: int, seed: int) -> npt.NDArray[np.int64]:
    """All training rows, or a sample of them without repetition, ascending."""
    if rows <= MOST_JUDGED:
        return np.arange(rows)
    drawn = np.random.default_rng(seed % 2**64).choice(rows, MOST_JUDGED, replace=False)
    return np.sort(drawn)


def queries(part: Partial[Part]) -> Partial[tuple[Placed, Placed]]:
    """The test rows and the judged training rows that a worker has read."""
    return part.of((part.result.tests, part.result.judged))


def search(part: Partial[Part], asked: Pixels, k: int) -> Partial[Nearest]:
    """The k nearest of a worker's training rows, of every query [q, side²]."""
    return partial("compute", _search, part.result.train, asked, k)


def _search(train: Placed, asked: Pixels, k: int) -> Nearest:
    distances, found = nearest.search(asked, train.pixels, k)
    return Nearest(distances, train.places[found], train.labels[found])


def warm_up() -> None:
    """Compile, or load from the cache, every kernel: its time belongs to `start`."""
    compiling.warm_up(_meet_every_kernel)
    # Searches go on side by side, one in each thread: BLAS starts none of its own.
    threadpool_limits(1, user_api="blas")


def _meet_every_kernel() -> None:
    data, roles = np.frombuffer(b"5.0,1\n", np.uint8), np.array([0, clean_pixels.LABEL])
    pixels, labels = np.empty((1, 1), np.uint8), np.empty(1, np.uint8)
    clean_pixels.parse(data, 0, roles, 16, pixels, labels)
    nearest.warm_up()
    voting.votes(np.zeros((1, 1), np.uint8))
