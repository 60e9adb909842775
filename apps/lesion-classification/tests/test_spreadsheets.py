"""What is no spreadsheet is refused by name; what is one is read as it shows."""

import io
import zipfile

import midas_sheets
import openpyxl
import pytest
from lesion_classification import lesions, spreadsheets
from studykit.errors import DataError, StorageError

NOT = {
    "a web page": (b"\r\n<!DOCTYPE html>\n<html><body>Log in</body></html>", "is a web page"),
    "one without a kind": (b"\xef\xbb\xbf<HTML>", "is a web page"),
    "text": (b"a,b\n1,2\n", "is no spreadsheet"),
    "nothing": (b"", "no rows: it is empty"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "save it as .xlsx"),
    "half an archive": (b"PK\x03\x04" + bytes(100), "is no spreadsheet that can be read"),
}


@pytest.mark.parametrize("name", NOT)
def test_what_is_no_spreadsheet_is_said_to_be_none(tmp_path, name):
    content, said = NOT[name]
    path = tmp_path / "midas.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        lesions.read(str(path))
    assert caught.value.uri == str(path)


def test_a_page_that_is_called_a_table_is_a_page(tmp_path):
    path = tmp_path / "metadata.csv"
    path.write_text("<!doctype html>\n<p>Log in\n")
    with pytest.raises(DataError, match="HTML page"):
        lesions.read(str(path))


def test_one_cut_short_is_refused(tmp_path):
    path = midas_sheets.write(tmp_path / "m.xlsx", midas_sheets.rows()[:50])
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="damaged perhaps"):
        lesions.read(str(path))


def test_one_with_damaged_cells_is_refused(tmp_path):
    """Its directory is whole, so that it opens; its sheet is no longer XML in the middle."""
    path = midas_sheets.write(tmp_path / "m.xlsx", midas_sheets.rows()[:50])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet][: len(parts[sheet]) // 2]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(DataError, match="damaged perhaps"):
        lesions.read(str(path))


def test_one_that_is_not_there_is_missing(tmp_path):
    with pytest.raises(StorageError):
        lesions.read(str(tmp_path / "midas.xlsx"))


def book(path, lines):
    made = openpyxl.Workbook()
    for line in lines:
        made.active.append(line)
    made.create_sheet("notes").append(["not", "these"])
    made.save(path)
    return str(path)


def test_cells_are_texts_as_they_show(tmp_path):
    uri = book(
        tmp_path / "t.xlsx",
        [[" a ", "b", "c"], [1.0, 2.5, "x\xa0"], [None, None, None], [None, True, 7]],
    )
    assert list(spreadsheets.rows(uri)) == [
        (2, {"a": "1", "b": "2.5", "c": "x"}),
        (4, {"a": "", "b": "True", "c": "7"}),
    ]


def test_rows_beyond_the_range_that_a_sheet_claims_are_read(tmp_path):
    """As some programs write them: a range of one cell, and rows after it."""
    path = tmp_path / "t.xlsx"
    book(path, [["a"], [1], [2], [3]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<dimension ref="A1:A4"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:A4"', b'ref="A1"')
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    path.write_bytes(stored.getvalue())
    assert [values["a"] for _, values in spreadsheets.rows(str(path))] == ["1", "2", "3"]


def test_two_columns_of_one_name_are_refused(tmp_path):
    uri = book(tmp_path / "t.xlsx", [["a", "b", "a"], [1, 2, 3]])
    with pytest.raises(DataError, match="row 1, column a: two columns have this name"):
        list(spreadsheets.rows(uri))


@pytest.mark.parametrize("lines", [[], [[None]], [["a", "b"]]])
def test_an_empty_sheet_has_no_rows(tmp_path, lines):
    with pytest.raises(DataError, match="no rows"):
        lesions.read(book(tmp_path / "t.xlsx", lines))


def test_a_spreadsheet_is_known_by_its_first_bytes_too(tmp_path):
    path = midas_sheets.write(tmp_path / "release", midas_sheets.rows()[:40])
    assert spreadsheets.is_spreadsheet(str(path))
    assert lesions.read(str(path)).rows == 40
