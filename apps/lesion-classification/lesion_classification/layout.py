"""How a table of lesions may be laid out, and what a row of any of them comes to."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from studykit import storage

Labels = npt.NDArray[np.bool_]
Groups = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]


class Row(NamedTuple):
    """One image of a lesion. `image` is a name in the images' folder, or a URI of its own."""

    image: str
    malignant: bool
    lesion: str
    numbers: tuple[float, ...]
    categories: tuple[str, ...]


class Dropped(NamedTuple):
    """A row that is not used, and why."""

    reason: str


class WrongValue(Exception):
    """What is wrong with a row, and in which column."""

    def __init__(self, reason: str, column: str) -> None:
        self.reason, self.column = reason, column
        super().__init__(reason)


@dataclass(frozen=True)
class Layout:
    """`columns` are those that tell it from others, and that it reads; `numbers` and `categories`
    what a row's are called."""

    name: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    row: Callable[[Mapping[str, str]], Row | Dropped]
    """Column → text. WrongValue where it is none that there is."""
    optional: tuple[str, ...] = ()
    """Columns that it reads too, where a table has them."""

    def read_of(self, columns: Collection[str]) -> tuple[str, ...]:
        """What it reads of a table that has these."""
        return *self.columns, *(name for name in self.optional if name in columns)


@dataclass(frozen=True)
class Lesions:
    """The images that are used, n of them, in the order of the table.

    folder: of the images; paths: below it; sizes: {path: bytes}, -1 of one that is not there;
    labels: bool[n], whether malignant; groups: int64[n], the lesion that each shows, by first
    appearance; group_names: of the lesions; numbers, categories: columns of the table; rows: all
    that the table has; dropped: {why not used: rows}.
    """

    folder: str
    paths: Sequence[str]
    labels: Labels
    groups: Groups
    group_names: Sequence[str]
    numbers: Mapping[str, Column]
    categories: Mapping[str, Sequence[str]]
    rows: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.paths)

    def without(self, numbers: Sequence[int]) -> "Lesions":
        """As if the images of these numbers had never been; lesions without one go too."""
        kept = np.setdiff1d(np.arange(len(self)), numbers)
        seen, groups = np.unique(self.groups[kept], return_inverse=True)
        return Lesions(
            self.folder,
            [self.paths[place] for place in kept],
            self.labels[kept],
            groups.astype(np.int64),
            [self.group_names[group] for group in seen],
            {name: column[kept] for name, column in self.numbers.items()},
            {name: [column[place] for place in kept] for name, column in self.categories.items()},
            self.rows,
            self.dropped,
            self.sizes,
        )


def uri_of(folder: str, path: str) -> str:
    """Of an image: below the folder, or where it says itself."""
    return path if path.startswith("/") or "://" in path else storage.join(folder, path)


def number(values: Mapping[str, str], column: str) -> float:
    """WrongValue where it is no finite number."""
    text = values[column].strip()
    try:
        found = float(text)
    except ValueError:
        found = np.nan
    if not np.isfinite(found) or "_" in text:
        raise WrongValue(f"{text!r} is no number", column)
    return found


def one_of(values: Mapping[str, str], column: str, known: Sequence[str]) -> str:
    """WrongValue where it is none of those known."""
    text = values[column].strip()
    if text not in known:
        raise WrongValue(f"{text!r} is none of {', '.join(known)}", column)
    return text


def filled(values: Mapping[str, str], column: str) -> str:
    """WrongValue where it is blank."""
    text = values[column].strip()
    if not text:
        raise WrongValue("a missing value", column)
    return text
