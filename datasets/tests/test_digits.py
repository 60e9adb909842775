"""The digits: scikit-learn's split at ×1, the same bytes however they are made, and copies that are
still digits, of the originals of their own part."""

import io

import numpy as np
import pytest
from pyarrow import csv
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from study_data import digits, keeping, nesting, stores
from studykit import storage
from studykit.errors import UsageError

ROWS = digits.ORIGINALS
TRAIN, TEST = 1437, 360


def made(copies=1, seed=0, **asked):
    """{file: its bytes}."""
    files = digits.files(copies * ROWS, seed, **asked)
    return {name: b"".join(pieces) for name, pieces in files}  # type: ignore[arg-type]


def table(text):
    """(pixels, labels) of a file."""
    read = csv.read_csv(io.BytesIO(text))
    columns = [column.to_numpy() for column in read.columns]
    return np.stack(columns[:-1], axis=1), columns[-1]


def test_once_all_digits_are_the_published_split():
    data = load_digits()
    split = train_test_split(data.data, data.target, test_size=0.2, random_state=42)
    files = made()
    assert list(files) == ["train.csv", "test.csv"]
    for text, pixels, labels in zip(files.values(), split[:2], split[2:], strict=True):
        found = table(text)
        np.testing.assert_array_equal(found[0], pixels)
        np.testing.assert_array_equal(found[1], labels)
    header, first = files["train.csv"].decode().splitlines()[:2]
    assert header.startswith("pixel_0_0,pixel_0_1,") and header.endswith(",pixel_7_7,target")
    assert first == ",".join([*map(str, split[0][0].tolist()), str(split[2][0])])


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_bytes", [1, 10_000, 1 << 22])
def test_bytes_do_not_depend_on_threads_or_chunks(threads, chunk_bytes):
    assert made(2, threads=threads, chunk_bytes=chunk_bytes) == made(2, threads=1)


@pytest.mark.parametrize("side", [8, 28])
def test_a_smaller_scale_is_the_beginning_of_a_larger_one(side):
    smaller, larger = made(2, seed=7, side=side), made(3, seed=7, side=side)
    for name, text in smaller.items():
        assert larger[name].startswith(text) and len(larger[name]) > len(text)


def test_another_seed_gives_other_copies_of_the_same_originals():
    one, other = (table(made(2, seed=seed)["train.csv"]) for seed in (1, 2))
    np.testing.assert_array_equal(one[0][:TRAIN], other[0][:TRAIN])
    differ = (one[0][TRAIN:] != other[0][TRAIN:]).any(axis=1)
    assert differ.all()
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("side", digits.SIZES)
def test_tiny_is_what_the_catalogue_expects(tmp_path, side):
    """Its bytes and hash, which making it compares; and twice as much begins with it."""
    dataset = digits.dataset(side)
    assert dataset.sizes["tiny"].sha256 is not None
    found = stores.locate(dataset, "tiny", str(tmp_path))
    assert (found.rows, found.sha256) == (ROWS, dataset.sizes["tiny"].sha256)
    twice = stores.locate(dataset, "x2", str(tmp_path))
    assert twice.bytes == pytest.approx(dataset.size("x2").bytes, rel=0.01)
    nesting.check(dataset, [found, twice])
    assert keeping.verify(dataset, "x2", twice.uri) == twice
    assert sorted(keeping.present(dataset, str(tmp_path))) == [("tiny", 0), ("x2", 0)]
    assert keeping.remove(dataset, "x2", twice.uri) and not storage.exists(twice.uri)


@pytest.mark.parametrize("side", digits.SIZES)
@pytest.mark.parametrize(("name", "wanted"), [("100mb", 1e8), ("1gb", 1e9)])
def test_named_sizes_are_the_whole_scale_that_comes_nearest(side, name, wanted):
    dataset = digits.dataset(side)
    size = dataset.sizes[name]
    copies, rest = divmod(size.rows, ROWS)
    assert rest == 0 and size.sha256 is not None
    assert size.bytes == pytest.approx(dataset.size(f"x{copies}").bytes, rel=0.002)
    assert abs(size.bytes - wanted) <= 0.51 * digits.COPY_BYTES[side]
    if side == digits.SIDE:
        assert size.bytes == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize("size", ["x0", "x", "x1.5", "x-1", "20", "x2 "])
def test_a_scale_is_a_whole_number(size):
    with pytest.raises(UsageError, match="has no size"):
        digits.dataset().size(size)
    assert digits.dataset().size("x20").rows == 20 * ROWS


def test_only_some_resolutions_are_made():
    assert digits.dataset(28).name == "digits-28"
    with pytest.raises(UsageError, match="--resolution 12: choose 8, 28, 32"):
        digits.dataset(12)


def test_a_copy_of_a_test_image_never_trains(monkeypatch):
    """With training images that are bright everywhere and test images of nothing but ground."""
    bright, dark = np.full((5, 8, 8), 16.0), np.zeros((3, 8, 8))
    parts = ((bright, np.arange(5)), (dark, 5 + np.arange(3)))
    monkeypatch.setattr(digits, "originals", lambda: parts)
    train, test = map(table, made(7).values())
    assert train[0].shape == (35, 64) and test[0].shape == (21, 64)
    assert (train[0].max(axis=1) == 16).all() and not test[0].any()
    assert train[1].tolist() == 7 * [0, 1, 2, 3, 4]
    assert test[1].tolist() == 7 * [5, 6, 7]


def test_no_picture_stands_in_both_parts():
    train, test = (table(text)[0] for text in made(5).values())
    assert not {row.tobytes() for row in train} & {row.tobytes() for row in test}


@pytest.fixture(scope="module")
def copies():
    """(pixels, labels) of the training and the test part, three times."""
    return [table(text) for text in made(3).values()]


def test_copies_are_digits():
    """Test originals are read by copies of the training digits alone: five of each, no original."""
    (train, labels), (test, right) = (table(text) for text in made(6).values())
    nearest = KNeighborsClassifier(5, algorithm="brute").fit(train[TRAIN:], labels[TRAIN:])
    assert nearest.score(test[:TEST], right[:TEST]) >= 0.96


def test_copies_are_whole_numbers_of_the_same_range_that_differ_from_their_originals(copies):
    for (pixels, labels), originals in zip(copies, (TRAIN, TEST), strict=True):
        assert len(pixels) == len(labels) == 3 * originals
        assert pixels.min() == 0 and pixels.max() == 16
        np.testing.assert_array_equal(pixels, pixels.round())
        np.testing.assert_array_equal(labels, np.tile(labels[:originals], 3))
        for copy in (1, 2):
            part = slice(copy * originals, (copy + 1) * originals)
            assert (pixels[part] != pixels[:originals]).any(axis=1).all()


def test_more_pixels_show_the_same_pictures(copies):
    """Copies too: the mean of 4 × 4 pixels is nearly the one pixel of 8 × 8."""
    large = table(made(2, side=32)["test.csv"])[0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    small = copies[1][0][: 2 * TEST].reshape(-1, 8, 8)
    pairs = zip(large.reshape(-1, 64), small.reshape(-1, 64), strict=True)
    alike = [np.corrcoef(*pair)[0, 1] for pair in pairs]
    assert min(alike) > 0.85
