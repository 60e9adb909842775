"""What is no digit is refused: one error that names the file, and the line or row."""

import io
import re

import numpy as np
import pyarrow as pa
import pytest
from digit_files import (
    csv_text,
    line,
    names,
    random_digits,
    read_whole,
    write_csv,
    write_npz,
    write_parquet,
)
from pyarrow import parquet
from studykit.errors import DataError, StorageError

PIXELS, LABELS = random_digits(300)
HEADER = ",".join([*names(), "target"])
GOOD = [1.0] * 64


def with_pixel(value):
    return line([*GOOD[:9], value, *GOOD[10:]], 3)


BAD_LINES = {
    "63 pixels": (line(GOOD[1:], 3), "expected 65 columns, found 64"),
    "65 pixels": (line([*GOOD, 1.0], 3), "expected 65 columns, found 66"),
    "a pixel above the largest": (with_pixel("17"), "column pixel_1_1: 17 is no pixel: .* 0 … 16"),
    "a pixel a bit above it": (with_pixel("16.5"), "column pixel_1_1: 16.5 is no pixel"),
    "a large pixel": (with_pixel("256.0"), "column pixel_1_1: 256 is no pixel"),
    "a negative pixel": (with_pixel("-1"), "column pixel_1_1: -1 is no pixel"),
    "not a number": (with_pixel("nan"), "column pixel_1_1: nan is no pixel"),
    "an endless pixel": (with_pixel("inf"), "column pixel_1_1: inf is no pixel"),
    "text in a pixel": (with_pixel("dark"), "column pixel_1_1: 'dark' is not a"),
    "a missing pixel": (with_pixel(""), "column pixel_1_1: a missing value"),
    "label 10": (line(GOOD, 10), "column target: 10 is no label: they are 0 … 9"),
    "a negative label": (line(GOOD, -1), "column target: -1 is no label"),
    "half a label": (line(GOOD, "2.5"), "column target: 2.5 is no label"),
    "a missing label": (line(GOOD, ""), "column target: a missing value"),
    "text as a label": (line(GOOD, "three"), "column target: 'three' is not a"),
    "a NUL byte": (with_pixel("1\0"), "a NUL byte"),
    "a lone carriage return": (with_pixel("1\r"), "a carriage return"),
    "a quote that is left open": (with_pixel('"1'), "a quote that is not closed"),
}


@pytest.mark.parametrize("name", BAD_LINES)
@pytest.mark.parametrize("size", [300, 1 << 20])
def test_a_wrong_line_is_named(tmp_path, name, size):
    wrong, said = BAD_LINES[name]
    good = csv_text(PIXELS, LABELS)
    path = tmp_path / "digits.csv"
    path.write_bytes((good + wrong + "\n" + line(GOOD, 1) + "\n").encode())
    with pytest.raises(DataError, match=said) as caught:
        read_whole(path, size)
    assert (caught.value.uri, caught.value.line) == (str(path), len(PIXELS) + 2)


def test_the_first_wrong_line_of_a_table_is_named(tmp_path):
    path = tmp_path / "digits.csv"
    bad = [with_pixel("99"), line(GOOD, 11), with_pixel("x")]
    path.write_text("\n".join([HEADER, *[line(GOOD, 1)] * 20, *bad, *[line(GOOD, 1)] * 20]))
    with pytest.raises(DataError, match="99 is no pixel") as caught:
        read_whole(path)
    assert caught.value.line == 22


def test_a_truncated_last_line_is_named(tmp_path):
    path = tmp_path / "digits.csv"
    path.write_text(csv_text(PIXELS, LABELS) + line(GOOD[:30], 1))
    with pytest.raises(DataError, match="expected 65 columns, found 31") as caught:
        read_whole(path)
    assert caught.value.line == 302


def headless(*columns):
    return ",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n"


BAD_HEADS = {
    "an empty file": ("", "no rows: the file is empty", None),
    "blank lines": ("\n\r\n", "no rows: the file is empty", None),
    "a column missing": (
        headless(*names()[:9], *names()[10:], "target"),
        r"63 columns of pixels, expected 64 \(8 × 8\): no column 'pixel_1_1'", 1,
    ),
    "63 columns of other names": (
        headless(*map(str, range(63)), "target"), "63 columns of pixels, expected 64", 1,
    ),
    "28 × 28": (headless(*(f"p{i}" for i in range(784)), "label"), "784 .*--resolution", 1),
    "no label": (headless(*names()), "no column of labels: name one target or label", 1),
    "two labels": (headless(*names(), "target", "label"), "more than one column of labels", 1),
    "a column twice": (headless(*names(), "pixel_0_0", "target"), "column 'pixel_0_0' twice", 1),
    "no header": (line(GOOD, 1) + "\n", "no column of labels", 1),
    "below blank lines": ("\n\n" + headless("a", "target"), "1 columns of pixels", 3),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_HEADS)
def test_a_wrong_head_is_named(tmp_path, name):
    text, said, at = BAD_HEADS[name]
    path = tmp_path / "digits.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        read_whole(path)
    assert (caught.value.uri, caught.value.line) == (str(path), at)


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n", HEADER + "\n\n\r\n"])
def test_a_header_alone_has_no_rows(tmp_path, text):
    path = tmp_path / "digits.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="no rows: nothing but a header"):
        read_whole(path)


def test_one_row_is_too_few_to_be_divided(tmp_path):
    path = write_csv(tmp_path / "digits.csv", PIXELS[:1], LABELS[:1])
    with pytest.raises(DataError, match="one row cannot be divided") as caught:
        read_whole(path)
    assert caught.value.uri == str(path)


@pytest.mark.parametrize("text", ["", HEADER + "\n"])
def test_a_part_without_rows_is_named(tmp_path, text):
    write_csv(tmp_path / "train.csv", PIXELS, LABELS)
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(DataError, match="no rows") as caught:
        read_whole(tmp_path)
    assert caught.value.uri == str(tmp_path / "test.csv")


def test_parts_are_two_files(tmp_path):
    write_csv(tmp_path / "train.csv", PIXELS, LABELS)
    write_csv(tmp_path / "more.csv", PIXELS, LABELS)
    with pytest.raises(DataError, match="lies beside train") as caught:
        read_whole(tmp_path)
    assert caught.value.uri == str(tmp_path / "more.csv")
    (tmp_path / "more.csv").rename(tmp_path / "train.more.csv")
    with pytest.raises(DataError, match=r"there is no test\.\* beside it"):
        read_whole(tmp_path)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="no such file") as missing:
        read_whole(tmp_path / "digits.csv")
    assert missing.value.uri == str(tmp_path / "digits.csv")
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(DataError, match="a folder without a data file"):
        read_whole(tmp_path)


def test_forms_are_not_mixed(tmp_path):
    write_npz(tmp_path / "train.npz", PIXELS, LABELS)
    write_csv(tmp_path / "test.csv", PIXELS, LABELS)
    with pytest.raises(DataError, match="NPZ in one folder with another form"):
        read_whole(tmp_path)


def changed(values, at, to):
    other = values.astype(float)
    other[at] = to
    return other


@pytest.mark.parametrize(
    ("pixels", "labels", "said"),
    [
        (changed(PIXELS, (201, 9), 17), LABELS, "column pixel_1_1: 17 is no pixel"),
        (changed(PIXELS, (201, 9), np.nan), LABELS, "column pixel_1_1: nan is no pixel"),
        (PIXELS, changed(LABELS, 201, 10), "column target: 10 is no label"),
        (PIXELS, changed(LABELS, 201, np.nan), "column target: nan is no label"),
    ],
)
def test_a_wrong_row_of_parquet_is_named(tmp_path, pixels, labels, said):
    path = write_parquet(tmp_path / "digits.parquet", pixels, labels, 70)
    with pytest.raises(DataError, match=rf"row 202 \(row group 2\), {said}") as caught:
        read_whole(path)
    assert caught.value.uri == str(path)


def test_wrong_columns_of_parquet_are_named(tmp_path):
    path = write_parquet(tmp_path / "digits.parquet", PIXELS, LABELS)
    table = parquet.read_table(path)
    missing = table.set_column(64, "target", pa.array([None, *LABELS[1:]]))
    for wrong, said in (
        (table.drop_columns(["pixel_1_1"]), "no column 'pixel_1_1'"),
        (table.drop_columns(["target"]), "no column of labels"),
        (missing, r"row 1 \(row group 0\), column target: a missing value"),
        (table.set_column(64, "target", pa.array(["a"] * 300)), "cannot be read as double"),
        (table.slice(0, 0), "no data: Parquet without a row"),
    ):
        parquet.write_table(wrong, path)
        with pytest.raises(DataError, match=said) as caught:
            read_whole(path)
        assert caught.value.uri == str(path)


def npz(**arrays):
    stored = io.BytesIO()
    np.savez(stored, **arrays)
    return stored.getvalue()


BAD_ARRAYS = {
    "no labels": (npz(pixels=PIXELS), "no array 'labels'; the file has: pixels"),
    "63 pixels": (npz(pixels=PIXELS[:, 1:], labels=LABELS), "(300, 63) and labels (300,)"),
    "fewer labels": (npz(pixels=PIXELS, labels=LABELS[1:]), "expected (299, 64)"),
    "labels in columns": (npz(pixels=PIXELS, labels=LABELS[:, None]), "labels (300, 1)"),
    "one label": (npz(pixels=PIXELS, labels=3), "not rows of numbers"),
    "a pixel too large": (
        npz(pixels=changed(PIXELS, (201, 9), 17), labels=LABELS), "row 202, column pixels[9]: 17",
    ),
    "label 10": (npz(pixels=PIXELS, labels=changed(LABELS, 201, 10)), "row 202, column labels: 10"),
    "text": (npz(pixels=PIXELS, labels=LABELS.astype(str)), "'labels' is <U21"),
    "objects": (npz(pixels=PIXELS, labels=LABELS.astype(object)), "no NPZ file of numbers"),
    "cut off": (npz(pixels=PIXELS, labels=LABELS)[:-200], "no NPZ file of numbers, or damaged"),
    "no rows": (npz(pixels=PIXELS[:0], labels=LABELS[:0]), "no rows"),
    "empty": (b"", "no rows: the file is empty"),
    "not NPZ": (b"pixels", "no NPZ file of numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ARRAYS)
def test_wrong_arrays_are_named(tmp_path, name):
    content, said = BAD_ARRAYS[name]
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        read_whole(path)
    assert caught.value.uri == str(path)
