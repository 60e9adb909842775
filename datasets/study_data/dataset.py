"""What is known of a data set before it is there: an object in its generator's module."""

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from studykit import storage
from studykit.errors import DataError, ResourceError, UsageError

from study_data.progress import Moved


@dataclass(frozen=True)
class Size:
    """`rows` are what there are many of, lines or images. `bytes` and `sha256` are what the default
    seed gives; other seeds differ by below 1 %."""

    rows: int
    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Located:
    """A data set in a store: what a record says of its input."""

    name: str
    uri: str
    bytes: int
    rows: int
    sha256: str


Blocks = Generator[memoryview, None, None]
Writing = AbstractContextManager[tuple[int, str]]
"""(bytes, sha256) of what was written; it appears once the block has ended well."""


def _no_facts(rows: int, seed: int) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Dataset:
    """A file in the store; of many files it is a `folders.FolderDataset`."""

    name: str
    title: str
    licence: str
    source: str
    schema: str
    sizes: dict[str, Size]
    make: Callable[[int, int], Blocks] | None = None
    """(rows, seed) → the file in pieces; None for what has to be fetched."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """{name: Arrow's name of its type} of a table, in the order of its lines."""
    ending: str = ".csv"
    facts: Callable[[int, int], Mapping[str, Any]] = _no_facts
    """(rows, seed) → what else its sidecar says, for who reads the file without us."""
    prefixes: bool = False
    """Whether a smaller size is the beginning of a larger one: its files are the first ones of the
    larger, in the same order, each the same or, of a table, the beginning."""

    def size(self, name: str) -> Size:
        """UsageError where there is no such size."""
        if name not in self.sizes:
            raise UsageError(f"{self.name} has no size '{name}': choose {', '.join(self.sizes)}")
        return self.sizes[name]

    def asked(self, size: str) -> str:
        """How the command line asks for it."""
        return f"{self.name} --size {size}"

    def proof(self, uri: str) -> str:
        """The file that is there when all of the data set is."""
        return uri

    def writing(self, rows: int, seed: int, uri: str, moved: Moved) -> Writing | None:
        """Makes it at the URI; None for what has to be fetched."""
        return None if self.make is None else _written(self.make(rows, seed), uri, moved)

    def check(self, located: Located, there: int) -> None:
        """DataError where it cannot be what was written, as far as can be seen without reading it;
        its proof has so many bytes."""
        if there != located.bytes:
            raise DataError(
                f"damaged: {there:,} bytes, its sidecar says {located.bytes:,}", uri=located.uri
            )


@contextlib.contextmanager
def _written(blocks: Blocks, uri: str, moved: Moved) -> Iterator[tuple[int, str]]:
    digest = hashlib.sha256()
    with contextlib.closing(blocks), storage.write_atomic(uri) as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
            moved(len(block))
        yield file.tell(), digest.hexdigest()


def require_room(what: str, uri: str, needed: int) -> None:
    """ResourceError where the store says that it has too little room."""
    free = storage.free_bytes(uri)
    if free is not None and free < needed:
        raise ResourceError(
            f"{what} needs {needed / 1e9:,.2f} GB of disk at {uri}, {free / 1e9:,.2f} GB free:"
            " choose another folder (--store) or a smaller size"
        )
