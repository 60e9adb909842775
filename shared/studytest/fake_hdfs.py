"""An HDFS for the tests of one process: files in memory, failing when told to."""

import threading
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow import fs as arrow_fs
from studykit.storage import filesystems


class Memory(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store of its own; `failures` are raised, one at each look."""

    protocol = "hdfs"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]
        self.failures: list[Exception] = []
        self.lock = threading.RLock()

    def info(self, path: str, **options: Any) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        return super().info(path, **options)

    def mv(self, path1: str, path2: str, overwrite: bool = False, **options: Any) -> None:
        """At once, and not into a folder that is there."""
        with self.lock:
            if self.isdir(path2) and not overwrite:
                raise FileExistsError(path2)
            super().mv(path1, path2, **options)

    def rm(self, path: Any, **options: Any) -> None:
        with self.lock:
            super().rm(path, **options)


def install(monkeypatch: pytest.MonkeyPatch) -> Memory:
    """Let every hdfs:// be a new, empty one."""
    client = Memory()
    wrapped = arrow_fs.PyFileSystem(arrow_fs.FSSpecHandler(client))
    monkeypatch.setattr(filesystems, "_open_clients", {})
    monkeypatch.setitem(filesystems.CLIENTS, "hdfs", lambda _: wrapped)
    return client
