"""The same bytes however they are made, of the shape asked for, of one concept or many."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet
from study_data import as_parquet, stores, synthetic_classes
from study_data.synthetic_concepts import PAPERS, Concept, Shape
from studykit import storage
from studykit.errors import UsageError

Array = npt.NDArray[Any]
TINY = synthetic_classes.DATASET.sizes["tiny"]
WIDE = Shape(features=12, informative=4, redundant=3, classes=5, clusters_per_class=3, flip=0.2)


def text(rows: int, seed: int = 0, **asked: Any) -> bytes:
    return b"".join(synthetic_classes.blocks(rows, seed, **asked))


def table(written: bytes) -> tuple[Array, Array]:
    """Features float64[n, features], labels int64[n]."""
    columns = csv.read_csv(io.BytesIO(written)).to_pydict()
    labels = np.array(columns.pop("target"))
    return np.array(list(columns.values())).T, labels


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_rows", [7, 1_000, 2_999, 3_000, 3_001])
def test_bytes_do_not_depend_on_threads_or_chunks(threads: int, chunk_rows: int) -> None:
    for part in (None, 701):
        made = text(3_000, threads=threads, chunk_rows=chunk_rows, rows_of_a_concept=part)
        assert made == text(3_000, threads=1, rows_of_a_concept=part)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(0, 300), more=st.integers(0, 300), seed=st.integers(0, 2**70))
def test_a_smaller_file_is_the_beginning_of_a_larger_one(rows: int, more: int, seed: int) -> None:
    assert text(rows + more, seed).startswith(text(rows, seed))


def test_tiny_is_what_the_catalogue_expects() -> None:
    written = text(TINY.rows)
    assert len(written) == TINY.bytes
    assert hashlib.sha256(written).hexdigest() == TINY.sha256


def test_another_seed_gives_another_concept_and_other_rows() -> None:
    assert text(100, seed=1) != text(100, seed=2)
    assert not np.array_equal(Concept.of(PAPERS, 1).sums, Concept.of(PAPERS, 2).sums)


def test_lines_are_numbers_of_16_decimals_and_a_label() -> None:
    header, *lines = text(2_000).decode().splitlines()
    assert header == ",".join([f"feature_{n}" for n in range(10)]) + ",target"
    assert len(lines) == 2_000
    for line in lines:
        *numbers, label = line.split(",")
        assert len(numbers) == 10 and label in "01"
        assert all(len(number.partition(".")[2]) == 16 for number in numbers)


def test_every_row_is_a_point_of_its_cluster() -> None:
    """Computed once more, from the concept and the row's words, by NumPy."""
    concept = Concept.of(WIDE, 9)
    features, labels = table(text(5_000, seed=9, shape=WIDE))
    informative = features[:, np.argsort(concept.order)[: WIDE.informative]]
    redundant = features[:, np.argsort(concept.order)[WIDE.informative :][: WIDE.redundant]]
    assert informative @ concept.sums == pytest.approx(redundant, abs=1e-12)
    # Which cluster: the one whose matrix makes of the point what sums of four uniforms can be.
    bound = 2 * np.sqrt(3) + 1e-9
    inside = []
    for centre, matrix in zip(concept.centres, concept.matrices, strict=True):
        normals = np.linalg.solve(matrix.T, (informative - centre).T).T
        inside.append((abs(normals) <= bound).all(axis=1))
    assert np.any(inside, axis=0).all()
    alone = np.sum(inside, axis=0) == 1
    right = np.argmax(inside, axis=0)[alone] % WIDE.classes == labels[alone]
    kept = 1 - WIDE.flip * (1 - 1 / WIDE.classes)
    assert alone.sum() > 200 and right.mean() == pytest.approx(kept, abs=0.06)


def test_redundant_features_add_no_dimension_and_noise_does() -> None:
    features, _ = table(text(5_000))
    assert np.linalg.matrix_rank(features, tol=1e-9) == PAPERS.informative
    wide, _ = table(text(5_000, shape=WIDE))
    assert np.linalg.matrix_rank(wide, tol=1e-9) == WIDE.features - WIDE.redundant
    assert len(set(wide.std(axis=0).round(2))) > 3
    noise = wide[:, Concept.of(WIDE, 0).order >= WIDE.informative + WIDE.redundant]
    assert noise.mean(axis=0) == pytest.approx(0, abs=0.06)
    assert noise.std(axis=0) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("shape", [PAPERS, WIDE])
def test_classes_are_equally_frequent_and_counted_without_the_text(shape: Shape) -> None:
    _, labels = table(text(20_000, seed=3, shape=shape))
    counts = np.bincount(labels, minlength=shape.classes)
    assert counts.tolist() == synthetic_classes.class_counts(20_000, 3, shape)
    assert counts / 20_000 == pytest.approx(1 / shape.classes, abs=0.015)


def accuracy(features: Array, labels: Array, train: slice, test: slice) -> float:
    """Of a least-squares rule of the features and their products, learned here, asked there."""
    one = np.ones((len(features), 1))
    known = np.hstack([one, features, *(features * features[:, [n]] for n in range(5))])
    rule, *_ = np.linalg.lstsq(known[train], 2.0 * labels[train] - 1, rcond=None)
    return float(np.mean((known[test] @ rule > 0) == labels[test]))


def test_one_concept_holds_for_the_whole_file_and_the_published_ones_do_not() -> None:
    first, later = slice(0, 5_000), slice(5_000, 10_000)
    one = table(text(10_000))
    assert accuracy(*one, first, later) == pytest.approx(accuracy(*one, first, first), abs=0.02)
    many = table(text(10_000, rows_of_a_concept=5_000))
    assert accuracy(*many, first, first) > 0.8
    assert accuracy(*many, first, later) < accuracy(*many, later, later) - 0.1


def test_the_published_data_set_has_a_concept_for_300_000_rows() -> None:
    published = synthetic_classes.dataset(concept="published")
    assert published.make is not None and published.name == "synthetic-classes-published"
    whole = b"".join(published.make(300_010, 0)).splitlines()
    assert whole[:300_001] == text(300_000).splitlines()
    assert whole[-10:] != text(300_010).splitlines()[-10:]


def test_a_shape_stands_in_the_name_of_its_data_set() -> None:
    named = synthetic_classes.dataset(Shape(classes=3, separation=0.5), "published")
    assert named.name == "synthetic-classes-published-classes-3-separation-0.5"
    made = text(1_000, shape=WIDE)
    about = synthetic_classes.dataset(WIDE).sizes["tiny"]
    assert len(made) * about.rows / 1_000 == pytest.approx(about.bytes, rel=0.1)


def test_the_sidecar_says_what_the_file_is(tmp_path: Path) -> None:
    for dataset in (synthetic_classes.DATASET, as_parquet.as_parquet(synthetic_classes.DATASET)):
        found = stores.locate(dataset, "tiny", str(tmp_path))
        said = json.loads(storage.read_bytes(stores.sidecar_of(found.uri)))
        assert said["parameters"]["informative"] == 5 and said["parameters"]["concept"] == "one"
        assert said["class_counts"] == synthetic_classes.class_counts(TINY.rows)
        assert sum(said["class_counts"]) == said["rows"] == TINY.rows
        assert (said["bytes"], said["sha256"]) == (found.bytes, found.sha256)
        assert "feature_0" in said["schema"]
    rows = parquet.read_table(found.uri.removeprefix("file://"))
    assert rows.schema.field("feature_9").type == pa.float32() and rows.num_rows == TINY.rows
    features, labels = table(text(TINY.rows))
    assert rows["target"].to_numpy().tolist() == labels.tolist()
    assert np.array_equal(rows["feature_3"].to_numpy(), features[:, 3].astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ({"informative": 0}, "one informative"),
        ({"classes": 1}, "two classes"),
        ({"informative": 6}, "more than 10"),
        ({"classes": 20}, "40 clusters"),
        ({"flip": 1.5}, "1.5"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(shape: dict[str, float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Shape(**shape)  # type: ignore[arg-type]


def test_a_concept_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="--concept two: choose one, published"):
        synthetic_classes.dataset(concept="two")
