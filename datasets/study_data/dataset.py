"""What is known of a data set before it is there: an object in its generator's module."""

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterable
from dataclasses import dataclass

from studykit import storage
from studykit.errors import ResourceError
from studykit.errors import UsageError


@dataclass(frozen=True)
class Size:
    """`rows` are what there are many of, lines or images. `bytes` and `sha256` are what the default
    seed gives; other seeds differ by below 1 %."""

    rows: int
    bytes: int
    sha256: str | None = None


Blocks = Generator[memoryview, None, None]
Content = bytes | Iterable[bytes | memoryview]
"""Of a file: all of it, or pieces where it is large."""
Files = Generator[tuple[str, Content], None, None]
"""(name below the folder, content) of each file, in the manifest's order."""


@dataclass(frozen=True)
class Dataset:
    """A file in the store, or a folder where its ending is empty: images, say, with a table."""

    name: str
    title: str
    licence: str
    source: str
    schema: str
    sizes: dict[str, Size]
    make: Callable[[int, int], Blocks] | None = None
    """(rows, seed) → the file in pieces."""
    make_files: Callable[[int, int], Files] | None = None
    """The same of a folder. Neither is there for what has to be fetched."""
    ending: str = ".csv"
    prefixes: bool = False
    """Whether a smaller size is the beginning of a larger one: its files are the first ones of the
    larger, in the same order, each the same or, of a table, the beginning."""

    @property
    def is_folder(self) -> bool:
        return not self.ending

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
