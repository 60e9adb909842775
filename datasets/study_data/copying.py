"""Copy files between stores, and read the copy again: a copy counts once its hash is the same."""

import contextlib
import hashlib

from studykit import storage
from studykit.errors import StorageError
from studykit.errors import UsageError

from study_data import stores
from study_data.progress import Progress
from study_data.progress import shown

READ_BYTES = 1 << 24


def copy(source: str, target: str, progress: Progress | None = None) -> list[str]:
    """A file, or all files of a folder with their sidecars → the URIs of the copies.

    A data set's file takes its sidecar along, so the copy is a data set too. Each copy
    appears whole or not at all; StorageError where it reads differently from what was written.
    """
    pairs = list(_pairs(storage.absolute(source), target))
    if any(one == other for one, other in pairs):
        raise UsageError(f"{source} cannot be copied onto itself")
    total = 2 * sum(storage.size(one) for one, _ in pairs)  # Written, and read again.
    done = 0
    with contextlib.ExitStack() as stack:
        report = progress or stack.enter_context(shown(f"copying {source} to {target}", total))

        def moved(count: int) -> None:
            nonlocal done
            done += count
            report(done, total)

        for one, other in pairs:
            written = hashlib.sha256()
            with storage.open_input(one) as file, storage.write_atomic(other) as copied:
                while block := file.read(READ_BYTES):
                    written.update(block)
                    copied.write(block)
                    moved(len(block))
            read = hashlib.sha256()
            with storage.open_input(other) as file:
                while block := file.read(READ_BYTES):
                    read.update(block)
                    moved(len(block))
            if read.digest() != written.digest():
                raise StorageError("reads differently from what was written to it", uri=other)
    return [other for _, other in pairs]


def _pairs(source: str, target: str) -> list[tuple[str, str]]:
    """(file, its copy), sidecars first: a file without one would count as damaged."""
    entry = storage.look(source)
    if entry.is_folder:
        files = storage.find(source)
        names = [file[len(entry.uri.rstrip("/")) + 1 :] for file in files]
        pairs = [
            (file, storage.join(target, name)) for file, name in zip(files, names, strict=True)
        ]
    else:
        named = target + source.rsplit("/", 1)[-1] if target.endswith("/") else target
        pairs = [(source, storage.absolute(named))]
        sidecar = stores.sidecar_of(source)
        if storage.exists(sidecar):
            pairs.append((sidecar, stores.sidecar_of(storage.absolute(named))))
    return sorted(pairs, key=lambda pair: not pair[0].endswith(".json"))
