"""What a store has of data sets: looked through, read again, removed. No run needs it."""

import re

from studykit import storage
from studykit.errors import DataError
from studykit.storage.folders import find, remove_folder, remove_unfinished

from study_data import folders, stores
from study_data.dataset import Dataset, Located
from study_data.progress import shown

Entry = tuple[Dataset, str, int]
"""A data set, its size and seed."""


def present(dataset: Dataset, store: str) -> list[tuple[str, int]]:
    """(size, seed) of what the store has of a data set: its files, or sidecars of whole folders."""
    place, found = storage.join(storage.absolute(store), dataset.name), []
    ending = dataset.ending or ".json"
    for uri in find(place, ending, recursive=False) if storage.exists(place) else []:
        name = uri.rsplit("/", 1)[-1].removesuffix(ending)
        match = re.fullmatch(r"(.+?)(?:-seed([0-9]+))?", name)
        if match and match[1] in dataset.sizes:
            size, seed = match[1], int(match[2] or 0)
            if storage.exists(dataset.proof(stores.uri_of(dataset, size, store, seed))):
                found.append((size, seed))
    return found


def verify(dataset: Dataset, size: str, uri: str, seed: int = 0) -> Located:
    """Read all of it again; DataError where a hash is not the one that it was made with."""
    located = stores.known(dataset, size, uri, seed)
    remedy = f"`data remove {dataset.asked(size)}`, then make it again"
    with shown(f"verifying {uri}", located.bytes) as moved, stores.advised(remedy):
        if not dataset.ending:
            folders.verify(uri, located.sha256, moved)
        elif (found := folders.hash_of(uri, moved)) != located.sha256:
            raise DataError(f"damaged: sha256 {found}, expected {located.sha256}", uri=uri)
    return located


def remove(dataset: Dataset, size: str, uri: str) -> bool:
    """Remove a data set and its sidecar, damaged or not; False where there was neither.

    What a killed process has left of it goes too.
    """
    dataset.size(size)
    # What says that a folder is whole goes before the rest of it.
    there = [file for file in (dataset.proof(uri), stores.sidecar_of(uri)) if storage.exists(file)]
    for file in there:
        storage.remove(file)
    left = not dataset.ending and remove_folder(uri)
    remove_unfinished(uri)
    return bool(there) or left
