"""Pictures of one part of a data set, and how one part is divided into two.

A division is seeded and stratified: of every class its share is held out, of its own order drawn
by the seed, so that the parts of a small set have all classes. The order of what is left is that of
the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

SIDE = 32
CHANNELS = 3
HELD_OUT = 0.2
"""Of the training part, to validate on; of the whole, to test on where nobody has divided it."""

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pictures:
    """Of one part: pixels uint8[n, 32, 32, 3], labels int64[n] by which `classes` are counted.

    `part` says in words where they come from, for instance that a part was divided here."""

    pixels: Pixels
    labels: Labels
    classes: Sequence[str]
    part: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, places: npt.NDArray[np.int64], part: str) -> "Pictures":
        return replace(self, pixels=self.pixels[places], labels=self.labels[places], part=part)

    @property
    def chance(self) -> float:
        """The accuracy of always saying the class that is most frequent here."""
        return float(np.bincount(self.labels).max() / len(self.labels))


def require_classes(pictures: Pictures, uri: str) -> None:
    """DataError where it has one class only, or a class without a picture."""
    if len(pictures.classes) < 2:
        reason = f"one class only, {pictures.classes[0]!r}: there is nothing to tell apart"
        raise DataError(reason, uri=uri)
    counts = np.bincount(pictures.labels, minlength=len(pictures.classes))
    empty = [name for name, count in zip(pictures.classes, counts, strict=True) if not count]
    if empty:
        names = ", ".join(map(repr, empty))
        raise DataError(f"no picture of the class {names} in {pictures.part}", uri=uri)


def divided(
    pictures: Pictures, seed: int, parts: tuple[str, str], share: float = HELD_OUT
) -> tuple[Pictures, Pictures]:
    """(what is left, what is held out), named as `parts` says, in the order of the data.

    DataError where a class has fewer than two pictures."""
    rng = np.random.default_rng(seed % 2**64)
    held_out = np.zeros(len(pictures), bool)
    for label, name in enumerate(pictures.classes):
        places = np.flatnonzero(pictures.labels == label)
        if len(places) < 2:
            count = f"{len(places)} picture of the class {name!r}"
            raise DataError(f"{count} in {pictures.part}: two or more are needed to divide them")
        drawn = rng.permutation(len(places))[: max(round(share * len(places)), 1)]
        held_out[places[drawn]] = True
    left = pictures.at(np.flatnonzero(~held_out), parts[0])
    return left, pictures.at(np.flatnonzero(held_out), parts[1])


def validation_split(train: Pictures, seed: int) -> tuple[Pictures, Pictures]:
    """(to train on, to validate on): a fifth of the training part is held out."""
    return divided(train, seed, ("train", "validation"))
