"""A data set of many files in real HDFS and S3: made, found, damaged, verified, copied, removed."""

import dataclasses
from pathlib import Path

import pytest
from servers import Server
from study_data import copying, keeping, stores
from study_data.dataset import Size
from study_data.folders import Files, FolderDataset
from studykit import storage
from studykit.errors import DataError
from studykit.storage.folders import find

FILES = 100


def files(rows: int, seed: int) -> Files:
    """A table in pieces, and small files by the hundred."""
    yield "labels.csv", (b"images/%04d.jpg,%d\n" % (row, row % 10) for row in range(rows))
    for row in range(rows):
        yield f"images/{row:04}.jpg", b"\xff\xd8" + row.to_bytes(4, "big") * 500


IMAGES = FolderDataset(
    name="images",
    title="files of 2 kB",
    licence="Apache-2.0",
    source="test_folder_data.py",
    schema="labels.csv: name,label; images that are none",
    sizes={"tiny": Size(FILES, 200_000)},
    make_files=files,
)


@pytest.fixture
def place(store: Server, tmp_path: Path) -> str:
    """A folder of the server's for each test."""
    return f"{store.uri}/{tmp_path.name}"


@pytest.mark.parametrize("store", ["hdfs", "s3"], indirect=True)
def test_a_folder_of_small_files(place: str, tmp_path: Path) -> None:
    made = stores.locate(IMAGES, "tiny", place)
    assert stores.locate(dataclasses.replace(IMAGES, make_files=None), "tiny", place) == made
    assert keeping.verify(IMAGES, "tiny", made.uri) == made
    assert keeping.present(IMAGES, place) == [("tiny", 0)]
    assert len(storage.list_files(made.uri)) == FILES + 1

    copied = stores.uri_of(IMAGES, "tiny", str(tmp_path))
    assert len(copying.copy(made.uri, copied)) == FILES + 3  # With the manifest and the sidecar.
    here = keeping.verify(IMAGES, "tiny", copied)
    assert here.sha256 == made.sha256
    back = stores.uri_of(IMAGES, "tiny", f"{place}/back")
    copying.copy(copied, back)
    assert keeping.verify(IMAGES, "tiny", back).sha256 == made.sha256

    storage.write_bytes(f"{made.uri}/images/0050.jpg", bytes(2_002))
    with pytest.raises(DataError, match="damaged: sha256") as caught:
        keeping.verify(IMAGES, "tiny", made.uri)
    assert caught.value.uri == f"{made.uri}/images/0050.jpg"

    assert keeping.remove(IMAGES, "tiny", made.uri)
    assert not keeping.remove(IMAGES, "tiny", made.uri)
    assert keeping.present(IMAGES, place) == []
    assert find(f"{place}/images") == []


@pytest.mark.parametrize("store", ["hdfs", "s3"], indirect=True)
def test_an_interrupted_making_leaves_nothing(place: str) -> None:
    def stopped(rows: int, seed: int) -> Files:
        yield from files(rows, seed)
        raise KeyboardInterrupt

    storage.write_bytes(f"{place}/images/other.txt", b"not ours")
    with pytest.raises(KeyboardInterrupt):
        stores.locate(dataclasses.replace(IMAGES, make_files=stopped), "tiny", place)
    assert find(f"{place}/images") == [f"{place}/images/other.txt"]
    assert stores.locate(IMAGES, "tiny", place).rows == FILES
