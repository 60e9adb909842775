"""Reading tables of samples: what is plain, what is unusual but right, what is missing."""

import gzip

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from studykit import cutting, storage
from studykit.errors import DataError
from synthetic_classifiers import clean_samples, samples
from synthetic_classifiers.layout import Asked
from tables import made

PLAIN = Asked("target", None, 2, missing=False)
MISSING = Asked("target", None, 2, missing=True)


def read(path, asked=PLAIN, split_size=1 << 20):
    """(features, labels) of a file, split by split."""
    form = samples.sniff(storage.absolute(str(path)), asked)
    splits = cutting.splits(str(path), split_size)
    features, labels = zip(*(samples.read(split, form) for split in splits), strict=True)
    return np.concatenate(features), np.concatenate(labels)


def refused(path, asked=PLAIN) -> str:
    with pytest.raises(DataError) as caught:
        read(path, asked)
    return str(caught.value)


@pytest.mark.parametrize("split_size", [3_000, 1 << 20])
def test_numbers_are_the_nearest_single_floats(tmp_path, split_size):
    path = tmp_path / "samples.csv"
    path.write_bytes(made(500))
    features, labels = read(path, split_size=split_size)
    names = [f"feature_{place}" for place in range(10)]
    right = pl.read_csv(path, schema_overrides=dict.fromkeys(names, pl.Float32))
    assert np.array_equal(features, right.select(names).to_numpy())
    assert labels.tolist() == right["target"].to_list()


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from("rgef"))
def test_every_way_to_write_a_number_is_read_alike(number, way):
    text = repr(float(number)) if way == "r" else f"{number:.12{way}}"
    data = np.frombuffer(f"{text},1\n".encode(), np.uint8)
    features, labels = np.empty((1, 1), np.float32), np.empty(1, np.int32)
    rows, _ = clean_samples.parse(data, 0, 1, np.array([2, 1]), 2, False, features, labels)
    if rows:  # What is not plain goes to the exact reader.
        assert features[0, 0] == np.float32(float(text))
        assert labels[0] == 1


def test_a_number_between_two_single_floats_is_left_to_the_exact_reader(tmp_path):
    # 1 + 2^-24 lies in the middle of two; a little more, and the upper one is nearer.
    path = tmp_path / "samples.csv"
    path.write_text("x,target\n1.000000059604644775,0\n1.00000005960464477540,1\n1.5,0\n")
    features, _ = read(path)
    assert features[:, 0].tolist() == [1.0, 1 + 2.0**-23, 1.5]


DIALECTS = {
    "as it is": b"a,b,target\n0.5,-1.5,1\n2,1e-3,0\n",
    "CRLF": b"a,b,target\r\n0.5,-1.5,1\r\n2,1e-3,0\r\n",
    "byte order mark": b"\xef\xbb\xbfa,b,target\n0.5,-1.5,1\n2,1e-3,0\n",
    "no last line end": b"a,b,target\n0.5,-1.5,1\n2,1e-3,0",
    "blank lines": b"\na,b,target\n\n0.5,-1.5,1\n\n2,1e-3,0\n\n",
    "quotes": b'"a","b","target"\n"0.5","-1.5","1"\n2,1e-3,0\n',
    "blanks around numbers": b"a,b,target\n 0.5, -1.5,1\n2,1e-3 ,0\n",
    "other order": b"target,b,a\n1,-1.5,0.5\n0,1e-3,2\n",
    "many digits": b"a,b,target\n0.50000000000000000000,-1.5,1\n2,0.00100000000000000000000,0\n",
}


@pytest.mark.parametrize("content", DIALECTS.values(), ids=DIALECTS)
def test_dialects_of_the_same_table(tmp_path, content):
    asked = Asked("target", ("a", "b"), 2, missing=False)
    for name, data in {"t.csv": content, "t.csv.gz": gzip.compress(content)}.items():
        (tmp_path / name).write_bytes(data)
        features, labels = read(tmp_path / name, asked)
        assert features.tolist() == [[0.5, -1.5], [2, np.float32(1e-3)]]
        assert labels.tolist() == [1, 0]


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_parquet_holds_the_same_samples(tmp_path, kind):
    (tmp_path / "t.csv").write_bytes(made(300))
    features, labels = read(tmp_path / "t.csv")
    columns = {
        f"feature_{place}": pa.array(column, kind) for place, column in enumerate(features.T)
    }
    table = pa.table({**columns, "comment": ["x"] * 300, "target": labels})
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=70)
    asked = Asked("target", tuple(columns), 2, missing=False)
    found = read(tmp_path / "t.parquet", asked, split_size=1)
    assert np.array_equal(found[0], features)
    assert np.array_equal(found[1], labels)


@pytest.mark.parametrize("word", ["", "NA", "nan", "null", " ", '""'])
def test_trees_take_missing_values(tmp_path, word):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b,target\n0.5,{word},1\n{word},2.5,0\n")
    features, labels = read(path, MISSING)
    assert np.array_equal(features, [[0.5, np.nan], [np.nan, 2.5]], equal_nan=True)
    assert labels.tolist() == [1, 0]
    assert "line 2, column b" in refused(path)


def test_missing_values_of_parquet(tmp_path):
    table = pa.table({"a": [0.5, None], "b": [None, 2.5], "target": [1, 0]})
    parquet.write_table(table, tmp_path / "t.parquet")
    features, _ = read(tmp_path / "t.parquet", MISSING)
    assert np.array_equal(features, [[0.5, np.nan], [np.nan, 2.5]], equal_nan=True)
    line = refused(tmp_path / "t.parquet")
    assert "row 1" in line and "column b" in line and "missing" in line


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("0.5,inf,1", "line 2, column b: inf is not a finite number"),
        ("0.5,1e60,1", "line 2, column b"),
        ("0.5,1,-1", "line 2, column target"),
        ("0.5,1,99999999999", "line 2, column target"),
        ("0.5,1,A", "line 2, column target: 'A' is not an integer"),
        ("0,5,1,1", "line 2: expected 3 columns, found 4"),
    ],
)
@pytest.mark.parametrize("asked", [PLAIN, MISSING], ids=["plain", "missing"])
def test_what_is_wrong_is_named(tmp_path, rows, said, asked):
    path = tmp_path / "t.csv"
    path.write_text(f"a,b,target\n{rows}\n0.5,1,0\n")
    assert said in refused(path, asked)


def test_wrong_rows_of_parquet_are_named(tmp_path):
    table = pa.table({"a": [0.5, float("inf")], "target": [1, 0]})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert "row 2 (row group 0), column a: inf is not a finite number" in refused(
        tmp_path / "t.parquet"
    )
    parquet.write_table(pa.table({"a": [0.5], "target": [7]}), tmp_path / "u.parquet")
    assert "7 is no class: they are 0 to 1" in refused(tmp_path / "u.parquet")


def test_files_of_a_folder_have_the_same_features(tmp_path):
    (tmp_path / "one.csv").write_text("a,b,target\n1,2,0\n")
    (tmp_path / "two.csv").write_text("a,c,target\n1,2,0\n")
    uris = [storage.absolute(str(tmp_path / name)) for name in ("one.csv", "two.csv")]
    with pytest.raises(DataError, match=r"features a, c; one\.csv has a, b"):
        samples.formats(uris, PLAIN)
