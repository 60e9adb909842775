"""Folders of many files, on a disk and on remote stores: together or not at all."""

from pathlib import Path
from typing import Any

import pytest
from pyarrow import fs as arrow_fs
from studykit import storage
from studykit.errors import StorageError
from studykit.storage import filesystems, writing
from studykit.storage.folders import (
    find,
    find_sizes,
    remove_folder,
    remove_unfinished,
    write_folder,
)
from studytest import fake_stores

CONTENT = {"labels.csv": b"name,label\n", "images/1.png": b"\x89PNG", "images/deep/2.png": b""}
folder = fake_stores.folder


def everything(folder: str) -> list[str]:
    """All files below a folder, hidden ones too."""
    files, path = filesystems.filesystem(folder)
    found = files.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    prefix = path.strip("/") + "/"
    return sorted(info.path.strip("/").removeprefix(prefix) for info in found if info.is_file)


def write(uri: str, content: dict[str, bytes] = CONTENT, interrupt: Any = None) -> None:
    with write_folder(uri, last="_last") as place:
        for name, data in content.items():
            storage.write_bytes(storage.join(place, name), data)
        if interrupt:
            raise interrupt
        storage.write_bytes(storage.join(place, "_last"), b"")


def test_what_is_written_is_found_with_its_sizes(folder: str) -> None:
    uri = storage.join(folder, "set")
    write(uri)
    found = {f"{uri}/{name}": len(data) for name, data in CONTENT.items()}
    assert find_sizes(uri) == {**found, f"{uri}/_last": 0}
    assert storage.list_sizes(uri) == found
    assert storage.list_files(uri) == sorted(found)
    assert everything(folder) == sorted(f"set/{name}" for name in (*CONTENT, "_last"))


@pytest.mark.parametrize("name", [".git/a.csv", "deep/_temporary/a.csv", "a.csv.json"])
def test_what_is_hidden_below_is_no_data(folder: str, name: str) -> None:
    for one in (name, "deep/b.csv"):
        storage.write_bytes(storage.join(folder, one), b"1")
    assert storage.list_files(folder) == [storage.join(folder, "deep/b.csv")]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_writing_leaves_nothing(folder: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        write(storage.join(folder, "set"), interrupt=error())
    assert everything(folder) == []


def test_a_folder_appears_under_its_name_at_the_end(tmp_path: Path) -> None:
    with write_folder(f"{tmp_path}/set", last="_last") as place:
        storage.write_bytes(f"{place}/a.csv", b"1")
        assert find(str(tmp_path)) == []
        storage.write_bytes(f"{place}/_last", b"")
    assert everything(str(tmp_path)) == ["set/_last", "set/a.csv"]


def test_an_incomplete_folder_is_replaced_and_a_complete_one_is_not(folder: str) -> None:
    uri = storage.join(folder, "set")
    storage.write_bytes(f"{uri}/labels.csv", b"half")
    write(uri)
    assert storage.read_bytes(f"{uri}/labels.csv") == CONTENT["labels.csv"]
    if folder.startswith("s3://"):
        return  # There the same name is the same object.
    write(uri, {"other.csv": b"1"})
    assert everything(uri) == sorted([*CONTENT, "_last"])
    with pytest.raises(KeyboardInterrupt):
        write(uri, interrupt=KeyboardInterrupt())
    assert everything(folder) == sorted(f"set/{name}" for name in (*CONTENT, "_last"))


def test_a_folder_is_removed_with_what_is_below(folder: str) -> None:
    uri = storage.join(folder, "set")
    write(uri)
    storage.write_bytes(storage.join(folder, "settled.csv"), b"1")
    assert remove_folder(uri)
    assert not storage.exists(uri)
    assert not remove_folder(uri)
    assert everything(folder) == ["settled.csv"]


@pytest.mark.parametrize("folder", ["file", "hdfs"], indirect=True)
def test_what_killed_writers_left_is_removed(folder: str) -> None:
    for uri in ("set", "set.csv"):
        storage.write_bytes(writing.hidden(storage.join(folder, uri)), b"half")
    storage.write_bytes(writing.hidden(storage.join(folder, "set")) + "/a.csv", b"1")
    storage.write_bytes(storage.join(folder, ".set.hand-made.tmp"), b"1")
    remove_unfinished(storage.join(folder, "set"))
    other, hand_made = everything(folder)
    assert other.startswith(".set.csv.") and hand_made == ".set.hand-made.tmp"
    remove_unfinished(storage.join(folder, "missing/set"))


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="is a file, not a folder"):
        write(f"{tmp_path}/file/set")
