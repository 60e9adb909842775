"""What the driver of a search knows, on any engine: the queries, and what was found for them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from studykit.errors import DataError
from studykit.partials import Partial
from studykit.run import Run

from digits_knn_cnn import nearest, voting, worker
from digits_knn_cnn.layout import Pixels, Rows
from digits_knn_cnn.nearest import Nearest
from digits_knn_cnn.voting import Predictions
from digits_knn_cnn.worker import Count, Formats, Part, Placed

BATCH = 2048
"""Queries of a call: so many that converting the training rows costs nothing beside the search."""


@dataclass(frozen=True)
class Answer:
    """Labels of the test rows and of the judged training rows, and what each k predicts of them.

    `predicted` and `predicted_judged` are uint8[largest k, rows].
    """

    train_rows: int
    tests: Placed
    judged: Placed
    predicted: Predictions
    predicted_judged: Predictions


@dataclass(frozen=True)
class Queries:
    """The test rows and the judged training rows of all workers, each in its order."""

    train_rows: int
    tests: Placed
    judged: Placed

    @classmethod
    def of(cls, train_rows: int, parts: Sequence[Partial[tuple[Placed, Placed]]]) -> "Queries":
        tests, judged = zip(*(part.result for part in parts), strict=True)
        return cls(train_rows, Placed.together(tests), Placed.together(judged))

    def __len__(self) -> int:
        return len(self.tests) + len(self.judged)

    def batches(self, threads: int, most: int = BATCH) -> list[Pixels]:
        """All of them in pieces of about the same size, one at least for every thread."""
        pixels = np.concatenate([self.tests.pixels, self.judged.pixels])
        count = max(math.ceil(len(pixels) / most), 1)
        count = math.ceil(count / threads) * threads
        return [piece for piece in np.array_split(pixels, count) if len(piece)]

    def answer(self, predicted: Sequence[Predictions]) -> Answer:
        """Of what was predicted of the batches, in their order."""
        whole = np.concatenate(predicted, axis=1)
        first, rest = whole[:, : len(self.tests)], whole[:, len(self.tests) :]
        return Answer(self.train_rows, self.tests, self.judged, first, rest)


def predicted(found: Sequence[Partial[Nearest]], k: int) -> Predictions:
    """For one batch, from the nearest that each worker has found."""
    return voting.votes(nearest.merge([part.result for part in found], k).labels)


def training_rows(run: Run, counts: Sequence[Count], formats: Formats) -> int:
    """How many there are in all. DataError where that is no more than the neighbours asked for."""
    rows = sum(int((own >= 0).sum()) for own in worker.divide(counts, formats).values())
    require_neighbours(run, rows)
    return rows


def require_neighbours(run: Run, rows: int) -> None:
    """DataError where there are no more training rows than the neighbours asked for."""
    if run.parameters.neighbours >= rows:
        raise DataError(
            f"--neighbours {run.parameters.neighbours}: there are {rows} training rows, ask for"
            " fewer neighbours",
            uri=run.dataset.uri,
        )


def counts_of(described: Sequence[Partial[list[Count]]]) -> list[Count]:
    return [count for part in described for count in part.result]


def place(
    loaded: Partial[list[Rows]],
    described: Sequence[Partial[list[Count]]],
    formats: Formats,
    seed: int,
) -> Partial[Part]:
    """`worker.place` of what the workers have counted, without the driver in between."""
    return worker.place(loaded, counts_of(described), formats, seed)


def bytes_sent(run: Run, asked: Queries, found: int) -> int:
    """What went to the workers and came back, from the sizes of what is exchanged.

    Every worker gets all queries, and hands back of each a distance, a place and a label for every
    neighbour; before that, the queries came from the workers that read them.
    """
    pixels = asked.tests.pixels.nbytes + asked.judged.pixels.nbytes
    rows = len(asked)
    back = rows * run.parameters.neighbours * (8 + 8 + 1)
    return pixels + 9 * rows + found * (pixels + back)
