"""Names and formats of a data set's files, and folders that are the user's own."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from image_folder import IMAGES, everything, located
from pyarrow import parquet
from study_data import keeping, stores
from study_data.dataset import Blocks, Dataset
from study_data.folders import Files
from studykit import storage
from studykit.options import Options
from studytest import fake_stores

store = fake_stores.folder


def test_the_users_own_folder_counts_with_what_is_below(store: str) -> None:
    for name in ("labels.csv", "cats/1.png", "cats/deep/2.png", "_SUCCESS", ".cache/a"):
        storage.write_bytes(storage.join(store, "own", name), b"12345")
    own = storage.join(store, "own")
    assert stores.input_of(Options(data=own), IMAGES).bytes == 15
    assert stores.input_of(Options(data=own), _one_file(".csv", b"")).bytes == 15
    assert stores.input_of(Options(data=f"{own}/cats/1.png"), IMAGES).bytes == 5
    found = stores.input_of(Options(size="tiny", store=store), IMAGES)
    assert (found.name, found.rows, found.uri) == ("small-images", 12, f"{store}/small-images/tiny")


@pytest.mark.parametrize("name", ["../up.png", "/a", ".hidden", "a/_b", "a//b", "ä.png", "a,b", ""])
def test_a_name_that_not_every_store_takes_is_refused(tmp_path: Path, name: str) -> None:
    def wrong(rows: int, seed: int) -> Files:
        yield name, b"1"

    with pytest.raises(ValueError, match="no name of a file"):
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, make_files=wrong))
    assert everything(str(tmp_path)) == []


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    def twice(rows: int, seed: int) -> Files:
        yield from [("a.png", b"1"), ("a.png", b"2")]

    with pytest.raises(ValueError, match="same name"):
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, make_files=twice))


def _one_file(ending: str, content: bytes) -> Dataset:
    def blocks(rows: int, seed: int) -> Blocks:
        yield memoryview(content)

    described = (IMAGES.title, IMAGES.licence, IMAGES.source, IMAGES.schema, IMAGES.sizes)
    return Dataset("table", *described, make=blocks, ending=ending, prefixes=True)


def _parquet() -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"x": [1.0, 2.0]}), sink)
    return sink.getvalue()


def _npz() -> bytes:
    sink = io.BytesIO()
    np.savez(sink, images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("ending", "content"), [(".parquet", _parquet()), (".npz", _npz()), (".xlsx", b"PK\3\4")]
)
def test_a_file_of_any_format_keeps_its_ending(store: str, ending: str, content: bytes) -> None:
    dataset = _one_file(ending, content)
    found = located(store, dataset=dataset)
    assert found.uri == storage.join(store, f"table/tiny{ending}")
    assert storage.read_bytes(found.uri) == content
    assert keeping.verify(dataset, "tiny", found.uri) == found
    assert keeping.present(dataset, store) == [("tiny", 0)]
    assert keeping.remove(dataset, "tiny", found.uri)
    assert everything(store) == []
