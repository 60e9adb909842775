"""The batches of CIFAR-10, binary and pickled: read alike, and refused where they are wrong."""

import gzip
import pickle

import numpy as np
import picture_files
import pytest
from hyperparameter_tuning import pictures
from picture_files import binary_batch, flat, pickled_batch, write_batches
from studykit import storage
from studykit.errors import DataError
from studytest import fake_stores

store = fake_stores.folder

TRAIN, TEST = picture_files.random_pictures(30), picture_files.random_pictures(9, seed=1)
KINDS = ("binary", "pickled")


def refused(uri) -> str:
    with pytest.raises(DataError) as caught:
        pictures.read(str(uri))
    return str(caught.value)


def assert_read(folder):
    for found, (pixels, labels) in zip(pictures.read(str(folder)), (TRAIN, TEST), strict=True):
        np.testing.assert_array_equal(found.pixels, pixels)
        np.testing.assert_array_equal(found.labels, labels)
        assert list(found.classes) == picture_files.NAMES


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_read_in_their_order(tmp_path, kind):
    write_batches(tmp_path / "cifar-10-batches", TRAIN, TEST, kind)
    assert_read(tmp_path)  # Found also below the folder.
    (tmp_path / "cifar-10-batches/readme.html").write_text("beside it")
    assert_read(tmp_path / "cifar-10-batches")


@pytest.mark.parametrize("text", [bytes, str])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_any_python_are_read(tmp_path, protocol, text):
    write_batches(tmp_path, TRAIN, TEST, "pickled")
    (tmp_path / "data_batch_1").unlink()
    (tmp_path / "data_batch_2").write_bytes(pickled_batch(TRAIN[0], TRAIN[1], protocol, text))
    assert_read(tmp_path)


def test_an_array_by_columns_is_read_as_what_it_shows(tmp_path):
    write_batches(tmp_path, TRAIN, TEST, "pickled")
    content = {b"data": np.asfortranarray(flat(TEST[0])), b"labels": TEST[1].tolist()}
    for protocol in (2, 5):
        (tmp_path / "test_batch").write_bytes(pickle.dumps(content, protocol))
        assert_read(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_on_a_server(tmp_path, store, kind):
    write_batches(tmp_path / "local", TRAIN, TEST, kind)
    for file in (tmp_path / "local").iterdir():
        storage.write_bytes(storage.join(store, file.name), file.read_bytes())
    assert_read(store)


def test_the_tenth_batch_follows_the_ninth(tmp_path):
    pixels, labels = picture_files.random_pictures(33)
    for number in range(11):
        part = slice(3 * number, 3 * number + 3)
        content = binary_batch(pixels[part], labels[part])
        (tmp_path / f"data_batch_{number + 1}.bin").write_bytes(content)
    (tmp_path / "test_batch.bin").write_bytes(binary_batch(*TEST))
    (tmp_path / "batches.meta.txt").write_text("a\nb\nc\n")
    np.testing.assert_array_equal(pictures.read(str(tmp_path))[0].pixels, pixels)


def test_compressed_batches_are_inflated(tmp_path):
    write_batches(tmp_path, TRAIN, TEST)
    for file in list(tmp_path.glob("*.bin")):
        file.with_suffix(".bin.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert_read(tmp_path)


def test_classes_without_names_are_numbers(tmp_path):
    pixels, labels = picture_files.random_pictures(30, classes=10)
    (tmp_path / "data_batch_1.bin").write_bytes(binary_batch(pixels, labels))
    train, test = pictures.read(str(tmp_path))
    assert list(train.classes) == [str(number) for number in range(10)]
    assert (len(train), len(test)) == (20, 10)


# What is wrong, one case each.


@pytest.mark.parametrize("cut", [1, 3072])
def test_a_truncated_batch(tmp_path, cut):
    write_batches(tmp_path, TRAIN, TEST)
    file = tmp_path / "data_batch_2.bin"
    file.write_bytes(file.read_bytes()[:-cut])
    assert refused(tmp_path).startswith(f"{file}, row 15: {15 * 3073 - cut:,} bytes are not whole")
    file.write_bytes(b"")
    assert refused(tmp_path) == f"{file}: no pictures: the file is empty"


@pytest.mark.parametrize("kind", KINDS)
def test_a_label_that_is_none(tmp_path, kind):
    write_batches(tmp_path, TRAIN, TEST, kind)
    batch = binary_batch if kind == "binary" else pickled_batch
    file = tmp_path / ("test_batch.bin" if kind == "binary" else "test_batch")
    file.write_bytes(batch(TEST[0], [*TEST[1][:8], 3]))
    assert refused(tmp_path) == f"{file}, row 9, column label: 3 is no label: they are 0 … 2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_without_a_picture(tmp_path, kind):
    write_batches(tmp_path, TRAIN, TEST, kind, [*picture_files.NAMES, "zebra"])
    assert "no picture of the class 'zebra' in train" in refused(tmp_path)


def test_names_that_are_none(tmp_path):
    write_batches(tmp_path, TRAIN, TEST, names=["a", "a", "b"])
    assert "a class twice" in refused(tmp_path)
    (tmp_path / "batches.meta.txt").write_bytes(b"\xff\xfe\0")
    assert "is no text" in refused(tmp_path)
    (tmp_path / "batches.meta.txt").write_text("\n\n")
    assert "no names of classes" in refused(tmp_path)


def test_both_kinds_or_several_folders(tmp_path):
    write_batches(tmp_path, TRAIN, TEST)
    (tmp_path / "data_batch_3").write_bytes(pickled_batch(*TRAIN))
    assert "binary batches and pickled ones in one folder" in refused(tmp_path)
    (tmp_path / "data_batch_3").unlink()
    write_batches(tmp_path / "again", TRAIN, TEST)
    assert "batches in several folders" in refused(tmp_path)
