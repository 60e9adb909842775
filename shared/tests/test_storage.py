"""Whole files by URI: names, lists, errors, atomic writes, on a disk and on remote stores."""

import errno
import os
import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from pyarrow import fs as arrow_fs
from studykit import storage
from studykit.errors import DataError, StorageError
from studykit.storage import filesystems, writing
from studykit.storage.folders import find
from studytest import fake_s3, fake_stores

folder = fake_stores.folder


def listing(folder: str) -> list[str]:
    """All names in a folder, hidden ones too."""
    files, path = filesystems.filesystem(folder)
    found = files.get_file_info(arrow_fs.FileSelector(path))
    return sorted(info.base_name for info in found)


def test_what_is_written_is_read(folder: str) -> None:
    uri = storage.join(folder, "a b.csv")
    storage.write_bytes(uri, b"1,2\n")
    assert storage.read_bytes(uri) == b"1,2\n"
    assert storage.size(uri) == 4
    assert storage.exists(uri)
    with storage.open_input(uri) as file:
        file.seek(2)
        assert file.read() == b"2\n"
    storage.remove(uri)
    assert not storage.exists(uri)


def test_a_file_is_replaced_whole(folder: str) -> None:
    uri = storage.join(folder, "ranks.csv")
    storage.write_bytes(uri, b"old")
    with storage.write_atomic(uri) as file:
        file.write(b"new and longer")
        assert storage.read_bytes(uri) == b"old"
    assert storage.read_bytes(uri) == b"new and longer"
    assert listing(folder) == ["ranks.csv"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_write_leaves_nothing(folder: str, error: type[BaseException]) -> None:
    uri = storage.join(folder, "ranks.csv")
    with pytest.raises(error), storage.write_atomic(uri) as file:
        file.write(b"half")
        raise error
    assert listing(folder) == []
    assert not storage.exists(uri)


def test_an_interrupted_write_keeps_the_old_file(folder: str) -> None:
    uri = storage.join(folder, "ranks.csv")
    storage.write_bytes(uri, b"old")
    with pytest.raises(KeyboardInterrupt), storage.write_atomic(uri) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert storage.read_bytes(uri) == b"old"
    assert listing(folder) == ["ranks.csv"]


def test_a_large_object_is_uploaded_in_parts_and_appears_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystems, "_open_clients", {})
    uploads = fake_s3.install(monkeypatch, tmp_path)
    monkeypatch.setattr(writing, "PART_BYTES", 10)
    with storage.write_atomic("s3://bucket/a.csv") as file:
        file.write(b"0123456789abc")
        file.write(b"defghijklmnopqrstuvwxyz")
        assert list(uploads.parts.values()) == [[b"0123456789", b"abcdefghij", b"klmnopqrst"]]
        assert not storage.exists("s3://bucket/a.csv")
    assert storage.read_bytes("s3://bucket/a.csv") == b"0123456789abcdefghijklmnopqrstuvwxyz"
    with pytest.raises(KeyboardInterrupt), storage.write_atomic("s3://bucket/a.csv") as file:
        file.write(b"0123456789abc")
        raise KeyboardInterrupt
    assert uploads.parts == {}
    assert storage.size("s3://bucket/a.csv") == 36


def test_the_version_changes_with_the_content(folder: str) -> None:
    uri = storage.join(folder, "a.csv")
    storage.write_bytes(uri, b"1")
    before = storage.look(uri).version
    assert storage.look(uri).version == before
    storage.write_bytes(uri, b"22")
    assert storage.look(uri).version != before


def test_the_version_of_an_object_is_its_etag(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 tells the time of the last change in whole seconds, too coarse to see a rewrite."""
    content = MagicMock()
    content.__enter__.return_value.metadata.return_value = {"ETag": b'"0d98"'}
    objects = MagicMock()
    objects.get_file_info.return_value = arrow_fs.FileInfo("b/a", arrow_fs.FileType.File, size=2)
    objects.open_input_file.return_value = content
    monkeypatch.setattr(filesystems, "_open_clients", {})
    monkeypatch.setitem(filesystems.CLIENTS, "s3", lambda _: objects)
    assert storage.look("s3://b/a").version == '"0d98"'


def test_a_folder_lists_its_data_files_in_order(folder: str) -> None:
    for name in ("b.csv", "a.csv", ".hidden", "_SUCCESS", "a.csv.json"):
        storage.write_bytes(storage.join(folder, name), b"1\n")
    data = [storage.join(folder, name) for name in ("a.csv", "b.csv")]
    assert storage.list_files(folder) == data
    assert storage.list_files(folder + "/") == data
    assert storage.list_files(data[1]) == [data[1]]


def test_a_sidecar_named_outright_is_a_file(folder: str) -> None:
    uri = storage.join(folder, "a.csv.json")
    storage.write_bytes(uri, b"{}")
    assert storage.list_files(uri) == [uri]


def test_a_folder_without_data_is_a_data_error(folder: str) -> None:
    storage.write_bytes(storage.join(folder, "_SUCCESS"), b"")
    with pytest.raises(DataError, match=re.escape(folder) + ".*no data"):
        storage.list_files(folder)


@pytest.mark.parametrize("operation", [storage.list_files, storage.size, storage.read_bytes])
def test_a_missing_file_is_a_storage_error_with_its_uri(folder: str, operation: Any) -> None:
    uri = storage.join(folder, "missing.csv")
    with pytest.raises(StorageError, match=re.escape(uri) + ": no such file or folder"):
        operation(uri)


def test_find_goes_down_folders(tmp_path: Path) -> None:
    for name in ("torch/b-r0.json", "ray/a-r0.json", "ray/chart.png", "ray/.a-r1.json.tmp"):
        storage.write_bytes(f"{tmp_path}/{name}", b"{}")
    found = [f"{tmp_path}/ray/a-r0.json", f"{tmp_path}/torch/b-r0.json"]
    assert find(str(tmp_path), suffix=".json") == found
    with pytest.raises(StorageError):
        find(f"{tmp_path}/missing")


def test_find_in_a_hidden_folder_finds(tmp_path: Path) -> None:
    storage.write_bytes(f"{tmp_path}/.cache/a.json", b"{}")
    assert find(f"{tmp_path}/.cache") == [f"{tmp_path}/.cache/a.json"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    with pytest.raises(StorageError, match="is a folder"):
        storage.read_bytes(str(tmp_path / "full"))
    with pytest.raises(StorageError, match="is a folder"):
        storage.write_bytes(str(tmp_path / "full"), b"x")
    assert os.listdir(tmp_path) == ["full"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1")
    (tmp_path / "a.csv").chmod(0)
    with pytest.raises(StorageError, match=re.escape(f"{tmp_path}/a.csv: permission denied")):
        storage.read_bytes(f"{tmp_path}/a.csv")


def test_a_full_disk_is_a_storage_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"a\.csv: the disk is full"):
        storage.write_bytes(f"{tmp_path}/a.csv", b"1")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device /dev/full")
def test_a_disk_that_fills_while_writing_is_a_storage_error(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"a\.csv: the disk is full"),
        storage.write_atomic(f"{tmp_path}/a.csv"),
        open("/dev/full", "wb", 0) as full,
    ):
        full.write(b"1")
    assert os.listdir(tmp_path) == []


def test_another_error_inside_a_write_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), storage.write_atomic(f"{tmp_path}/a.csv"):
        (tmp_path / "missing.csv").read_bytes()
    assert os.listdir(tmp_path) == []


def test_free_bytes_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    free = storage.free_bytes(f"{tmp_path}/not/yet.csv")
    assert free is not None
    assert free > 0
    assert storage.free_bytes("s3://bucket/key") is None
