"""Data sets in a store: found, or made where they are missing.

    located = stores.locate(follower_graph.DATASET, "1gb", stores.default_store())

makes a data set when it is first asked for and finds it in the store afterwards. A store is a
folder of any kind that `studykit.storage` knows. A data set of one file lies in it as
`DATASET/SIZE.csv` (or another ending) beside `SIZE.csv.json`, its sidecar, which says what was
written; one of many files is the folder `DATASET/SIZE` with a manifest, beside `SIZE.json`. What
does not match its sidecar or its data set is refused, never used and never silently made again.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

from studykit import storage
from studykit.errors import DataError, StorageError, UsageError
from studykit.options import Options
from studykit.records import DatasetInfo

from study_data.dataset import Dataset, Located, require_room
from study_data.progress import shown

SPARE_SHARE = 0.01
"""Named sizes hold within 1 %; that much more room is asked for than the size says."""


def default_store() -> str:
    """`STUDY_STORE`, else `study-data` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return os.environ.get("STUDY_STORE") or str(Path(cache) / "study-data")


def uri_of(dataset: Dataset, size: str, store: str, seed: int = 0) -> str:
    name = size if seed == 0 else f"{size}-seed{seed}"
    return storage.join(storage.absolute(store), dataset.name, name + dataset.ending)


def sidecar_of(uri: str) -> str:
    return f"{uri}.json"


def locate(dataset: Dataset, size: str, store: str, seed: int = 0) -> Located:
    """The data set in the store, made first where it is missing.

    Checks what is cheap to check: sidecar, expected hash and byte count; `verify` reads everything.
    DataError where they disagree, ResourceError where the disk has too little room.
    """
    dataset.size(size)
    uri = uri_of(dataset, size, store, seed)
    if storage.exists(dataset.proof(uri)):
        return known(dataset, size, uri, seed)
    return make(dataset, size, uri, seed)


def input_of(options: Options, dataset: Dataset) -> DatasetInfo:
    """What a run reads: the user's own --data, or this data set, made if it is not there yet."""
    if options.data is not None:
        uri = storage.absolute(options.data)
        sizes = storage.list_sizes(uri)
        return DatasetInfo(name="user", uri=uri, bytes=sum(sizes.values()))
    store = options.store or default_store()
    found = locate(dataset, options.size or "tiny", store, options.data_seed)
    return DatasetInfo(**dataclasses.asdict(found))


def make(dataset: Dataset, size: str, uri: str, seed: int = 0) -> Located:
    """Write the data set to the URI, whole or not at all.

    Two processes that make the same one at once write files of their own and the same bytes;
    the later one replaces the earlier one's.
    """
    name, expected = dataset.name, dataset.size(size)
    with shown(f"making {name} {size} in {uri}", expected.bytes) as moved:
        writing = dataset.writing(expected.rows, seed, uri, moved)
        if writing is None:
            raise UsageError(f"{name} is not made but fetched: `data fetch {name}`")
        require_room(f"{name} {size}", uri, int(expected.bytes * (1 + SPARE_SHARE)))
        with writing as (written, sha256):
            located = Located(name, storage.absolute(uri), written, expected.rows, sha256)
            _compare_with_dataset(located, dataset, size, seed)
            # The sidecar first: one without its data counts as missing, data without one does not.
            _write_sidecar(located, size, seed, dataset)
    return located


def known(dataset: Dataset, size: str, uri: str, seed: int = 0) -> Located:
    """What the sidecar says of a data set; DataError where that cannot be true."""
    name, there = dataset.name, storage.size(dataset.proof(uri))
    sidecar, remedy = sidecar_of(uri), f"`data verify`, or `data remove {dataset.asked(size)}`"
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
    with advised(remedy):
        dataset.check(located, there)
    _compare_with_dataset(located, dataset, size, seed)
    return located


@contextlib.contextmanager
def advised(remedy: str) -> Iterator[None]:
    """What is wrong with data, together with what helps."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{error.reason}: {remedy}", uri=error.uri) from error


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


def _write_sidecar(located: Located, size: str, seed: int, dataset: Dataset) -> None:
    content = {**dataclasses.asdict(located), "size": size, "seed": seed}
    content |= {"schema": dataset.schema, **dataset.facts(located.rows, seed)}
    del content["uri"]  # The folder may be moved.
    storage.write_bytes(sidecar_of(located.uri), json.dumps(content, indent=1).encode() + b"\n")
