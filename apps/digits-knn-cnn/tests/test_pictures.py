"""Pictures in a folder for each label: read in the order of their paths, or named."""

import io
import re
import threading

import numpy as np
import pytest
from digit_files import assert_same, picture, random_digits, read_whole, write_pictures
from digits_knn_cnn import digits, oracle_rows, pictures
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from studykit import storage
from studykit.errors import DataError
from studytest import fake_stores

store = fake_stores.folder

PIXELS, LABELS = random_digits(90, most=255)
IMAGES = PIXELS.reshape(-1, 8, 8)


def test_grey_pictures_of_the_right_size_are_their_pixels(tmp_path):
    write_pictures(tmp_path, IMAGES, LABELS)
    order = np.lexsort((np.arange(90), LABELS))  # As the paths are sorted.
    parts = train_test_split(PIXELS[order], LABELS[order], test_size=0.2, random_state=42)
    right = oracle_rows.Divided(parts[0], parts[2], parts[1], parts[3], 255)
    for size in (1, 1000, 1 << 20):
        found = read_whole(tmp_path, size)
        assert found.train_pixels.dtype == np.uint8
        assert_same(found, right)
    assert_same(oracle_rows.read(str(tmp_path), 8, 16), right)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("shape", [(8, 8), (30, 20), (16, 16, 3)])
@pytest.mark.parametrize("side", [8, 28])
def test_pictures_of_any_size_and_colour_are_as_the_oracle_reads_them(tmp_path, form, shape, side):
    images = np.random.default_rng(2).integers(0, 256, (40, *shape))
    write_pictures(tmp_path, images, LABELS[:40], form)
    found = read_whole(tmp_path, resolution=side)
    assert found.train_pixels.shape == (32, side * side)
    assert_same(found, oracle_rows.read(str(tmp_path), side, 16))


def test_digits_made_larger_are_read_as_the_same_digits(tmp_path):
    data = load_digits()
    small = (data.images[:50] * 15).astype(np.uint8)
    large = np.kron(small, np.ones((4, 4), np.uint8))
    write_pictures(tmp_path, large, data.target[:50])
    found = read_whole(tmp_path)
    order = np.lexsort((np.arange(50), data.target[:50]))
    train = train_test_split(small[order].reshape(50, 64), test_size=0.2, random_state=42)[0]
    alike = [
        np.corrcoef(one, other)[0, 1] for one, other in zip(found.train_pixels, train, strict=True)
    ]
    assert min(alike) > 0.95


def test_a_picture_that_lies_on_its_side_is_turned(tmp_path):
    pixels = IMAGES[0].astype(np.uint8)
    stored = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees clockwise.
    Image.fromarray(np.rot90(pixels)).save(stored, "PNG", exif=exif)
    turned = pictures.decoded(stored.getvalue(), "a.png", 8)
    np.testing.assert_array_equal(turned.reshape(8, 8), pixels)


def test_pictures_on_a_server_are_fetched_side_by_side(store, tmp_path, monkeypatch):
    write_pictures(tmp_path / "local", IMAGES, LABELS)
    local = sorted((tmp_path / "local").rglob("*.png"))
    for path in local:
        content = path.read_bytes()
        storage.write_bytes(storage.join(store, f"{path.parent.name}/{path.name}"), content)
    if not storage.is_local(store):
        together = threading.Barrier(4, timeout=60)
        fetch = storage.read_bytes
        waiting = iter(range(4))

        def meeting(uri):
            if next(waiting, None) is not None:
                together.wait()
            return fetch(uri)

        monkeypatch.setattr(storage, "read_bytes", meeting)
    assert_same(read_whole(store), read_whole(tmp_path / "local"))


def half(content):
    return content[: len(content) // 2]


def saved(mode, pixels):
    stored = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stored, "PNG")
    return stored.getvalue()


RIGHT = picture(IMAGES[0])
SEE_THROUGH = np.full((8, 8, 4), 9, np.uint8)
UNREADABLE = {
    "text": (b"not a picture", "no picture that can be read"),
    "an empty file": (b"", "no picture that can be read"),
    "half a PNG": (half(RIGHT), "no picture that can be read"),
    "half a JPEG": (half(picture(IMAGES[0], "JPEG")), "no picture that can be read"),
    "a damaged PNG": (RIGHT[:50] + b"\0\0\0\0" + RIGHT[54:], "no picture that can be read"),
    "another kind": (picture(IMAGES[0], "BMP"), "no picture that can be read"),
    "16 bits": (saved("I;16", np.full((8, 8), 999, np.uint16)), "more than 8 bits a pixel"),
    "see-through": (saved("RGBA", SEE_THROUGH), "has transparent pixels"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_picture_that_cannot_be_read_is_named(tmp_path, name):
    content, said = UNREADABLE[name]
    write_pictures(tmp_path, IMAGES, LABELS)
    path = tmp_path / "4" / "damaged.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read_whole(tmp_path)
    assert caught.value.uri == str(path)


def test_an_opaque_picture_may_say_how_opaque_it_is(tmp_path):
    pixels = np.full((8, 8, 4), 255, np.uint8)
    assert (pictures.decoded(saved("RGBA", pixels), "a.png", 8) == 255).all()


@pytest.mark.parametrize("name", ["10/a.png", "ten/a.png", "a.png", "0/1/a.png", "train/1/a.png"])
def test_a_picture_in_no_folder_of_a_label_is_named(tmp_path, name):
    write_pictures(tmp_path / "digits", IMAGES, LABELS)
    path = tmp_path / "digits" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(RIGHT)
    with pytest.raises(DataError, match="named after their label") as caught:
        digits.splits(str(tmp_path / "digits"), 1000)
    assert str(caught.value.uri).startswith(str(tmp_path / "digits"))


def test_another_file_among_pictures_is_named(tmp_path):
    write_pictures(tmp_path, IMAGES, LABELS)
    (tmp_path / "readme.txt").write_text("digits")
    with pytest.raises(DataError, match=re.escape("is no picture (.png, .jpg, .jpeg)")) as caught:
        digits.splits(str(tmp_path), 1000)
    assert caught.value.uri == str(tmp_path / "readme.txt")
