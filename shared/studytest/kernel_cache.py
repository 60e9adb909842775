"""Where tests keep compiled kernels, so that each is compiled once and not again in every sandbox.

pants.toml names `ByContent` in NUMBA_CACHE_LOCATOR_CLASSES, which every child of a test inherits; a
user's run knows nothing of it. Numba's own cache is beside the sources, whose path is another in
every sandbox, and misses changes in what a kernel calls from other modules. Here a folder is named
by the content of the kernel's module and of all of ours that it imports.
"""

import ast
import fcntl
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import caching

FOLDER = "study-checks/kernels"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / FOLDER
"""`.ci/run` removes what has not been compiled anew for a month."""


class ByContent(caching.InTreeCacheLocator):  # type: ignore[misc]
    """Numba asks where a function's compiled forms are; the processor is in its own key."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path = str(CACHE / f"{Path(py_file).stem}-{content(Path(py_file))}")


@cache
def content(path: Path) -> str:
    """What a module's kernels are made of, as a name."""
    libraries = [module.__version__ for module in (numba, llvmlite, np)]
    digest = hashlib.sha256(" ".join([sys.version, *libraries]).encode())
    for file in sorted(reached(path), key=lambda file: (file.name, file.read_bytes())):
        digest.update(f"\n{file.name} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:32]


def reached(path: Path) -> set[Path]:
    """A module's file and those of ours that it imports, directly or through others."""
    found, left = set(), [path]
    while left:
        file = left.pop()
        if file not in found:
            found.add(file)
            left += imported(file)
    return found


@cache
def imported(path: Path) -> list[Path]:
    """Files of ours that a module imports; what has no file among our sources is a library."""
    places = [(place / name.replace(".", "/")) for name in _names(path) for place in _sources()]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [file for file in files if file.is_file()]


def _names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and node.level == 0, f"{path}: a relative import is not followed"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _sources() -> list[Path]:
    """Where modules are looked for that are no library's."""
    library = Path(sysconfig.get_paths()["stdlib"])
    places = {Path(place).resolve() for place in sys.path}
    return [
        place
        for place in sorted(places)
        if not _is_installed(place) and library not in (place, *place.parents)
    ]


def _is_installed(place: Path) -> bool:
    """Pex keeps a library in a folder named as its wheel; Ray's workers look within that of Ray."""
    return any(part == "site-packages" or part.endswith(".whl") for part in place.parts)


def _one_after_the_other(save: Any) -> Any:
    """Numba replaces a file whole, but chooses its name by an index that another process may be
    about to replace: two signatures of one function could get the same file."""

    def saved(self: Any, key: Any, data: Any) -> None:
        with open(f"{self._index_path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            save(self, key, data)

    return saved


caching.IndexDataCacheFile.save = _one_after_the_other(caching.IndexDataCacheFile.save)  # type: ignore[method-assign]
