"""Folders of folders and patterns: the same files on every store, or a clear refusal."""

import re
from pathlib import Path

import pytest
from studykit import storage
from studykit.errors import DataError, StorageError
from studytest import fake_stores

NAMES = (
    "year=2015/month=01/part-0.csv", "year=2015/month=02/part-0.csv", "year=2016/part-0.csv",
    "year=2016/part-1.csv", "year=2016/_SUCCESS", "year=2016/part-0.csv.json",
    "year=2016/.part-2.csv", "_temporary/part-3.csv", "a1.csv",
)  # fmt: skip
empty = fake_stores.folder


@pytest.fixture
def folder(empty: str) -> str:
    """With these files."""
    for name in NAMES:
        storage.write_bytes(storage.join(empty, name), name.encode())
    return empty


def found(folder: str, pattern: str) -> list[str]:
    files = storage.list_files(f"{folder}/{pattern}")
    return [file.removeprefix(f"{folder}/") for file in files]


def test_a_folder_is_read_with_the_folders_below(folder: str) -> None:
    assert found(folder, "year=2015") == list(NAMES[:2])
    assert found(folder, "") == ["a1.csv", *NAMES[:4]]
    read = b"".join(
        block.data.tobytes()
        for split in storage.splits(f"{folder}/year=2015", 10)
        for block in storage.read_blocks(split)
    )
    assert read.decode() == "".join(NAMES[:2])


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("year=2016/part-*.csv", NAMES[2:4]),
        ("year=2016/part-*", NAMES[2:4]),  # Not the sidecar.
        ("year=2016/*", NAMES[2:4]),
        ("year=201[56]/*0.csv", NAMES[2:3]),
        ("year=2015/month=??/part-0.csv", NAMES[:2]),
        ("*/month=02/*", NAMES[1:2]),
        ("year=*", NAMES[:4]),  # Folders are read with all below.
        ("a[!2].csv", ["a1.csv"]),
        ("y*/nothing/part-0.csv", None),
        ("*.parquet", None),
        ("missing/*.csv", None),
    ],
)
def test_a_pattern_is_what_a_shell_would_find(
    folder: str, pattern: str, names: list[str] | None
) -> None:
    if names is not None:
        assert found(folder, pattern) == list(names)
        assert len(storage.splits(f"{folder}/{pattern}", 1000)) == len(names)
        return
    with pytest.raises(StorageError, match=re.escape(pattern) + ".*nothing .* fits this pattern"):
        found(folder, pattern)


@pytest.mark.parametrize("empty", ["file", "s3"], indirect=True)  # Unlike HDFS its fake expands.
def test_a_file_of_just_that_name_is_meant(folder: str) -> None:
    storage.write_bytes(f"{folder}/a[1].csv", b"1,2\n")
    assert found(folder, "a[1].csv") == ["a[1].csv"]
    assert found(folder, "a[[]1].csv") == ["a[1].csv"]
    assert found(folder, "a[!2]*.csv") == ["a1.csv", "a[1].csv"]


def test_a_pattern_that_only_sidecars_fit_is_no_data(folder: str) -> None:
    with pytest.raises(DataError, match="no data"):
        found(folder, "year=2016/*.json")


@pytest.mark.parametrize("uri", ["s3://buck*/a.csv", "hdfs://serv*:9000/a.csv"])
def test_buckets_and_servers_are_no_part_of_a_pattern(folder: str, uri: str) -> None:
    with pytest.raises(StorageError, match="fits this pattern"):
        storage.list_files(uri)


def test_a_pattern_of_all_of_a_disk_is_taken_from_its_root(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2\n")
    first, *rest = tmp_path.parts[1:]
    pattern = "/" + "/".join([first[:-1] + "?", *rest, "*.csv"])
    assert storage.list_files(pattern) == [f"{tmp_path}/a.csv"]
