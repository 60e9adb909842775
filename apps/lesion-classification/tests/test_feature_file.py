"""The file of features: the same bytes however often its making was interrupted."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesion_classification import feature_file, parts
from lesion_classification.decoding import Broken
from lesion_classification.feature_file import FeatureFile, Key
from lesion_classification.parts import Part
from pyarrow import parquet
from studykit import storage
from studykit.errors import DataError
from studytest import fake_stores

store = fake_stores.folder

KEY = Key("a" * 64, "bfloat16", "b" * 64)
COUNT = 3 * parts.PART + 5
PATHS = [f"images/{number:03d}.jpg" for number in range(COUNT)]
FEATURES = np.random.default_rng(5).random((COUNT, 2048), np.float32)
BAD = Broken(40, PATHS[40], "is no image")


def part(number, broken=()):
    out = {one.number for one in broken}
    numbers = [one for one in parts.ranges(COUNT)[number] if one not in out]
    return Part(number, numbers, FEATURES[numbers], broken)


def made(uri, key=KEY):
    file = FeatureFile(uri, key, PATHS)
    for number in file.missing():
        file.append(part(number))
    assert file.finish() == []
    return storage.read_bytes(uri)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_features_come_back_as_they_were_given(store, kind):
    uri = storage.join(store, "answer/features.parquet")
    made(uri, replace(KEY, feature_type=kind))
    paths, features = feature_file.read(uri)
    assert paths == PATHS
    assert features.dtype == kind
    np.testing.assert_array_equal(features, FEATURES.astype(kind))
    assert storage.list_files(store) == [uri]  # No part is left.


def test_any_reader_of_parquet_finds_names_and_lists(tmp_path):
    made(str(tmp_path / "features.parquet"))
    table = parquet.read_table(tmp_path / "features.parquet")
    assert table.column_names == ["image", "features"]
    assert str(table["features"].type).startswith("fixed_size_list<")
    assert table["features"][70].as_py() == FEATURES[70].tolist()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(order=st.permutations(range(4)), stops=st.sets(st.integers(0, 4)))
def test_the_file_is_the_same_in_whatever_order_and_however_often_interrupted(
    tmp_path_factory, order, stops
):
    folder = tmp_path_factory.mktemp("features")
    right = made(str(folder / "at-once.parquet"))
    uri = str(folder / "features.parquet")
    file = FeatureFile(uri, KEY, PATHS)
    for done, number in enumerate(order):
        if done in stops:
            file = FeatureFile(uri, KEY, PATHS)
            assert file.missing() == sorted(order[done:])
        file.append(part(number))
    FeatureFile(uri, KEY, PATHS).finish()
    assert storage.read_bytes(uri) == right


def test_a_finished_file_is_not_made_again(store):
    uri = storage.join(store, "features.parquet")
    made(uri)
    file = FeatureFile(uri, KEY, PATHS)
    assert file.is_complete
    assert file.missing() == []
    assert file.finish() == []


def test_what_a_killed_writer_left_is_no_part(tmp_path):
    uri = str(tmp_path / "features.parquet")
    FeatureFile(uri, KEY, PATHS).append(part(1))
    (tmp_path / "features.parquet.parts" / ".000002.arrow.77-0011aabb.tmp").write_bytes(b"half")
    assert FeatureFile(uri, KEY, PATHS).missing() == [0, 2, 3]


OTHERS = {
    "weights": "c" * 64,
    "precision": "float32",
    "images": "d" * 64,
    "feature_type": "float16",
}


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("field", OTHERS)
def test_features_of_something_else_are_refused(tmp_path, field, finished):
    uri = str(tmp_path / "features.parquet")
    file = FeatureFile(uri, KEY, PATHS)
    file.append(part(0))
    if finished:
        made(uri)
    name = field.replace("feature_", "")
    with pytest.raises(DataError, match=f"holds features of other {name}") as caught:
        FeatureFile(uri, replace(KEY, **{field: OTHERS[field]}), PATHS)
    assert str(caught.value.uri).startswith(uri)


def test_broken_images_are_left_out_and_told_of(tmp_path):
    uri = str(tmp_path / "features.parquet")
    file = FeatureFile(uri, KEY, PATHS, skip_broken=True)
    for number in (1, 0, 3, 2):
        file.append(part(number, [BAD] if number == 1 else []))
    assert FeatureFile(uri, KEY, PATHS, skip_broken=True).missing() == []
    # Who does not skip broken images has that part computed again, so that they are named.
    assert FeatureFile(uri, KEY, PATHS).missing() == [1]
    assert file.finish() == [BAD]
    assert feature_file.broken_in(uri) == [BAD]
    paths, features = feature_file.read(uri)
    assert paths == PATHS[:40] + PATHS[41:]
    np.testing.assert_array_equal(features, np.delete(FEATURES, 40, axis=0))
    assert FeatureFile(uri, KEY, PATHS, skip_broken=True).finish() == [BAD]
    with pytest.raises(DataError, match=r"^[^:]*: 1 images were broken .*images/040\.jpg"):
        FeatureFile(uri, KEY, PATHS)


def test_features_too_large_for_their_type_are_said(tmp_path):
    file = FeatureFile(str(tmp_path / "f.parquet"), replace(KEY, feature_type="float16"), PATHS)
    large = replace(part(2), features=FEATURES[:32] * 1e6)
    with pytest.raises(DataError, match="part 2 are too large for float16"):
        file.append(large)
    assert file.missing() == [0, 1, 2, 3]


def test_a_damaged_part_is_named(tmp_path):
    uri = str(tmp_path / "features.parquet")
    file = FeatureFile(uri, KEY, PATHS)
    for number in file.missing():
        file.append(part(number))
    damaged = tmp_path / "features.parquet.parts" / "000002.arrow"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    with pytest.raises(DataError, match="a part that is damaged") as caught:
        FeatureFile(uri, KEY, PATHS).finish()
    assert caught.value.uri == str(damaged)
    assert not (tmp_path / "features.parquet").exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PAR1"])
def test_a_file_of_somebody_else_is_left_as_it_is(tmp_path, content):
    path = tmp_path / "features.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is no file of features"):
        FeatureFile(str(path), KEY, PATHS)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_read_is_named(tmp_path):
    uri = str(tmp_path / "features.parquet")
    FeatureFile(uri, KEY, PATHS)
    key = tmp_path / "features.parquet.parts" / "key.json"
    key.write_text(json.dumps({"weights": "x"}))
    with pytest.raises(DataError, match="does not say what the features are of"):
        FeatureFile(uri, KEY, PATHS)


def test_the_fingerprint_of_images_hangs_on_their_order_names_and_sizes():
    right = {"a.jpg": 10, "b.jpg": 20}
    prints = [
        feature_file.fingerprint(one)
        for one in (right, {"b.jpg": 20, "a.jpg": 10}, {"a.jpg": 11, "b.jpg": 20}, {"a.jpg": 10})
    ]
    assert len(set(prints)) == 4
    assert feature_file.fingerprint(dict(right)) == prints[0]


@given(st.integers(1, 400_000))
def test_parts_hold_every_image_once_in_order(images):
    found = parts.ranges(images)
    assert found[0].start == 0
    assert found[-1].stop == images
    assert all(one.stop == other.start for one, other in pairwise(found))
    assert len(found) <= parts.MOST_PARTS
    assert min(map(len, found)) >= 1
