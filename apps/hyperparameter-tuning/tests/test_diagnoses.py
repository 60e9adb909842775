"""The Wisconsin table in every form that it comes in; what is wrong with one; how it is divided."""

import bz2
import gzip

import diagnosis_files
import numpy as np
import pandas as pd
import pytest
from hyperparameter_tuning import diagnoses
from hyperparameter_tuning.diagnoses import Diagnoses
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from study_data import breast_cancer, stores
from study_data.as_parquet import as_parquet
from studykit import storage
from studykit.errors import DataError, StorageError
from studytest import fake_stores

store = fake_stores.folder

MADE = diagnosis_files.made()
KAGGLE = diagnosis_files.kaggle()


def assert_whole(found):
    features, labels = diagnosis_files.table()
    np.testing.assert_array_equal(found.features, features)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.features.dtype == np.float32 and found.labels.dtype == np.uint8
    assert list(found.names) == diagnosis_files.NAMES


FORMS = {
    "made": MADE.encode(),
    "kaggle": KAGGLE.encode(),
    "kaggle with an empty last field": diagnosis_files.kaggle(end=",").encode(),
    "kaggle without quotes": diagnosis_files.kaggle(quotes=False).encode(),
    "CRLF": KAGGLE.replace("\n", "\r\n").encode(),
    "byte order mark": b"\xef\xbb\xbf" + KAGGLE.encode(),
    "no last line end": KAGGLE.encode()[:-1],
    "blank lines": ("\n" + MADE.replace("\n", "\n\n", 3) + "\n").encode(),
    "gzip": gzip.compress(KAGGLE.encode()),
    "bz2": bz2.compress(MADE.encode()),
    "blanks": MADE.replace("\nM,", "\n M ,").encode(),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_the_table_is_read_in_every_form(tmp_path, content):
    (tmp_path / "data.csv").write_bytes(content)
    assert_whole(diagnoses.read(str(tmp_path / "data.csv")))
    assert_whole(diagnoses.read(str(tmp_path)))
    assert_whole(diagnoses.read(str(tmp_path), split_bytes=7_000))


def test_the_kaggle_form_has_33_columns_for_other_readers_too(tmp_path):
    (tmp_path / "data.csv").write_text(KAGGLE)
    read = pd.read_csv(tmp_path / "data.csv")
    assert read.shape == (569, 33) and read["Unnamed: 32"].isna().all()


def test_the_data_set_and_its_parquet_are_read(tmp_path):
    for dataset in (breast_cancer.DATASET, as_parquet(breast_cancer.DATASET)):
        assert_whole(diagnoses.read(stores.locate(dataset, "tiny", str(tmp_path)).uri))


def test_parquet_as_pandas_writes_kaggles_table(tmp_path):
    (tmp_path / "data.csv").write_text(KAGGLE)
    pd.read_csv(tmp_path / "data.csv").to_parquet(tmp_path / "data.parquet")
    assert_whole(diagnoses.read(str(tmp_path / "data.parquet")))


def test_a_table_on_a_server(store):
    storage.write_bytes(storage.join(store, "data.csv.gz"), gzip.compress(KAGGLE.encode()))
    assert_whole(diagnoses.read(storage.join(store, "data.csv.gz")))
    assert_whole(diagnoses.read(store))


def test_columns_in_another_order_are_found_by_their_names(tmp_path):
    lines = [line.split(",") for line in MADE.splitlines()]
    turned = "".join(",".join(reversed(line)) + "\n" for line in lines)
    (tmp_path / "data.csv").write_text(turned)
    assert_whole(diagnoses.read(str(tmp_path / "data.csv")))


def test_files_of_a_folder_are_one_table(tmp_path):
    lines = MADE.splitlines(keepends=True)
    (tmp_path / "a.csv").write_text("".join(lines[:300]))
    (tmp_path / "b.csv").write_text("".join([lines[0], *lines[300:]]))
    assert_whole(diagnoses.read(str(tmp_path)))


# What is wrong, one case each: exit code 2, with file, line and column.


def refused(path, content) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        diagnoses.read(str(path))
    return str(caught.value).removeprefix(f"{path}")


def changed(line, place, value, text=MADE):
    """The text with another field; lines count from 1, fields from 0."""
    lines = [one.split(",") for one in text.splitlines()]
    lines[line - 1][place] = value
    return "".join(",".join(one) + "\n" for one in lines)


BAD = {
    "a label that is neither": (
        changed(40, 0, "X"),
        ", line 40, column diagnosis: 'X' is neither M (malignant) nor B (benign)",
    ),
    "a label that is missing": (changed(7, 0, ""), ", line 7, column diagnosis: '' is neither"),
    "a small letter": (changed(7, 0, "m"), ", line 7, column diagnosis: 'm' is neither"),
    "a word": (
        changed(569, 3, "large"),
        ", line 569, column perimeter_mean: 'large' is not a double",
    ),
    "a missing value": (changed(3, 1, ""), ", line 3, column radius_mean: a missing value, ''"),
    "not a number": (changed(3, 1, "nan"), ", line 3, column radius_mean: "),
    "infinite": (changed(3, 30, "inf"), ", line 3, column fractal_dimension_worst: inf is not"),
    "too large": (changed(3, 30, "1e39"), ", line 3, column fractal_dimension_worst: 1e+39 is not"),
    "a field too few": (
        MADE.replace(",0.1189\n", "\n", 1), ", line 2: expected 31 columns, found 30",
    ),
    "a field too many": (
        MADE.replace(",0.1189\n", ",0.1189,1\n", 1), ", line 2: expected 31 columns, found 32",
    ),
    "a truncated last line": (
        MADE[: MADE.rindex(",")], ", line 570: expected 31 columns, found 30",
    ),
    "a truncated last line of Kaggle's": (
        KAGGLE[: KAGGLE.rindex(",")], ", line 570: expected 32 columns, found 31",
    ),
    "an empty last field in some rows": (
        KAGGLE.replace(",0.08902\n", ",0.08902,\n", 1), ", line 3: expected 32 columns, found 33",
    ),
    "a NUL byte": (MADE.replace("\nM,17.99", "\nM,17\0.99", 1), ", line 2"),
    "a column missing": (
        "\n".join(line.rpartition(",")[0] for line in MADE.splitlines()),
        ", line 1: no column 'fractal_dimension_worst'; the file has: 'diagnosis', ",
    ),
    "no label": (MADE.replace("diagnosis", "target", 1), ", line 1: no column 'diagnosis'"),
    "a column twice": (
        MADE.replace("area_mean", "radius_mean", 1), ", line 1: column 'radius_mean' twice",
    ),
    "header only": (MADE.splitlines()[0] + "\n", ": no rows"),
    "empty": ("", ": no data: the input is empty"),
    "Latin-1": (MADE.replace("M,", "é,", 1).encode("latin-1"), ", line 2"),
    "damaged gzip": (gzip.compress(MADE.encode())[:4000], ", line "),
    "one class only": (
        "".join(line + "\n" for line in MADE.splitlines() if not line.startswith("B")),
        ": one class only: all rows are malignant",
    ),
    "few of one class": (
        "".join(MADE.splitlines(keepends=True)[:25]), " rows are benign: 10 or more are needed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "reason"), BAD.values(), ids=BAD)
def test_a_bad_table_is_refused_by_name_line_and_column(tmp_path, content, reason):
    said = refused(tmp_path / "data.csv", content)
    assert reason in said


def test_parquet_with_a_wrong_row_names_it(tmp_path):
    rows = pd.DataFrame(diagnosis_files.rows(60), columns=["diagnosis", *diagnosis_files.NAMES])
    rows = rows.astype(dict.fromkeys(diagnosis_files.NAMES, float))
    for name, value in (("diagnosis", "X"), ("area_se", np.inf)):
        wrong = rows.copy()
        wrong.loc[17, name] = value
        wrong.to_parquet(tmp_path / "data.parquet")
        with pytest.raises(DataError, match=rf"row 18 \(row group 0\), column {name}: "):
            diagnoses.read(str(tmp_path / "data.parquet"))
    rows.drop(columns="area_se").to_parquet(tmp_path / "data.parquet")
    with pytest.raises(DataError, match="no column 'area_se'"):
        diagnoses.read(str(tmp_path / "data.parquet"))


def test_a_folder_without_data_and_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="no data"):
        diagnoses.read(str(tmp_path))
    with pytest.raises(StorageError):
        diagnoses.read(str(tmp_path / "nowhere.csv"))


# How it is divided.


@pytest.mark.parametrize("seed", [42, 7, 2**40])
def test_parts_are_scikit_learns_and_normalised_by_the_training_part(seed):
    features, labels = diagnosis_files.table()
    found = diagnoses.divided(Diagnoses(features, labels, diagnosis_files.NAMES), seed)
    right = train_test_split(features, labels, test_size=0.2, random_state=seed % 2**32)
    scaler = StandardScaler().fit(right[0].astype(np.float64))
    np.testing.assert_allclose(found.train.features, scaler.transform(right[0]), atol=1e-5)
    np.testing.assert_allclose(found.test.features, scaler.transform(right[1]), atol=1e-5)
    np.testing.assert_array_equal(found.train.labels, right[2])
    np.testing.assert_array_equal(found.test.labels, right[3])
    assert (len(found.train), len(found.test)) == (455, 114)
    np.testing.assert_allclose(found.mean, scaler.mean_, rtol=1e-6)
    assert found.test.chance == np.mean(right[3] == 0)
    assert found.train.chance == np.mean(right[2] == 0)


def test_a_constant_column_stays_finite():
    features, labels = diagnosis_files.table()
    features[:, 4] = 3
    found = diagnoses.divided(Diagnoses(features, labels, diagnosis_files.NAMES), 1)
    assert not found.train.features[:, 4].any() and np.isfinite(found.test.features).all()


def test_the_made_table_is_scikit_learns():
    assert load_breast_cancer().data.shape == (569, 30)
    assert tuple(diagnosis_files.NAMES) == breast_cancer.FEATURES
