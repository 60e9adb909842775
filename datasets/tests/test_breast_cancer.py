"""The Wisconsin table: scikit-learn's, digit for digit, under the names of Kaggle's."""

import csv
import io

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from sklearn.datasets import load_breast_cancer
from study_data import breast_cancer, keeping, stores
from study_data.as_parquet import as_parquet
from studykit import storage


def test_tiny_is_scikit_learns_table(tmp_path):
    """Its bytes and hash, which making it compares; every number comes back as it was."""
    dataset = breast_cancer.DATASET
    found = stores.locate(dataset, "tiny", str(tmp_path))
    assert (found.rows, found.sha256) == (569, dataset.sizes["tiny"].sha256)
    assert keeping.verify(dataset, "tiny", found.uri) == found
    rows = list(csv.reader(io.StringIO(storage.read_bytes(found.uri).decode())))
    data = load_breast_cancer()
    values = np.array([[float(value) for value in row[1:]] for row in rows[1:]])
    np.testing.assert_array_equal(values, data.data)
    assert [row[0] for row in rows[1:]] == [{0: "M", 1: "B"}[target] for target in data.target]
    assert [row[0] for row in rows[1:]].count("M") == 212


def test_columns_are_scikit_learns_under_other_names():
    kinds = {"mean": "mean {}", "se": "{} error", "worst": "worst {}"}
    names = [column.rsplit("_", 1) for column in breast_cancer.FEATURES]
    expected = [kinds[kind].format(measure.replace("_", " ")) for measure, kind in names]
    assert expected == list(load_breast_cancer().feature_names)


def test_every_seed_gives_the_same_and_fewer_rows_are_the_first_ones():
    text = b"".join(breast_cancer.blocks(569))
    assert b"".join(breast_cancer.blocks(569, seed=7)) == text
    assert text.startswith(b"".join(breast_cancer.blocks(3)))


def test_parquet_has_the_same_rows(tmp_path):
    found = stores.locate(as_parquet(breast_cancer.DATASET), "tiny", str(tmp_path))
    table = parquet.read_table(storage.local_path(found.uri))
    assert table.schema.field("diagnosis").type == pa.string()
    np.testing.assert_array_equal(
        np.stack([column.to_numpy() for column in table.columns[1:]], axis=1),
        load_breast_cancer().data,
    )
