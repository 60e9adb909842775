"""Pictures in folders of classes, and parts that are divided."""

import gzip

import numpy as np
import picture_files
import pytest
from hyperparameter_tuning import pictures
from hyperparameter_tuning.picture_parts import Pictures, divided
from PIL import Image
from study_data import cifar_like, stores
from studykit import storage
from studykit.errors import DataError, StorageError
from studytest import fake_stores

store = fake_stores.folder

TRAIN, TEST = picture_files.random_pictures(30), picture_files.random_pictures(9, seed=1)


def refused(uri) -> str:
    with pytest.raises(DataError) as caught:
        pictures.read(str(uri))
    return str(caught.value)


@pytest.fixture
def folder(tmp_path):
    """Of three classes, 10 pictures each to train on and 3 to test on."""
    for part, (pixels, labels) in {"train": TRAIN, "test": TEST}.items():
        picture_files.write_folder(tmp_path, part, pixels, labels)
    return tmp_path


def test_pictures_in_folders_are_read_class_by_class(folder):
    train, test = pictures.read(str(folder))
    for found, (pixels, labels), name in ((train, TRAIN, "train"), (test, TEST, "test")):
        order = np.argsort(labels, kind="stable")
        np.testing.assert_array_equal(found.pixels, pixels[order])
        np.testing.assert_array_equal(found.labels, labels[order])
        assert list(found.classes) == picture_files.NAMES and found.part == name
        assert found.pixels.dtype == np.uint8 and found.labels.dtype == np.int64


def test_jpeg_is_read_as_pillow_decodes_it(tmp_path):
    picture_files.write_folder(tmp_path, "train", TRAIN[0], TRAIN[1], form="JPEG")
    picture_files.write_folder(tmp_path, "test", *TEST)
    train, _ = pictures.read(str(tmp_path))
    files = sorted(tmp_path.glob("train/*/*.jpg"))
    right = np.stack([np.asarray(Image.open(file)) for file in files])
    np.testing.assert_array_equal(train.pixels, right)


def test_grey_pictures_are_grey_of_three_colours(folder):
    grey = TRAIN[0][0][:, :, 0]
    (folder / "train/bird/0000.png").write_bytes(picture_files.image_bytes(grey))
    train, _ = pictures.read(str(folder))
    np.testing.assert_array_equal(train.pixels[0], np.stack([grey] * 3, axis=2))


def test_pictures_on_a_server_are_those_of_the_disk(folder, store):
    for file in sorted(folder.rglob("*.png")):
        storage.write_bytes(storage.join(store, *file.relative_to(folder).parts), file.read_bytes())
    for found, right in zip(pictures.read(store), pictures.read(str(folder)), strict=True):
        np.testing.assert_array_equal(found.pixels, right.pixels)
        np.testing.assert_array_equal(found.labels, right.labels)


def test_the_real_pictures_have_one_part_which_is_divided_and_says_so():
    train, test = pictures.read(str(picture_files.real_pictures()))
    assert (len(train), len(test)) == (160, 40)
    assert np.bincount(train.labels).tolist() == [16] * 10
    assert list(train.classes)[:3] == ["airplane", "automobile", "bird"]
    assert (train.part, test.part) == ("train (four fifths of test)", "test (a fifth of test)")
    assert train.chance == test.chance == 0.1
    left, held_out = pictures.validation_split(train, 42)
    assert np.bincount(held_out.labels).tolist() == [3] * 10
    assert len(left) == 130


@pytest.mark.parametrize("there", ["train", "test"])
def test_one_part_alone_is_divided_by_the_seed(tmp_path, there):
    picture_files.write_folder(tmp_path, there, *TRAIN)
    train, test = pictures.read(str(tmp_path), 1)
    assert np.bincount(train.labels).tolist() == [8] * 3
    assert np.bincount(test.labels).tolist() == [2] * 3
    both = {picture.tobytes() for part in (train, test) for picture in part.pixels}
    assert both == {picture.tobytes() for picture in TRAIN[0]}
    again, other = pictures.read(str(tmp_path), 1)[1], pictures.read(str(tmp_path), 2)[1]
    np.testing.assert_array_equal(again.pixels, test.pixels)
    assert not np.array_equal(other.pixels, test.pixels)


def test_the_made_data_set_is_read_as_its_description_says(tmp_path):
    found = stores.locate(cifar_like.DATASET, "tiny", str(tmp_path))
    train, test = pictures.read(found.uri)
    assert (len(train), len(test)) == (2000, 400)
    assert list(train.classes) == list(cifar_like.CLASSES)
    rows = np.frombuffer(storage.read_bytes(f"{found.uri}/test_batch.bin"), np.uint8)
    rows = rows.reshape(400, 3073)
    for number in (0, 7, 399):
        assert test.labels[number] == rows[number, 0]
        for colour in range(3):
            plane = rows[number, 1 + 1024 * colour : 1 + 1024 * (colour + 1)].reshape(32, 32)
            np.testing.assert_array_equal(test.pixels[number, :, :, colour], plane)


def test_a_division_keeps_shares_of_classes_and_the_order_of_the_data():
    labels = np.repeat([0, 1, 2], [50, 20, 2])
    whole = Pictures(
        np.zeros((72, 32, 32, 3), np.uint8) + np.arange(72, dtype=np.uint8)[:, None, None, None],
        labels, picture_files.NAMES, "train",
    )  # fmt: skip
    left, held_out = divided(whole, 3, ("left", "held out"))
    assert np.bincount(held_out.labels).tolist() == [10, 4, 1]
    places = [part.pixels[:, 0, 0, 0].tolist() for part in (left, held_out)]
    assert sorted(places[0] + places[1]) == list(range(72))
    assert all(part == sorted(part) for part in places)


# What is wrong, one case each: exit code 2, with the file's name.


def test_a_picture_of_another_size(folder):
    file = folder / "train/cat/0001.png"
    file.write_bytes(picture_files.image_bytes(np.zeros((30, 33, 3), np.uint8)))
    assert refused(folder) == f"{file}: is of 33 × 30 pixels: pictures here have 32 × 32"


@pytest.mark.parametrize("part", ["train", "test"])
def test_an_empty_class(folder, part):
    for file in (folder / part / "ship").iterdir():
        file.unlink()
    assert refused(folder) == f"{folder}: no picture of the class 'ship' in {part}"


def test_a_class_that_one_part_has_not(folder):
    picture_files.write_folder(folder, "train", TRAIN[0][:2], [0, 0], ["zebra"])
    assert "no picture of the class 'zebra' in test" in refused(folder)


def test_one_class_only(tmp_path):
    picture_files.write_folder(tmp_path, "train", TRAIN[0], 30 * [0])
    picture_files.write_folder(tmp_path, "test", TEST[0], 9 * [0])
    assert "one class only, 'bird'" in refused(tmp_path)


def test_one_part_with_a_class_of_one_picture(tmp_path):
    picture_files.write_folder(tmp_path, "train", TRAIN[0][:5], [0, 0, 0, 0, 1])
    assert "1 picture of the class 'cat' in train: two or more" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no picture that can be read"),
        (b"GIF89a", "is no picture that can be read"),
        (picture_files.image_bytes(TRAIN[0][0], "JPEG")[:300], "is no picture that can be read"),
        (picture_files.image_bytes(np.zeros((32, 32, 4), np.uint8)), "has transparent pixels"),
        (picture_files.image_bytes(np.zeros((32, 32), np.uint16)), "more than 8 bits a pixel"),
    ],
    ids=["empty", "another form", "cut short", "transparent", "16 bits"],
)
def test_what_is_no_picture_of_eight_bits(folder, content, reason):
    (folder / "test/cat/0001.png").write_bytes(content)
    said = refused(folder)
    assert said.startswith(f"{folder}/test/cat/0001.png: ") and reason in said


def test_a_file_that_is_no_picture_or_lies_elsewhere(folder):
    (folder / "train/notes.txt").write_text("x")
    assert refused(folder).startswith(f"{folder}/train/notes.txt: is no picture")
    (folder / "train/notes.txt").unlink()
    (folder / "train/0.png").write_bytes(picture_files.image_bytes(TRAIN[0][0]))
    assert refused(folder).startswith(f"{folder}/train/0.png: lies in no folder of a class")


def test_no_pictures_at_all(tmp_path):
    assert "no pictures" in refused(tmp_path)
    (tmp_path / "train").mkdir()
    assert "no pictures" in refused(tmp_path)
    (tmp_path / "a.csv").write_bytes(gzip.compress(b"x"))
    assert "is a file" in refused(tmp_path / "a.csv")
    with pytest.raises(StorageError):
        pictures.read(str(tmp_path / "nowhere"))


def test_hidden_files_are_nobodys_pictures(folder):
    (folder / "train/.DS_Store").write_bytes(b"x")
    (folder / "train/bird/._0001.png").write_bytes(b"x")
    (folder / "train/_SUCCESS").write_bytes(b"")
    assert len(pictures.read(str(folder))[0]) == 30
