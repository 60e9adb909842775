"""MRA-MIDAS: what the paper's code makes of its spreadsheet, and what is wrong with one."""

import midas_sheets
import numpy as np
import pandas as pd
import pytest
from lesion_classification import lesions, midas
from studykit.errors import DataError

GOOD: midas_sheets.Values = {
    **dict.fromkeys(midas_sheets.COLUMNS),
    "midas_record_id": 7, "midas_file_name": "a.jpg", "midas_iscontrol": "no",
    "midas_distance": "6in", "midas_location": "left cheek", "midas_path": "malignant- bcc",
    "midas_gender": "male", "midas_age": 61, "midas_melanoma": "no", "length_(mm)": 5.5,
    "width_(mm)": 4,
}  # fmt: skip
BENIGN = GOOD | {"midas_file_name": "b.jpg", "midas_path": "benign-other", "midas_record_id": 8}


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """Of the real one's size."""
    return midas_sheets.write(tmp_path_factory.mktemp("midas") / "m.xlsx", midas_sheets.rows())


@pytest.fixture(scope="module")
def read(sheet):
    return lesions.read(str(sheet))


def by_pandas(sheet):
    """The steps of the paper's code, by the library that it uses."""
    table = pd.read_excel(sheet)
    assert table.shape == (3154, 19)
    table = table[[*midas_sheets.USED_COLUMNS, "midas_record_id"]]
    table = table.dropna()
    path = table["midas_path"].astype(str).str.lower()
    malignant, benign = path.str.contains("malignant"), path.str.contains("benign")
    table["label"] = malignant
    return table[malignant | benign]


def test_what_is_used_is_what_the_papers_code_uses(sheet, read):
    expected = by_pandas(sheet)
    assert len(expected) == 2670
    assert read.rows == 3154
    assert sum(read.dropped.values()) == 3154 - 2670
    assert list(read.paths) == expected["midas_file_name"].tolist()
    np.testing.assert_array_equal(read.labels, expected["label"])
    for name in ("midas_age", "length_(mm)", "width_(mm)"):
        np.testing.assert_array_equal(read.numbers[name], expected[name].astype(float))
    melanoma = (expected["midas_melanoma"] == "yes").astype(float)
    np.testing.assert_array_equal(read.numbers["midas_melanoma"], melanoma)
    for name in ("midas_gender", "midas_distance"):
        assert list(read.categories[name]) == expected[name].tolist()
    records = expected["midas_record_id"].to_numpy()
    np.testing.assert_array_equal(read.groups, pd.factorize(records)[0])
    assert read.group_names == [str(record) for record in dict.fromkeys(records)]


@pytest.mark.parametrize(("rows", "used"), midas_sheets.USED.items())
def test_the_papers_three_sizes_are_the_first_rows(tmp_path, read, rows, used):
    first = midas_sheets.write(tmp_path / "m.xlsx", midas_sheets.rows()[:rows])
    found = lesions.read(str(first))
    assert (found.rows, len(found)) == (rows, used)
    assert list(found.paths) == list(read.paths[:used])


def test_why_rows_are_not_used_is_counted(tmp_path):
    bad: list[midas_sheets.Values] = [
        {"midas_iscontrol": "yes", "midas_path": None},
        {"midas_path": 0},
        {"midas_path": None},
        {"midas_path": "other- infectious"},
        {"midas_age": None},
        {"midas_age": "NA"},
        {"width_(mm)": "  "},
        {"midas_location": "\xa0"},
    ]
    lines = [GOOD, BENIGN, *(GOOD | one for one in bad)]
    found = lesions.read(str(midas_sheets.write(tmp_path / "m.xlsx", lines)))
    assert (len(found), found.rows) == (2, 10)
    assert found.dropped == {
        "a control": 1,
        "midas_path says neither malignant nor benign": 3,
        "midas_age is blank": 2,
        "width_(mm) is blank": 1,
        "midas_location is blank": 1,
    }


def test_a_row_is_what_it_says(tmp_path):
    found = lesions.read(str(midas_sheets.write(tmp_path / "m.xlsx", [GOOD, BENIGN])))
    assert found.labels.tolist() == [True, False]
    assert {name: column.tolist() for name, column in found.numbers.items()} == {
        "midas_age": [61, 61],
        "length_(mm)": [5.5, 5.5],
        "width_(mm)": [4, 4],
        "midas_melanoma": [0, 0],
    }
    assert {name: column[0] for name, column in found.categories.items()} == {
        "midas_gender": "male",
        "midas_distance": "6in",
        "midas_location": "face",
    }


WRONG = {
    "midas_melanoma": ("perhaps", "'perhaps' is none of yes, no"),
    "midas_age": ("old", "'old' is no number"),
    "length_(mm)": ("inf", "'inf' is no number"),
    "midas_gender": ("m", "'m' is none of male, female"),
    "midas_distance": ("2ft", "'2ft' is none of dscope"),
    "midas_record_id": (None, "a missing value"),
}


@pytest.mark.parametrize("column", WRONG)
def test_a_wrong_value_is_named(tmp_path, column):
    value, said = WRONG[column]
    wrong = GOOD | {"midas_file_name": "c.jpg", column: value}
    sheet = midas_sheets.write(tmp_path / "m.xlsx", [GOOD, BENIGN, {}, wrong])
    with pytest.raises(DataError) as caught:
        lesions.read(str(sheet))
    error = caught.value
    assert (error.place, error.column) == ("row 5", column)
    assert said in error.reason and error.uri == str(sheet)


def test_an_image_that_comes_twice_is_refused(tmp_path):
    sheet = midas_sheets.write(tmp_path / "m.xlsx", [GOOD, BENIGN, GOOD])
    with pytest.raises(DataError, match=r"row 4: image 'a\.jpg' stands in row 2 already"):
        lesions.read(str(sheet))


def test_one_that_comes_again_in_a_row_that_is_not_used_is_not(tmp_path):
    lines = [GOOD, BENIGN, GOOD | {"midas_path": None}]
    assert len(lesions.read(str(midas_sheets.write(tmp_path / "m.xlsx", lines)))) == 2


def test_a_missing_column_is_named(tmp_path):
    columns = tuple(name for name in midas_sheets.COLUMNS if name != "midas_path")
    sheet = midas_sheets.write(tmp_path / "m.xlsx", [GOOD], columns)
    with pytest.raises(DataError, match="no column 'midas_path', which a table of MRA-MIDAS has"):
        lesions.read(str(sheet))


def test_nothing_that_can_be_used_says_why(tmp_path):
    lines = [GOOD | {"midas_path": None}, GOOD | {"midas_age": None}]
    sheet = midas_sheets.write(tmp_path / "m.xlsx", lines)
    with pytest.raises(DataError, match=r"no rows to be used: 1 dropped: .*; 1 dropped: midas_age"):
        lesions.read(str(sheet))


LOCATIONS = {
    "left upper back": "back", "Chest\xa0": "chest", "R forearm": "arm", "nasal ala": "face",
    "left lower leg": "leg", "vertex scalp": "head", "left ear": "head", "Nape": "neck",
    "LUQ abdomen": "abdomen", "right shoulder": "shoulder", "dorsal surface of hand": "hand",
    "near umbilicus": "abdomen", "L 2nd toe": "foot", "buttock": "other", "back of neck": "back",
    "right eyebrow": "face",
}  # fmt: skip


@pytest.mark.parametrize("location", LOCATIONS)
def test_locations_are_grouped_by_the_first_that_fits(location):
    assert midas.group_of(location) == LOCATIONS[location]


def test_there_are_twelve_groups():
    assert len({*midas.LOCATIONS, midas.OTHER}) == 12
