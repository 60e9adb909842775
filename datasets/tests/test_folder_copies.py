"""Copies of folders between stores: data sets when they are whole, and none before."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from image_folder import IMAGES, located
from rich.progress import Progress
from study_data import copying, keeping, stores
from studykit import storage
from studykit.errors import StorageError
from studytest import fake_stores

store = fake_stores.folder


def test_a_copy_on_another_store_is_a_data_set(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(tmp_path / "here")
    moved: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda bar, task, count: moved.append(count))
    for source, target in ((here, store), (store, f"{tmp_path}/again")):
        made = located(source)
        moved.clear()
        copies = copying.copy(made.uri, stores.uri_of(IMAGES, "tiny", target))
        assert len(copies) == 15
        assert copies[0].endswith("/tiny.json") and copies[-1].endswith("/_manifest.csv")
        assert sum(moved) == 2 * sum(map(storage.size, copies))
        copied = located(target, dataset=dataclasses.replace(IMAGES, make_files=None))
        assert dataclasses.replace(copied, uri=made.uri) == made
        assert keeping.verify(IMAGES, "tiny", copied.uri) == copied


def test_a_copy_that_ends_early_is_no_data_set(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that was whole before and is written over."""
    made, target = located(str(tmp_path / "here"), seed=7), stores.uri_of(IMAGES, "tiny", store, 7)
    located(store, seed=7)
    written = storage.write_atomic

    def failing(uri: str) -> Any:
        if uri.endswith("000009.png"):
            raise StorageError("no more", uri=uri)
        return written(uri)

    monkeypatch.setattr(storage, "write_atomic", failing)
    with pytest.raises(StorageError, match=r"000009\.png: no more"):
        copying.copy(made.uri, target)
    assert keeping.present(IMAGES, store) == []
    monkeypatch.undo()


def test_a_whole_store_is_copied(store: str, tmp_path: Path) -> None:
    made = [located(store, size) for size in IMAGES.sizes]
    copying.copy(store, f"{tmp_path}/copy")
    for size, one in zip(IMAGES.sizes, made, strict=True):
        uri = stores.uri_of(IMAGES, size, f"{tmp_path}/copy")
        assert keeping.verify(IMAGES, size, uri) == dataclasses.replace(one, uri=uri)
