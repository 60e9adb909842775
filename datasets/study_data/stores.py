"""Data sets in a store: found, made, verified and removed.

    located = stores.locate(follower_graph.DATASET, "1gb", stores.default_store())

makes a data set when it is first asked for and finds it in the store afterwards. A store is a
folder of any kind that `studykit.storage` knows; `DATASET/SIZE.csv` lies in it beside
`SIZE.csv.json`, its sidecar, which says what was written. A file that does not match its sidecar
or its data set is refused, never used and never silently made again.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from studykit import storage
from studykit.errors import DataError
from studykit.errors import StorageError
from studykit.errors import UsageError
from studykit.options import Options
from studykit.records import DatasetInfo

from study_data.dataset import Dataset
from study_data.dataset import require_room
from study_data.progress import Progress
from study_data.progress import shown

SPARE_SHARE = 0.01
"""Named sizes hold within 1 %; that much more room is asked for than the size says."""
READ_BYTES = 1 << 24


@dataclass(frozen=True)
class Located:
    """A data set in a store: what a record says of its input."""

    name: str
    uri: str
    bytes: int
    rows: int
    sha256: str


def default_store() -> str:
    """`STUDY_STORE`, else `study-data` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return os.environ.get("STUDY_STORE") or str(Path(cache) / "study-data")


def uri_of(dataset: Dataset, size: str, store: str, seed: int = 0) -> str:
    file = f"{size}.csv" if seed == 0 else f"{size}-seed{seed}.csv"
    return storage.join(storage.absolute(store), dataset.name, file)


def present(dataset: Dataset, store: str) -> list[tuple[str, int]]:
    """(size, seed) of each of its files in the store."""
    folder, found = storage.join(storage.absolute(store), dataset.name), []
    for uri in storage.find(folder, ".csv") if storage.exists(folder) else []:
        match = re.fullmatch(r"(.+?)(?:-seed([0-9]+))?\.csv", uri.rsplit("/", 1)[-1])
        if match and match[1] in dataset.sizes:
            found.append((match[1], int(match[2] or 0)))
    return found


def sidecar_of(uri: str) -> str:
    return f"{uri}.json"


def locate(
    dataset: Dataset, size: str, store: str, seed: int = 0, progress: Progress | None = None
) -> Located:
    """The data set in the store, made first where it is missing.

    Checks what is cheap to check: sidecar, expected hash and byte count; `verify` reads everything.
    DataError where they disagree, ResourceError where the disk has too little room.
    `progress(done_bytes, all_bytes)` replaces the bar on standard error.
    """
    dataset.size(size)
    uri = uri_of(dataset, size, store, seed)
    if storage.exists(uri):
        return known(dataset, size, uri, seed)
    return make(dataset, size, uri, seed, progress)


def input_of(options: Options, dataset: Dataset) -> DatasetInfo:
    """What a run reads: the user's own --data, or this data set, made if it is not there yet."""
    if options.data is not None:
        uri = storage.absolute(options.data)
        size = sum(storage.size(file) for file in storage.list_files(uri))
        return DatasetInfo(name="user", uri=uri, bytes=size)
    store = options.store or default_store()
    found = locate(dataset, options.size or "tiny", store, options.data_seed)
    return DatasetInfo(**dataclasses.asdict(found))


def make(
    dataset: Dataset, size: str, uri: str, seed: int = 0, progress: Progress | None = None
) -> Located:
    """Write the data set to the URI, whole or not at all.

    Two processes that make the same one at once write files of their own and the same bytes;
    the later one replaces the earlier one's.
    """
    name, expected = dataset.name, dataset.size(size)
    if dataset.make is None:
        raise UsageError(f"{name} is not made but fetched: `data fetch {name}`")
    require_room(f"{name} {size}", uri, int(expected.bytes * (1 + SPARE_SHARE)))
    digest, written = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        blocks = stack.enter_context(contextlib.closing(dataset.make(expected.rows, seed)))
        report = progress or stack.enter_context(
            shown(f"making {name} {size} in {uri}", expected.bytes)
        )
        file = stack.enter_context(storage.write_atomic(uri))
        for block in blocks:
            digest.update(block)
            file.write(block)
            written += len(block)
            report(written, expected.bytes)
        located = Located(name, storage.absolute(uri), written, expected.rows, digest.hexdigest())
        _compare_with_dataset(located, dataset, size, seed)
        # The sidecar first: one without its file counts as missing, a file without one does not.
        _write_sidecar(located, size, seed)
    return located


def known(dataset: Dataset, size: str, uri: str, seed: int = 0) -> Located:
    """What the sidecar says of a file; DataError where that cannot be true."""
    name, actual = dataset.name, storage.size(uri)
    sidecar, remedy = sidecar_of(uri), f"`data verify`, or `data remove {name} --size {size}`"
    try:
        found = json.loads(storage.read_bytes(sidecar))
        located = Located(
            name, storage.absolute(uri), int(found["bytes"]), int(found["rows"]), found["sha256"]
        )
    except StorageError as error:
        raise DataError(f"has no readable sidecar {sidecar}: {remedy}", uri=uri) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"is no sidecar of a data set: {remedy}", uri=sidecar) from error
    if (found.get("name"), found.get("size"), found.get("seed")) != (name, size, seed):
        raise DataError(f"is not the sidecar of {name} {size}: {remedy}", uri=sidecar)
    if actual != located.bytes:
        raise DataError(
            f"damaged: {actual:,} bytes, its sidecar says {located.bytes:,}: {remedy}", uri=uri
        )
    _compare_with_dataset(located, dataset, size, seed)
    return located


def verify(
    dataset: Dataset, size: str, uri: str, seed: int = 0, progress: Progress | None = None
) -> Located:
    """Read the whole file again; DataError where its hash is not the one that it was made with."""
    located = known(dataset, size, uri, seed)
    digest, done = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        report = progress or stack.enter_context(shown(f"verifying {uri}", located.bytes))
        file = stack.enter_context(storage.open_input(uri))
        while block := file.read(READ_BYTES):
            digest.update(block)
            done += len(block)
            report(done, located.bytes)
    if digest.hexdigest() != located.sha256:
        raise DataError(
            f"damaged: sha256 {digest.hexdigest()}, expected {located.sha256}:"
            f" `data remove {dataset.name} --size {size}`, then make it again",
            uri=uri,
        )
    return located


def remove(dataset: Dataset, size: str, uri: str) -> bool:
    """Remove the file and its sidecar, damaged or not; False where there was neither."""
    dataset.size(size)
    there = [file for file in (uri, sidecar_of(uri)) if storage.exists(file)]
    for file in there:
        storage.remove(file)
    return bool(there)


def _compare_with_dataset(located: Located, dataset: Dataset, size: str, seed: int) -> None:
    expected = dataset.sizes[size]
    if seed != 0 or expected.sha256 is None:
        return
    if (located.bytes, located.sha256) != (expected.bytes, expected.sha256):
        raise DataError(
            f"is not {located.name} {size} as this version makes it (sha256 {located.sha256},"
            f" expected {expected.sha256}): `data remove {located.name} --size {size}`",
            uri=located.uri,
        )


def _write_sidecar(located: Located, size: str, seed: int) -> None:
    content = {**dataclasses.asdict(located), "size": size, "seed": seed}
    del content["uri"]  # The folder may be moved.
    storage.write_bytes(sidecar_of(located.uri), json.dumps(content, indent=1).encode() + b"\n")
