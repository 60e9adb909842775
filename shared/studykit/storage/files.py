"""Files and folders by URI: look, list, remove.

The one idea: Arrow's file systems for all of them, so that a local disk and a server give the same
answers and errors. Names that begin with `.` or `_` are nobody's data: unfinished writes (see
`writing`), marker files of other systems.
"""

import errno
import os
import shutil
from typing import NamedTuple

from pyarrow import fs as arrow_fs

from studykit.errors import DataError, StorageError
from studykit.storage import filesystems, patterns
from studykit.storage.failures import retried, translated
from studykit.storage.filesystems import absolute, is_local, local_path, uri_of


class Entry(NamedTuple):
    """What is at a URI. `size` in bytes; `version` changes whenever the content does."""

    uri: str
    is_folder: bool
    size: int
    version: str


def look(uri: str) -> Entry:
    """StorageError where there is nothing at the URI, or nothing that can be read."""
    uri = absolute(uri)
    return retried(lambda: entry_at(uri), uri)


def entry_at(uri: str) -> Entry:
    """What is at a URI. Not retried: the caller does it again, or does not."""
    files, path = filesystems.filesystem(uri)
    info = files.get_file_info(path)
    if info.type == arrow_fs.FileType.NotFound:
        raise FileNotFoundError(errno.ENOENT, "no such file or folder")
    if info.type == arrow_fs.FileType.Unknown:
        raise StorageError("is neither a file nor a folder", uri=uri)
    if info.type == arrow_fs.FileType.Directory:
        return Entry(uri, True, 0, "")
    return Entry(uri, False, info.size, _version(files, path, info))


def _version(files: arrow_fs.FileSystem, path: str, info: arrow_fs.FileInfo) -> str:
    """The ETag where there is one, else the time of the last change and the size."""
    if isinstance(files, arrow_fs.PyFileSystem):
        details = files.handler.fs.info(path)
        keys = ("ETag", "modification_time", "mtime", "created")
        changed = next((details[key] for key in keys if key in details), "")
        return f"{changed}-{info.size}"
    tag = None
    if not isinstance(files, arrow_fs.LocalFileSystem):
        with files.open_input_file(path) as file:
            tag = (file.metadata() or {}).get("ETag")
    return tag.decode() if tag else f"{info.mtime_ns}-{info.size}"


def size(uri: str) -> int:
    """Bytes of a file."""
    return look(uri).size


def exists(uri: str) -> bool:
    """Whether a file or folder is there; StorageError where that cannot be found out."""
    try:
        look(uri)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return False
        raise
    return True


def list_files(uri: str) -> list[str]:
    """A file → itself; a folder → the data files in it and in those below it, sorted by path;
    a pattern (see `patterns`) → those of all that fits it.

    Hidden files (`.` and `_` in front) and sidecars (`*.json`) are no data. StorageError where
    the URI is missing or nothing fits, DataError where a folder holds no data file.
    """
    return list(list_sizes(uri))


def list_sizes(uri: str) -> dict[str, int]:
    """The data files as `list_files` gives them, each with its bytes."""
    if patterns.is_pattern(uri) and not exists(uri):
        found = _below(*map(look, patterns.expand(uri)))
        if not found:
            raise StorageError("nothing is there that fits this pattern", uri=absolute(uri))
    else:
        entry = look(uri)
        if not entry.is_folder:
            return {entry.uri: entry.size}
        found = _below(entry)
    data = {file: size for file, size in found.items() if not file.endswith(".json")}
    if not data:
        raise DataError("no data: a folder without a data file", uri=absolute(uri))
    return data


def _below(*entries: Entry) -> dict[str, int]:
    """Files themselves, and what folders hold at any depth that is not hidden."""
    found: dict[str, int] = {}
    for one in entries:
        if one.is_folder:
            found |= listed(one.uri, recursive=True, hidden=(".", "_"))
        else:
            found[one.uri] = one.size
    return found


def listed(uri: str, recursive: bool, hidden: tuple[str, ...]) -> dict[str, int]:
    """{file: its bytes} below a folder, but for what lies at or below a name that begins so."""
    files, path = filesystems.filesystem(uri)
    selector = arrow_fs.FileSelector(path, recursive=recursive)
    found = retried(lambda: files.get_file_info(selector), uri)
    sizes = {uri_of(uri, info.path): info.size for info in found if info.is_file}
    return {
        file: sizes[file]
        for file in sorted(sizes)
        if not any(part.startswith(hidden) for part in file[len(uri) :].split("/"))
    }


def remove(uri: str) -> None:
    """Remove a file; StorageError where it is missing."""
    files, path = filesystems.filesystem(uri)
    retried(lambda: files.delete_file(path), uri)


def free_bytes(uri: str) -> int | None:
    """Room left where a file would be written; None where the store does not say."""
    if not is_local(uri):
        return None
    path = local_path(uri)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    with translated(uri):
        return shutil.disk_usage(path).free
