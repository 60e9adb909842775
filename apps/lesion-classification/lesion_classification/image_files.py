"""Which file is the image that a table names: found once, by listing folders, never one by one."""

from collections.abc import Iterator, Mapping, Sequence

from studykit import storage
from studykit.errors import DataError
from studykit.storage.folders import find_sizes

PICTURES = (".jpg", ".jpeg", ".png")

Found = tuple[str, int]
"""A path below the folder, or a URI of its own; and its bytes, -1 where it is not there."""


class ImageFiles:
    """The images in a folder and in those below it, and others that are named by URIs.

    One is named by its path below the folder, by its name alone, or by that with another ending:
    a table may say .jpg of what was stored as .jpeg.
    """

    def __init__(self, folder: str, names: Sequence[str]) -> None:
        self.folder = folder
        self._sizes: dict[str, int] = {}
        if any(not _is_uri(name) for name in names):
            self._sizes = dict(_below(folder))
        self._elsewhere: dict[str, int] = {}
        for place in sorted({_folder_of(name) for name in names if _is_uri(name)}):
            self._elsewhere |= _listed(place, recursive=False)
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for path in self._sizes:
            self._by_name.setdefault(path.rpartition("/")[2], []).append(path)
            self._by_stem.setdefault(_stem(path), []).append(path)

    def find(self, name: str) -> Found:
        """DataError where several files may be meant. Of one that is not there: who opens it says
        what is wrong."""
        if _is_uri(name):
            return name, self._elsewhere.get(storage.absolute(name), -1)
        # A table beside the folder may name what is in it as it sees it.
        for below in (name, name.removeprefix(self.folder.rstrip("/").rpartition("/")[2] + "/")):
            if below in self._sizes:
                return below, self._sizes[below]
        for path in self._meant(below):
            return path, self._sizes[path]
        return name, -1

    def _meant(self, name: str) -> list[str]:
        """In whatever folder, where the name says none."""
        place, slash, _ = name.rpartition("/")
        found = self._by_stem.get(_stem(name), [])
        if slash:
            found = [path for path in found if path.rpartition("/")[0] == place]
        else:
            found = self._by_name.get(name, found)
        if len(found) > 1:
            raise DataError(f"image {name!r} may be {' or '.join(sorted(found))}", uri=self.folder)
        return found


def _is_uri(name: str) -> bool:
    return name.startswith("/") or "://" in name


def _folder_of(name: str) -> str:
    return storage.absolute(name).rpartition("/")[0]


def _listed(folder: str, *, recursive: bool = True) -> Mapping[str, int]:
    return find_sizes(folder, recursive) if storage.exists(folder) else {}


def _below(folder: str) -> Iterator[Found]:
    base = storage.absolute(folder).rstrip("/") + "/"
    for uri, size in _listed(folder).items():
        if uri.lower().endswith(PICTURES):
            yield uri.removeprefix(base), size


def _stem(name: str) -> str:
    """The name of a file, its ending left off where it is a picture's."""
    last = name.rpartition("/")[2]
    stem, _, ending = last.rpartition(".")
    return stem if f".{ending.lower()}" in PICTURES else last
