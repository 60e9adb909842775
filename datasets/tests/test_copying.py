"""Copies between stores: complete, verified, with their sidecars."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress
from study_data import copying, follower_graph, stores
from studykit import storage
from studykit.errors import StorageError, UsageError
from studykit.storage.folders import find


def test_a_data_set_is_copied_with_its_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stores.locate(follower_graph.DATASET, "tiny", str(tmp_path / "a"))
    moved: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda bar, task, count: moved.append(count))
    target = f"{tmp_path}/b/follower-graph/tiny.csv"
    copies = copying.copy(made.uri, target)
    assert copies == [f"{target}.json", target]
    copied = stores.locate(follower_graph.DATASET, "tiny", str(tmp_path / "b"))
    assert (copied.bytes, copied.sha256, copied.uri) == (made.bytes, made.sha256, target)
    # Written and read again, to the last byte.
    assert sum(moved) == 2 * sum(map(storage.size, copies))


def test_a_file_into_a_folder_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"1\n")
    assert copying.copy(f"{tmp_path}/rows.csv", f"{tmp_path}/to/") == [f"{tmp_path}/to/rows.csv"]


def test_a_folder_is_copied_with_what_is_below(tmp_path: Path) -> None:
    for name in ("a.csv", "deep/b.csv", ".hidden"):
        storage.write_bytes(f"{tmp_path}/from/{name}", name.encode())
    copying.copy(f"{tmp_path}/from", f"{tmp_path}/to")
    assert find(f"{tmp_path}/to") == [f"{tmp_path}/to/a.csv", f"{tmp_path}/to/deep/b.csv"]
    assert storage.read_bytes(f"{tmp_path}/to/deep/b.csv") == b"deep/b.csv"


def test_a_file_is_not_copied_onto_itself(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1\n")
    with pytest.raises(UsageError, match="onto itself"):
        copying.copy(f"{tmp_path}/a.csv", f"file://{tmp_path}/a.csv")


def test_a_copy_that_reads_differently_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_bytes(b"1\n")
    opened = storage.open_input

    def damaged(uri: str) -> Any:
        return io.BytesIO(b"2\n") if uri.endswith("b.csv") else opened(uri)

    monkeypatch.setattr(storage, "open_input", damaged)
    with pytest.raises(StorageError, match=r"b\.csv: reads differently"):
        copying.copy(f"{tmp_path}/a.csv", f"{tmp_path}/b.csv")


def test_a_missing_source_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.csv"):
        copying.copy(f"{tmp_path}/none.csv", f"{tmp_path}/b.csv")
