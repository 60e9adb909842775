"""Reading a table of lesions: which table, which files are its images, what is wrong with it."""

import numpy as np
import pytest
from lesion_classification import lesions
from made_lesions import lesions as table_of
from pyarrow import csv, parquet
from study_data import lesion_images
from studykit import storage
from studykit.errors import DataError, StorageError

HEADER = lesion_images.HEADER


def line(image, malignant="1", age="50", lesion="a", length="5.0"):
    return f"{lesion},{image},{malignant},{age},male,back,6in,{length},4.0\n"


def write(folder, *lines, name="metadata.csv", header=HEADER):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(header + "".join(lines))
    return str(folder / name)


def images(folder, *names):
    """Files of so many bytes as their place from 1."""
    for size, name in enumerate(names, 1):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(size))


TWO = (line("x.jpg"), line("y.jpg", "0", lesion="b"))


def test_a_row_is_an_image_of_a_lesion(tmp_path):
    uri = write(
        tmp_path,
        line("3.jpg", "0", "61", "q"), line("1.jpg", "1", "33.5", "p", "7"),
        line("2.jpg", "0", "61", "q"), line("4.jpg", "1", "20", "r"),
    )  # fmt: skip
    found = lesions.read(uri)
    assert found.paths == ["3.jpg", "1.jpg", "2.jpg", "4.jpg"]
    assert found.labels.dtype == bool and found.labels.tolist() == [False, True, False, True]
    assert found.groups.dtype == np.int64 and found.groups.tolist() == [0, 1, 0, 2]
    assert found.group_names == ["q", "p", "r"]
    assert found.numbers["age"].tolist() == [61, 33.5, 61, 20]
    assert found.numbers["length_mm"].tolist() == [5, 7, 5, 5]
    assert found.categories["sex"] == ["male"] * 4
    assert (found.rows, dict(found.dropped), len(found)) == (4, {}, 4)


def test_the_generated_folder_is_read_whole(tmp_path):
    """Against what the generator says of each picture."""
    folder = tmp_path / "made"
    for name, content in lesion_images.files(30, seed=3):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else b"".join(content))
    (folder / "_manifest.csv").write_text("name,bytes,sha256\n")
    found = lesions.read(str(folder))
    assert found.folder == storage.absolute(str(folder / "images"))
    shown = [lesion_images.lesion(3, place[0]) for place in lesion_images.places(30, 3)]
    assert found.paths == [f"{number:06}.jpg" for number in range(30)]
    assert found.labels.tolist() == [one.malignant for one in shown]
    assert [found.group_names[group] for group in found.groups] == [one.name for one in shown]
    assert found.numbers["age"].tolist() == [one.age for one in shown]
    assert found.categories["location"] == [one.location for one in shown]
    for path, size in found.sizes.items():
        assert size == (folder / "images" / path).stat().st_size


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_marks_and_columns_in_another_order_change_nothing(tmp_path, ending, mark):
    names = HEADER.strip().split(",")
    lines = [HEADER, *TWO]
    turned = [",".join(reversed(["more", *text.strip().split(",")])) for text in lines]
    assert turned[0].split(",")[::-1][1:] == names
    path = tmp_path / "t.csv"
    path.write_bytes((mark + ending.join(turned)).encode())
    found, plain = lesions.read(str(path)), lesions.read(write(tmp_path / "plain", *TWO))
    assert found.paths == plain.paths and found.categories == plain.categories
    assert found.group_names == plain.group_names


def test_parquet_is_read_as_csv_is(tmp_path):
    uri = write(tmp_path, *TWO, line("z.jpg", "1", "7", "c"))
    table = csv.read_csv(uri)
    assert str(table.schema.field("age").type) == "int64"
    other = tmp_path / "other"
    other.mkdir()
    for labels in (table["malignant"], table["malignant"].cast("bool")):
        place = table.schema.get_field_index("malignant")
        parquet.write_table(table.set_column(place, "malignant", labels), other / "t.parquet")
        found, right = lesions.read(str(other)), lesions.read(uri)
        assert found.paths == right.paths and found.categories == right.categories
        np.testing.assert_array_equal(found.labels, right.labels)
        np.testing.assert_array_equal(found.groups, right.groups)
        for name, column in right.numbers.items():
            np.testing.assert_array_equal(found.numbers[name], column)


def test_what_is_wrong_with_parquet_is_named(tmp_path):
    table = csv.read_csv(write(tmp_path, *TWO))
    path = tmp_path / "t.parquet"
    parquet.write_table(table.drop_columns(["lesion_id"]), path)
    with pytest.raises(DataError, match="no column 'lesion_id'"):
        lesions.read(str(path))
    parquet.write_table(table.slice(0, 0), path)
    with pytest.raises(DataError, match="no rows"):
        lesions.read(str(path))
    parquet.write_table(table, path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="Parquet"):
        lesions.read(str(path))
    path.write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    with pytest.raises(DataError, match="Parquet"):
        lesions.read(str(path))


WRONG = {
    "an unknown label": (line("z.jpg", "maybe"), "column malignant: 'maybe' is none of 0, 1"),
    "a label of two": (line("z.jpg", "2"), "column malignant: '2' is none of 0, 1"),
    "no label": (line("z.jpg", ""), "column malignant: '' is none of 0, 1"),
    "no number": (line("z.jpg", age="old"), "column age: 'old' is no number"),
    "an endless number": (line("z.jpg", age="inf"), "column age: 'inf' is no number"),
    "no age": (line("z.jpg", age=""), "column age: '' is no number"),
    "a number of Python": (line("z.jpg", age="5_0"), "column age: '5_0' is no number"),
    "no image": (line(""), "column image: a missing value"),
    "no lesion": (line("z.jpg", lesion=" "), "column lesion_id: a missing value"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_by_its_line_and_column(tmp_path, name):
    wrong, said = WRONG[name]
    good = [line(f"{number}.jpg", str(number % 2)) for number in range(50)]
    uri = write(tmp_path, *good, wrong, *TWO)
    with pytest.raises(DataError) as caught:
        lesions.read(uri)
    assert (caught.value.line, caught.value.uri) == (52, uri)
    assert said in str(caught.value)


def test_a_table_of_another_kind_says_what_is_known(tmp_path):
    uri = write(tmp_path, "1,2\n", header="a,b\n")
    with pytest.raises(DataError, match="known are lesion table, MRA-MIDAS, HAM10000"):
        lesions.read(uri)


@pytest.mark.parametrize("label", ["0", "1"])
def test_one_class_only_is_refused(tmp_path, label):
    kind = ("benign", "malignant")[int(label)]
    uri = write(tmp_path, line("x.jpg", label), line("y.jpg", label))
    with pytest.raises(DataError, match=f"all 2 images are {kind}: one class only"):
        lesions.read(uri)


def test_images_stand_in_a_folder_of_that_name_or_beside_the_table_or_where_one_says(tmp_path):
    beside, inner = tmp_path / "beside", tmp_path / "inner"
    for folder in (beside, inner):
        write(folder, *TWO)
    images(beside, "x.jpg", "y.jpg")
    images(inner / "images", "x.jpg", "y.jpg")
    apart = tmp_path / "apart"
    images(apart, "y.jpg", "x.jpg")
    for found, folder, sizes in (
        (lesions.read(str(beside)), beside, [1, 2]),
        (lesions.read(str(inner)), inner / "images", [1, 2]),
        (lesions.read(str(inner), str(apart)), apart, [2, 1]),
    ):
        assert found.folder == storage.absolute(str(folder))
        assert [found.sizes[path] for path in found.paths] == sizes


def test_an_image_is_found_by_path_by_name_and_with_another_ending(tmp_path):
    images(tmp_path / "images", "a/x.jpg", "b/x.jpg", "b/y.JPEG", "z.png", "u.jpg", "notes.txt")
    names = ("b/x.jpg", "y.jpg", "z", "u.jpg", "gone.jpg", "notes.txt")
    rows = [line(name, str(number % 2)) for number, name in enumerate(names)]
    found = lesions.read(write(tmp_path, *rows))
    assert found.paths == ["b/x.jpg", "b/y.JPEG", "z.png", "u.jpg", "gone.jpg", "notes.txt"]
    # What is no picture by its name counts as not there: who opens it says so.
    assert [found.sizes[path] for path in found.paths] == [2, 3, 4, 5, -1, -1]


def test_a_name_with_a_folder_is_of_no_other_folder(tmp_path):
    images(tmp_path / "images", "a/x.jpeg", "b/y.jpg", "z.jpg", "v.jpg")
    names = ("a/x.jpg", "a/y.jpg", "images/z.jpg", "other/v.jpg")
    rows = [line(name, str(number % 2)) for number, name in enumerate(names)]
    found = lesions.read(write(tmp_path, *rows))
    assert found.paths == ["a/x.jpeg", "a/y.jpg", "z.jpg", "other/v.jpg"]
    assert [found.sizes[path] for path in found.paths] == [1, -1, 3, -1]


def test_one_that_may_be_two_files_is_refused(tmp_path):
    images(tmp_path / "images", "a/x.jpg", "b/x.jpg")
    with pytest.raises(DataError, match=r"image 'x\.jpg' may be a/x\.jpg or b/x\.jpg"):
        lesions.read(write(tmp_path, *TWO))


@pytest.mark.parametrize("again", ["x.jpg", "a/x.jpg", "x.jpeg"])
def test_two_rows_of_one_file_are_refused_however_they_name_it(tmp_path, again):
    images(tmp_path / "images", "a/x.jpg", "y.jpg")
    with pytest.raises(DataError, match=r"row 3: image '.*' stands in row 1 already"):
        lesions.read(write(tmp_path, *TWO, line(again)))


def test_images_may_be_named_by_where_they_are(tmp_path):
    images(tmp_path / "far", "x.jpg", "y.jpg")
    names = [str(tmp_path / "far" / name) for name in ("y.jpg", "gone.jpg")]
    names.append(f"file://{tmp_path}/far/x.jpg")
    rows = [line(name, str(number % 2)) for number, name in enumerate(names)]
    found = lesions.read(write(tmp_path, *rows))
    assert found.paths == names
    assert [found.sizes[name] for name in names] == [2, -1, 1]


def test_of_a_folder_its_one_table_is_taken(tmp_path):
    write(tmp_path, *TWO, name="any.csv")
    # What Excel leaves beside what is open.
    (tmp_path / "~$any.xlsx").write_bytes(b"x")
    assert lesions.read(str(tmp_path)).rows == 2
    write(tmp_path, *TWO, name="other.csv")
    with pytest.raises(DataError, match=r"2 tables .* name one by --data"):
        lesions.read(str(tmp_path))
    write(tmp_path, *TWO, line("z.jpg"))
    assert lesions.read(str(tmp_path)).rows == 3


def test_a_folder_without_a_table_has_no_data(tmp_path):
    images(tmp_path, "x.jpg")
    with pytest.raises(DataError, match="no data: no tables"):
        lesions.read(str(tmp_path))
    with pytest.raises(StorageError):
        lesions.read(str(tmp_path / "gone"))


def test_without_some_images_the_others_stay_as_they_are():
    table = table_of([True, False, True, False, True], [0, 1, 1, 2, 0])
    left = table.without([1, 2])
    assert left.paths == ["0.jpg", "3.jpg", "4.jpg"]
    assert left.labels.tolist() == [True, False, True]
    assert [left.group_names[group] for group in left.groups] == [
        "lesion 0",
        "lesion 2",
        "lesion 0",
    ]
    assert left.groups.max() == 1
    assert left.numbers["age"].tolist() == table.numbers["age"][[0, 3, 4]].tolist()
    assert left.categories["sex"] == [table.categories["sex"][place] for place in (0, 3, 4)]
