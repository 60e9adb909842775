"""What is known of a data set before it is there: an object in its generator's module."""

from collections.abc import Callable
from collections.abc import Generator
from dataclasses import dataclass

from studykit import storage
from studykit.errors import ResourceError
from studykit.errors import UsageError


@dataclass(frozen=True)
class Size:
    """`bytes` and `sha256` are what the default seed gives; other seeds differ by below 1 %."""

    rows: int
    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Dataset:
    name: str
    title: str
    licence: str
    source: str
    schema: str
    sizes: dict[str, Size]
    make: Callable[[int, int], Generator[memoryview, None, None]] | None = None
    """(rows, seed) → the file in pieces; None where it has to be fetched."""

    def size(self, name: str) -> Size:
        """UsageError where there is no such size."""
        if name not in self.sizes:
            raise UsageError(f"{self.name} has no size '{name}': choose {', '.join(self.sizes)}")
        return self.sizes[name]


def require_room(what: str, uri: str, needed: int) -> None:
    """ResourceError where the store says that it has too little room."""
    free = storage.free_bytes(uri)
    if free is not None and free < needed:
        raise ResourceError(
            f"{what} needs {needed / 1e9:,.2f} GB of disk at {uri}, {free / 1e9:,.2f} GB free:"
            " choose another folder (--store) or a smaller size"
        )
