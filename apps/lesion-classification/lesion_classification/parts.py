"""The unit in which features are computed, kept and gone on with: images that follow each other.

Not so small that a folder of parts cannot be listed, not so large that a killed run loses much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lesion_classification.decoding import Broken

PART = 32
"""Images: a second or two of one core."""
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Part:
    """Features [n, 2048] of those images of a part that are whole, by their numbers in the table;
    the others; and what that cost, in seconds of one thread each."""

    number: int
    numbers: Sequence[int]
    features: NDArray[Any]
    broken: Sequence[Broken] = ()
    bytes_read: int = 0
    waited_seconds: float = 0.0
    decode_seconds: float = 0.0
    inference_seconds: float = 0.0


def size(images: int) -> int:
    """Images of a part of a table of so many."""
    return max(PART, -(-images // MOST_PARTS))


def ranges(images: int) -> list[range]:
    """The numbers of each part's images."""
    step = size(images)
    return [range(start, min(start + step, images)) for start in range(0, images, step)]
