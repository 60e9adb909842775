"""The check of what was read passes every form of the data, and finds what is not the data."""

import dataclasses
import gzip

import diagnosis_files
import numpy as np
import pandas as pd
import picture_files
import pytest
from hyperparameter_tuning import diagnoses, oracle_data, pictures
from study_data import breast_cancer, cifar_like, stores
from studykit.errors import CheckError

TRAIN, TEST = picture_files.random_pictures(30), picture_files.random_pictures(9, seed=1)


def divided(uri, seed=42):
    return diagnoses.divided(diagnoses.read(str(uri)), seed)


@pytest.mark.parametrize("end", ["", ","])
@pytest.mark.parametrize("seed", [42, 7])
def test_tables_are_read_again_in_every_form(tmp_path, end, seed):
    text = diagnosis_files.kaggle(end=end)
    forms = {
        "a.csv": text.encode(),
        "b.csv": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        "c.csv.gz": gzip.compress(diagnosis_files.made().encode()),
    }
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
    pd.read_csv(tmp_path / "a.csv").to_parquet(tmp_path / "d.parquet")
    for name in (*forms, "d.parquet"):
        uri = str(tmp_path / name)
        assert oracle_data.check_diagnoses(uri, seed, divided(uri, seed))["rows_read_again"] == 569


def test_another_table_or_division_is_found(tmp_path):
    uri = stores.locate(breast_cancer.DATASET, "tiny", str(tmp_path)).uri
    found = divided(uri)
    for wrong, what in (
        (divided(uri, 43), "labels of the train part"),
        (dataclasses.replace(found, test=divided(uri, 43).test), "labels of the test part"),
    ):
        with pytest.raises(CheckError, match=rf"^{what}: expected"):
            oracle_data.check_diagnoses(uri, 42, wrong)
    features = found.test.features.copy()
    features[3, 4] += 1e-3
    wrong = dataclasses.replace(found, test=dataclasses.replace(found.test, features=features))
    with pytest.raises(CheckError, match=r"^features: expected"):
        oracle_data.check_diagnoses(uri, 42, wrong)


def write(folder, form):
    if form in ("binary", "pickled"):
        picture_files.write_batches(folder, TRAIN, TEST, form)
    else:
        picture_files.write_folder(folder, "train", TRAIN[0], TRAIN[1], form="JPEG")
        picture_files.write_folder(folder, "test", *TEST)
    return str(folder)


FORMS = ("binary", "pickled", "folders")


@pytest.mark.parametrize("form", FORMS)
def test_pictures_are_read_again_in_every_form(tmp_path, form):
    uri = write(tmp_path, form)
    assert oracle_data.check_pictures(uri, *pictures.read(uri)) == {"pictures_read_again": 39}


def test_one_part_that_was_divided(tmp_path):
    picture_files.write_folder(tmp_path, "test", *TRAIN)
    uri = str(tmp_path)
    train, test = pictures.read(uri, 3)
    assert oracle_data.check_pictures(uri, train, test) == {"pictures_read_again": 30}
    with pytest.raises(CheckError, match=r"^pictures held out by class: expected"):
        oracle_data.check_pictures(uri, test, train)
    with pytest.raises(CheckError, match=r"^pictures of both parts: .* 6 of them not and 0 others"):
        oracle_data.check_pictures(uri, train, train.at(np.arange(0), "test"))


def test_the_made_pictures(tmp_path):
    made = stores.locate(cifar_like.DATASET, "tiny", str(tmp_path)).uri
    assert oracle_data.check_pictures(made, *pictures.read(made))["pictures_read_again"] == 2400


def test_the_real_pictures():
    real = str(picture_files.real_pictures())
    assert oracle_data.check_pictures(real, *pictures.read(real))["pictures_read_again"] == 200


@pytest.mark.parametrize("form", FORMS)
def test_a_wrong_picture_class_or_part_is_found(tmp_path, form):
    uri = write(tmp_path, form)
    train, test = pictures.read(uri)
    pixels, labels = train.pixels.copy(), train.labels.copy()
    pixels[5, 3, 3, 1] ^= 1
    labels[5] = (labels[5] + 1) % 3
    for wrong in (
        (dataclasses.replace(train, pixels=pixels), test),
        (dataclasses.replace(train, pixels=train.pixels[..., ::-1]), test),
        (dataclasses.replace(train, labels=labels), test),
        (train.at(np.arange(29), "train"), test),
        (train, train),
    ):
        with pytest.raises(CheckError, match=r"^pictures of the (train|test) part: expected"):
            oracle_data.check_pictures(uri, *wrong)
