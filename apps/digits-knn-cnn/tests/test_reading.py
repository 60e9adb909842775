"""Reading: the same rows in the same parts from every form and split, as the oracle reads them."""

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from digit_files import (
    assert_same,
    csv_text,
    line,
    names,
    random_digits,
    read_whole,
    write_csv,
    write_npz,
    write_parquet,
)
from digits_knn_cnn import digits, oracle_rows
from digits_knn_cnn.layout import ALL, DigitFormat
from digits_knn_cnn.oracle_rows import Divided
from digits_knn_cnn.study import STUDY, Parameters
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from studykit import storage
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from studytest import fake_stores

store = fake_stores.folder

PIXELS, LABELS = random_digits(503)


def divided(pixels=PIXELS, labels=LABELS, max_pixel=16):
    train, test, train_labels, test_labels = train_test_split(
        pixels, labels, test_size=0.2, random_state=42
    )
    return Divided(train, train_labels, test, test_labels, max_pixel)


def right(path, expected=None, resolution=8, max_pixel=16):
    """Engines read what is expected, in pieces and at once, and so does the oracle."""
    expected = divided() if expected is None else expected
    for size in (1 << 12, 1 << 20):
        assert_same(read_whole(path, size, resolution, max_pixel), expected)
    assert_same(oracle_rows.read(str(path), resolution, max_pixel), expected)


@pytest.mark.parametrize("size", [1, 100, 300, 1 << 14, 1 << 20])
def test_every_split_size_gives_the_same_parts(tmp_path, size):
    count = 20 if size == 1 else 503
    path = write_csv(tmp_path / "digits.csv", PIXELS[:count], LABELS[:count])
    found = read_whole(path, size)
    assert found.train_pixels.dtype == found.test_pixels.dtype == np.uint8
    assert_same(found, divided(PIXELS[:count], LABELS[:count]))


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 10, 11, 1797])
def test_a_table_is_divided_as_scikit_learn_divides_it(rows):
    form = {"a": DigitFormat("a", "csv", ALL, 8, 16)}
    places = digits.divide({"a": rows}, form)["a"]
    train, test = train_test_split(np.arange(rows), test_size=0.2, random_state=42)
    np.testing.assert_array_equal(places[train], np.arange(len(train)))
    np.testing.assert_array_equal(places[test], -1 - np.arange(len(test)))


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_npz])
def test_every_form_gives_the_same_parts(tmp_path, write):
    form = write.__name__.removeprefix("write_")
    path = write(tmp_path / f"digits.{form}", PIXELS, LABELS)
    right(path)
    renamed = path.rename(tmp_path / "digits")  # Its first bytes say what it is.
    right(renamed)
    parts = tmp_path / "parts"
    parts.mkdir()
    write(parts / f"train.{form}", PIXELS[:400], LABELS[:400])
    write(parts / f"test.{form}", PIXELS[400:], LABELS[400:])
    right(parts, Divided(PIXELS[:400], LABELS[:400], PIXELS[400:], LABELS[400:], 16))


def test_files_of_other_names_are_one_table(tmp_path):
    write_csv(tmp_path / "b.csv", PIXELS[300:], LABELS[300:])
    write_csv(tmp_path / "a.csv", PIXELS[:300], LABELS[:300])
    right(tmp_path)


def test_a_compressed_table_is_read_too(tmp_path):
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(gzip.compress(csv_text(PIXELS, LABELS).encode()))
    right(path)


@pytest.mark.parametrize("shape", [(-1, 64), (-1, 8, 8)])
@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.float32])
def test_arrays_are_flat_or_square_of_any_number(tmp_path, shape, kind):
    pixels, labels = PIXELS.astype(kind).reshape(shape), LABELS.astype(kind)
    right(write_npz(tmp_path / "digits.npz", pixels, labels))


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("group", [1, 70, 1000])
def test_columns_are_of_any_number(tmp_path, kind, group):
    rows = 40 if group == 1 else 503
    pixels, labels = PIXELS[:rows], LABELS[:rows]
    path = tmp_path / "digits.parquet"
    write_parquet(path, pixels.astype(kind), labels.astype(kind), group)
    right(path, divided(pixels, labels))


@pytest.mark.parametrize(
    ("before", "end", "last"),
    [("", "\r\n", "\r\n"), ("\ufeff", "\n", "\n"), ("", "\n", ""), ("\n\n", "\n\n", "\n")],
    ids=["CRLF", "byte order mark", "no last line end", "blank lines"],
)
def test_line_ends_and_what_stands_before_the_header(tmp_path, before, end, last):
    path = tmp_path / "digits.csv"
    text = before + csv_text(PIXELS, LABELS).removesuffix("\n").replace("\n", end) + last
    path.write_bytes(text.encode())
    right(path)


@pytest.mark.parametrize("write", [write_csv, write_parquet, write_npz])
def test_fractions_stay_what_they_are(tmp_path, write):
    pixels = PIXELS / 16
    form = write.__name__.removeprefix("write_")
    path = write(tmp_path / f"digits.{form}", pixels, LABELS)
    right(path, divided(pixels, max_pixel=1), max_pixel=1)
    assert read_whole(path, max_pixel=1).train_pixels.dtype == np.float64


@pytest.mark.parametrize("every", [1, 2, 3, 400])
def test_one_fraction_makes_numbers_of_all(tmp_path, every):
    pixels = PIXELS.astype(float)
    pixels[::every, 5] = 0.5
    path = write_csv(tmp_path / "digits.csv", pixels, LABELS)
    right(path, divided(pixels))


def test_pixels_up_to_255_are_bytes_and_beyond_are_numbers(tmp_path):
    for most, kind in ((255, np.uint8), (256, np.float64), (65_535, np.float64)):
        pixels, labels = random_digits(100, most=most)
        pixels[7, 7] = most
        path = write_csv(tmp_path / f"{most}.csv", pixels, labels)
        right(path, divided(pixels, labels, most), max_pixel=most)
        assert read_whole(path, max_pixel=most).train_pixels.dtype == kind


def test_columns_are_found_by_name_and_others_are_left_alone(tmp_path):
    order = np.random.default_rng(1).permutation(64)
    header = ",".join(["label", "note", *(names()[place] for place in order), "id"])
    rows = [
        line([label, '"a,b"' if label == 3 else "", *row[order]], number)
        for number, (row, label) in enumerate(zip(PIXELS, LABELS, strict=True))
    ]
    path = tmp_path / "digits.csv"
    path.write_text("\n".join([header, *rows]))
    right(path)


def test_columns_of_other_names_are_pixels_in_their_order(tmp_path):
    """As MNIST is commonly written."""
    pixels, labels = random_digits(60, side=28, most=255)
    header = ",".join(["label", *(f"{row}x{column}" for row in range(28) for column in range(28))])
    rows = [line([label, *row[:-1]], row[-1]) for row, label in zip(pixels, labels, strict=True)]
    path = tmp_path / "mnist.csv"
    path.write_text("\n".join([header, *rows]))
    right(path, divided(pixels, labels, 255), resolution=28, max_pixel=255)


def test_any_store_gives_the_same(store, tmp_path):
    for form, write in (("csv", write_csv), ("parquet", write_parquet), ("npz", write_npz)):
        uri = storage.join(store, f"digits.{form}")
        storage.write_bytes(uri, write(tmp_path / f"local.{form}", PIXELS, LABELS).read_bytes())
        right(uri)


def test_a_run_is_cut_as_it_asks(tmp_path):
    path = write_npz(tmp_path / "digits.npz", PIXELS, LABELS)
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    run = Run(STUDY, "plain", Options(workers=2), Parameters(), dataset, quiet=True)
    given_ = digits.cut(run)
    assert len(given_.splits) == 1
    assert given_.formats[str(path)].kind == "npz"


WAYS = st.sampled_from(["{}", "{}.0", "{}.", "{}.000", " {}", "{} ", '"{}"', ' "{}.0" ', "0{}"])
"""How whole numbers may be written."""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_written_is_read(data):
    """Tables of 2 × 2 pixels in lines of any make, cut anywhere."""
    number = st.one_of(st.integers(0, 16), st.integers(0, 160).map(lambda tenths: tenths / 10))
    rows = data.draw(st.lists(st.tuples(*[number] * 4, st.integers(0, 9)), min_size=2, max_size=30))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\n\n"]))
    ways = [[data.draw(WAYS) if value == int(value) else "{}" for value in row] for row in rows]
    written = [
        ",".join(
            way.format(int(value) if value == int(value) else value)
            for way, value in zip(way_of, row, strict=True)
        )
        for way_of, row in zip(ways, rows, strict=True)
    ]
    table = np.array(rows, float)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.csv"
        path.write_bytes((end.join([",".join([*names(2), "target"]), *written]) + end).encode())
        expected = divided(table[:, :-1], table[:, -1])
        size = data.draw(st.integers(1, 200))
        assert_same(read_whole(path, size, resolution=2), expected)
        assert_same(oracle_rows.read(str(path), 2, 16), expected)
