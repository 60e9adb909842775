"""HAM10000: its labels, lesions and images, of the real sample and of a made table."""

import csv

import numpy as np
import pytest
from lesion_classification import lesions
from pictures_made import real_lesions
from studykit.errors import DataError

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"
LINES = (
    "HAM_1,ISIC_1,mel,histo,55.0,male,back",
    "HAM_1,ISIC_2,mel,histo,55.0,male,back",
    "HAM_2,ISIC_3,nv,follow_up,40.0,female,unknown",
    "HAM_3,ISIC_4,akiec,histo,,female,face",
    "HAM_4,ISIC_5,bcc,histo,70.0,unknown,face",
    "HAM_5,ISIC_6,akiec,histo,80.0,male,scalp",
    "HAM_6,ISIC_7,bkl,histo,80.0,male,scalp",
    "HAM_7,ISIC_8,df,histo,80.0,male,scalp",
    "HAM_8,ISIC_9,vasc,histo,80.0,male,scalp",
)


def table(folder, lines=LINES, header=HEADER):
    path = folder / "HAM10000_metadata.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return str(path)


def test_a_diagnosis_says_whether_it_is_malignant(tmp_path):
    found = lesions.read(table(tmp_path))
    assert found.paths == [f"ISIC_{number}.jpg" for number in (1, 2, 3, 5, 6, 7, 8, 9)]
    assert found.labels.tolist() == [True, True, False, True, True, False, False, False]
    assert found.groups.tolist() == [0, 0, 1, 2, 3, 4, 5, 6]
    assert found.group_names[:3] == ["HAM_1", "HAM_2", "HAM_4"]
    assert found.numbers["age"].tolist() == [55, 55, 40, 70, 80, 80, 80, 80]
    assert found.categories["localization"][2] == "unknown"
    assert (found.rows, found.dropped) == (9, {"age is blank": 1})


def test_a_column_of_labels_goes_before_the_diagnosis(tmp_path):
    lines = ["a,x,nv,histo,50,male,back,1", "b,y,mel,histo,50,male,back,0"]
    found = lesions.read(table(tmp_path, lines, HEADER + ",malignant"))
    assert found.labels.tolist() == [True, False]


@pytest.mark.parametrize("malignant", ["", "2", "yes"])
def test_a_wrong_label_is_named(tmp_path, malignant):
    lines = ["a,x,nv,histo,50,male,back,1", f"b,y,mel,histo,50,male,back,{malignant}"]
    with pytest.raises(DataError, match=r"line 3, column malignant: .* is none of 0, 1"):
        lesions.read(table(tmp_path, lines, HEADER + ",malignant"))


def test_an_unknown_diagnosis_is_named(tmp_path):
    with pytest.raises(DataError, match="line 11, column dx: 'wart' is none of mel, bcc, akiec"):
        lesions.read(table(tmp_path, [*LINES, "HAM_9,ISIC_10,wart,histo,50,male,back"]))


def test_images_in_two_folders_beside_the_table_are_found(tmp_path):
    for number in range(1, 10):
        part = tmp_path / f"HAM10000_images_part_{1 + number % 2}"
        part.mkdir(exist_ok=True)
        (part / f"ISIC_{number}.jpg").write_bytes(bytes(number))
    found = lesions.read(table(tmp_path))
    assert found.paths[:2] == [
        f"HAM10000_images_part_{part}/ISIC_{3 - part}.jpg" for part in (2, 1)
    ]
    assert [found.sizes[path] for path in found.paths] == [1, 2, 3, 5, 6, 7, 8, 9]


def test_the_real_sample_is_read():
    folder = real_lesions()
    with (folder / "metadata.csv").open() as file:
        expected = [row for row in csv.DictReader(file) if row["age"]]
    found = lesions.read(str(folder))
    assert len(found) == len(expected) > 50
    assert [path.rpartition("/")[2] for path in found.paths] == [
        f"{row['image_id']}.jpg" for row in expected
    ]
    malignant = [row["dx"] in ("mel", "bcc", "akiec") for row in expected]
    assert found.labels.tolist() == malignant == [row["malignant"] == "1" for row in expected]
    names = np.array(found.group_names)[found.groups]
    assert names.tolist() == [row["lesion_id"] for row in expected]
    for path, size in found.sizes.items():
        assert (folder / "images" / path).stat().st_size == size
