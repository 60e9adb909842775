"""Copy files between stores, and read the copy again: a copy counts once its hash is the same."""

import hashlib
from typing import NamedTuple

from studykit import storage
from studykit.errors import StorageError, UsageError
from studykit.storage.folders import find_sizes

from study_data import folders, stores
from study_data.progress import Moved, shown
from study_data.threads import in_order


class Pair(NamedTuple):
    source: str
    target: str
    bytes: int


def copy(source: str, target: str) -> list[str]:
    """A file, or all files of a folder → the URIs of the copies.

    A data set takes its sidecar along, so the copy is a data set too. Each copy appears whole or
    not at all, a folder's manifest at the end; StorageError where one reads differently from what
    was written.
    """
    pairs = _pairs(storage.absolute(source), target)
    if any(pair.source == pair.target for pair in pairs):
        raise UsageError(f"{source} cannot be copied onto itself")
    total = 2 * sum(pair.bytes for pair in pairs)  # Written, and read again.
    with shown(f"copying {source} to {target}", total) as moved:

        def one(pair: Pair) -> str:
            return _copy(pair, moved)

        for pair in pairs:  # What is replaced is not whole meanwhile.
            if _turn(pair) == LAST and storage.exists(pair.target):
                storage.remove(pair.target)
        copies: list[str] = []
        for turn in range(LAST + 1):
            group = [pair for pair in pairs if _turn(pair) == turn]
            copies += in_order(one, group, folders.AT_ONCE, _is_large)
        return copies


LAST = 2


def _turn(pair: Pair) -> int:
    """Sidecars first: a file without one would count as damaged. Manifests last: a folder with one
    counts as whole."""
    if pair.source.endswith(".json"):
        return 0
    return LAST if pair.source.endswith(f"/{folders.MANIFEST}") else 1


def _is_large(pair: Pair) -> bool:
    return pair.bytes > folders.SMALL_BYTES


def _copy(pair: Pair, moved: Moved) -> str:
    written = hashlib.sha256()
    with storage.open_input(pair.source) as file, storage.write_atomic(pair.target) as copied:
        while block := file.read(folders.SMALL_BYTES):
            written.update(block)
            copied.write(block)
            moved(len(block))
    if folders.hash_of(pair.target, moved) != written.hexdigest():
        raise StorageError("reads differently from what was written to it", uri=pair.target)
    return pair.target


def _pairs(source: str, target: str) -> list[Pair]:
    """Every file and its copy."""
    entry = storage.look(source)
    if entry.is_folder:
        place = storage.absolute(target)
        pairs = [
            Pair(file, storage.join(place, file[len(entry.uri.rstrip("/")) + 1 :]), size)
            for file, size in find_sizes(source).items()
        ]
    else:
        named = target + source.rsplit("/", 1)[-1] if target.endswith("/") else target
        place = storage.absolute(named)
        pairs = [Pair(entry.uri, place, entry.size)]
    sidecar = stores.sidecar_of(entry.uri)
    if storage.exists(sidecar):
        pairs.append(Pair(sidecar, stores.sidecar_of(place), storage.size(sidecar)))
    return pairs
