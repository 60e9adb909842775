"""Patterns in URIs, `part-*.csv` or `2015-0[1-3]/*`: what a shell would find on a local disk.

The one idea: folders are listed level by level, one listing each, the same on a disk, in HDFS and
in S3; what no part of the pattern fits is not looked into. A sign stands for itself where there is
a file of just that name.
"""

import fnmatch
import re

from pyarrow import fs as arrow_fs

from studykit.storage import filesystems
from studykit.storage.failures import retried

_SIGNS = re.compile(r"[*?\[]")
_PLACE_PARTS = 3  # of a URI's: "hdfs:", "" and the server; of S3 the bucket. They cannot be listed.


def is_pattern(uri: str) -> bool:
    return _SIGNS.search(uri) is not None


def expand(uri: str) -> list[str]:
    """The files and folders whose names fit, sorted; hidden ones (`.` and `_` in front) do not."""
    parts = filesystems.absolute(uri).split("/")
    first = next(place for place, part in enumerate(parts) if _SIGNS.search(part))
    if not filesystems.is_local(uri) and first < _PLACE_PARTS:
        return []
    found, folders = [], ["/".join(parts[:first]) or "/"]
    for part in parts[first:]:
        found = [
            (filesystems.uri_of(folder, info.path), info.type)
            for folder in folders
            for info in _listed(folder)
            if fnmatch.fnmatchcase(info.base_name, part)
            and not info.base_name.startswith((".", "_"))
        ]
        folders = [one for one, kind in found if kind == arrow_fs.FileType.Directory]
    return sorted(one for one, _ in found)


def _listed(folder: str) -> list[arrow_fs.FileInfo]:
    files, path = filesystems.filesystem(folder)
    selector = arrow_fs.FileSelector(path, allow_not_found=True)
    return list(retried(lambda: files.get_file_info(selector), folder))
