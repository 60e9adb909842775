"""An empty folder on each kind of store, for the tests of one process.

    folder = fake_stores.folder          # in a test file: what its tests may ask for by that name

The servers are `fake_hdfs` and `fake_s3`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studytest import fake_hdfs, fake_s3

KINDS = ("file", "hdfs", "s3")


def empty_folder(kind: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its URI. In `root` is what is kept on a disk."""
    (root / "bucket").mkdir()
    fake_hdfs.install(monkeypatch).mkdir("/bucket")
    fake_s3.install(monkeypatch, root)
    places = (f"{root}/bucket", "hdfs://server:9000/bucket", "s3://bucket")
    return dict(zip(KINDS, places, strict=True))[kind]


@pytest.fixture(params=KINDS)
def folder(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return empty_folder(request.param, tmp_path, monkeypatch)


@pytest.fixture(scope="module", params=KINDS)
def kept_folder(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One for all tests of a file, and all examples of Hypothesis."""
    with pytest.MonkeyPatch.context() as patch:
        yield empty_folder(request.param, tmp_path_factory.mktemp("store"), patch)
