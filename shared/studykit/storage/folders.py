"""Folders of many files: looked through, written together, removed with all that is below.

The one idea: a folder is renamed as a file is, so its files are written below a hidden name and
appear together. S3 renames nothing: there they appear one by one, and the one written last says
that all of them are there. So whoever reads looks for that one, on every store.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pyarrow import fs as arrow_fs

from studykit.errors import StorageError
from studykit.storage import filesystems
from studykit.storage.failures import answered, retried, translated
from studykit.storage.files import exists, listed, remove
from studykit.storage.filesystems import absolute, is_local, scheme, uri_of
from studykit.storage.writing import hidden, hides, sync_folder


def find(uri: str, suffix: str = "", recursive: bool = True) -> list[str]:
    """All files below a folder whose names end so, sorted by path; hidden ones are left out."""
    return [file for file in find_sizes(uri, recursive) if file.endswith(suffix)]


def find_sizes(uri: str, recursive: bool = True) -> dict[str, int]:
    """All files below a folder as `find` gives them, each with its bytes."""
    return listed(absolute(uri), recursive, hidden=(".",))


@contextmanager
def write_folder(uri: str, last: str) -> Iterator[str]:
    """A URI below which files are written that count together once the block ends well.

    The block writes the file named `last` at its end: a folder without it is incomplete, and
    replaced. One that is complete by then, because somebody else was faster, is left as it is.
    Whatever ends the block early leaves nothing behind.
    """
    target = absolute(uri)
    place = target
    if scheme(target) != "s3":  # It has no folders; a marker object would only be in the way.
        place = hidden(target)
        files, path = filesystems.filesystem(place)
        retried(lambda: files.create_dir(path, recursive=True), place)
    try:
        yield place
        if place != target and not exists(f"{target}/{last}"):
            remove_folder(target)
            try:
                _rename(place, target)
            except StorageError:
                if not exists(f"{target}/{last}"):  # Else somebody was faster by a moment.
                    raise
    finally:
        with suppress(StorageError):
            if place != target or not exists(f"{target}/{last}"):
                remove_folder(place)


def _rename(source: str, target: str) -> None:
    files, path = filesystems.filesystem(target)
    hidden_path = filesystems.filesystem(source)[1]
    with translated(target):
        if is_local(target):
            files.move(hidden_path, path)
            sync_folder(os.path.dirname(target))
        else:
            answered(lambda: files.handler.fs.mv(hidden_path, path, recursive=True), target)


def remove_folder(uri: str) -> bool:
    """Remove a folder with all that is below; False where there is none."""
    files, path = filesystems.filesystem(uri)

    def attempt() -> bool:
        there = files.get_file_info(path).type == arrow_fs.FileType.Directory
        if there:
            files.delete_dir(path)
        return bool(there)

    return retried(attempt, uri)


def remove_unfinished(uri: str) -> None:
    """Remove what killed writers of this file or folder have left under hidden names."""
    parent, _, name = absolute(uri).rpartition("/")
    if not exists(parent):
        return
    files, path = filesystems.filesystem(parent)
    found = retried(lambda: files.get_file_info(arrow_fs.FileSelector(path)), parent)
    for info in found:
        left = uri_of(parent, info.path)
        if hides(info.base_name, name) and not remove_folder(left):
            remove(left)
