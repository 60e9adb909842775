"""What is no Parquet, damaged, changed or without a row: refused, and named."""

from pathlib import Path

import numpy as np
import pytest
from parquet_files import IDS, TABLE, WANTED, rows_of, values, written
from pyarrow import parquet
from studykit import columnar, cutting, storage
from studykit.errors import DataError, StorageError
from studytest import fake_stores

folder = fake_stores.folder


@pytest.mark.parametrize("groups", [0, 1])
def test_a_file_without_a_row_has_no_data(tmp_path: Path, groups: int) -> None:
    path = tmp_path / "a.parquet"
    with parquet.ParquetWriter(path, IDS) as writer:
        for _ in range(groups):
            writer.write_table(IDS.empty_table())
    assert columnar.splits(str(path), 1) == []
    with pytest.raises(DataError, match="no data") as caught:
        cutting.splits(str(path), 1)
    assert caught.value.uri == str(path)


def test_parquet_beside_another_form_in_one_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    written(tmp_path / "b", {"id": [1]})
    with pytest.raises(DataError, match=r"a\.csv") as caught:
        cutting.splits(str(tmp_path), 1)
    assert caught.value.uri == str(tmp_path / "b")


def test_a_text_that_begins_like_parquet_is_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("PAR1,PAR2\n1,2\n")
    assert not columnar.is_parquet(str(tmp_path / "a.csv"))


def damaged(content: bytes) -> dict[str, bytes]:
    return {
        "text": b"id\n1\n",
        "nothing": b"",
        "half of it": content[: len(content) // 2],
        "the end is missing": content[:-4],
        "a footer of noise": content[:-60] + b"\xf3" * 52 + content[-8:],
        "pages of noise": content[:4]
        + b"\x9a" * (len(content) // 2)
        + content[len(content) // 2 + 4 :],
    }


@pytest.mark.parametrize("how", damaged(b""))
def test_a_damaged_file_is_a_data_error_without_its_bytes(folder: str, how: str) -> None:
    uri = written(storage.join(folder, "a.parquet"), TABLE, row_group_size=5000)
    storage.write_bytes(uri, damaged(storage.read_bytes(uri))[how])
    with pytest.raises(DataError) as caught:
        values(uri, WANTED)
    assert caught.value.uri == uri
    assert str(caught.value).isprintable()


def test_a_page_whose_checksum_is_wrong_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ids = {"id": np.arange(1000)}
    written(path, ids, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="row group 0"):
        values(str(path), IDS)


def test_a_missing_file_and_one_that_changed_are_storage_errors(folder: str) -> None:
    uri = storage.join(folder, "a.parquet")
    with pytest.raises(StorageError, match="no such file"):
        cutting.splits(uri, 1)
    written(uri, {"id": [1, 2]})
    (split,) = columnar.splits(uri, 1)
    written(uri, {"id": [1, 2, 3]})
    with pytest.raises(StorageError, match="changed while it was being read"):
        list(rows_of(split, IDS))
