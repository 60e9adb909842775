"""The rows: the same bytes however they are made, uniform, and with the signal asked for."""

import gzip
import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv
from study_data import data, halves, uniform_rows
from studykit.errors import DataError, UsageError
from studytest import running
from studytest.columns import as_parquet

TINY = uniform_rows.DATASET.sizes["tiny"]


def text(rows: int, seed: int = 0, **asked: float) -> bytes:
    return b"".join(uniform_rows.blocks(rows, seed, **asked))  # type: ignore[arg-type]


def table(written: bytes) -> pa.Table:
    return csv.read_csv(io.BytesIO(written))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_rows", [7, 1_000, 2_999, 3_000, 3_001])
def test_bytes_do_not_depend_on_threads_or_chunks(threads: int, chunk_rows: int) -> None:
    assert text(3_000, threads=threads, chunk_rows=chunk_rows) == text(3_000, threads=1)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(0, 300), more=st.integers(0, 300), seed=st.integers(0, 2**70))
def test_a_smaller_file_is_the_beginning_of_a_larger_one(rows: int, more: int, seed: int) -> None:
    written = text(rows, seed)
    assert text(rows + more, seed).startswith(written)
    assert len(written) == uniform_rows.bytes_of(rows)


def test_tiny_is_what_the_catalogue_expects() -> None:
    written = text(TINY.rows)
    assert len(written) == TINY.bytes
    assert hashlib.sha256(written).hexdigest() == TINY.sha256


@pytest.mark.parametrize("size", uniform_rows.ROWS)
def test_sizes_hold_within_one_per_cent(size: str) -> None:
    wanted = {"tiny": 2e6, "100mb": 1e8}.get(size) or float(size.removesuffix("gb")) * 1e9
    assert uniform_rows.DATASET.sizes[size].bytes == pytest.approx(wanted, rel=0.01)


def test_the_sizes_named_after_the_paper_have_about_as_many_rows() -> None:
    """The paper: 180,000,000 rows in its "8.57 GB"; section III.B: around 197 million in "9.4"."""
    sizes = uniform_rows.DATASET.sizes
    assert sizes["8.57gb"].rows == pytest.approx(180e6, rel=0.01)
    assert sizes["9.42gb"].rows == pytest.approx(197e6, rel=0.01)
    assert sizes["100gb"].bytes / sizes["100gb"].rows == pytest.approx(48, abs=0.7)


def test_another_seed_gives_other_rows() -> None:
    assert text(100, seed=1) != text(100, seed=2)


def test_lines_are_ids_two_decimals_and_a_letter() -> None:
    header, *lines = text(2_000).decode().splitlines()
    assert header == "id,x,y,category"
    assert len(lines) == 2_000
    for number, line in enumerate(lines):
        key, x, y, category = line.split(",")
        assert key == str(number)
        assert category in "ABCD" and len(category) == 1
        assert all(len(value) == 17 and 0 <= float(value) < 1 for value in (x, y))


def test_numbers_are_uniform_and_independent_of_each_other_and_of_the_category() -> None:
    rows = table(text(TINY.rows))
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    for values in (x, y):
        tenths = np.histogram(values, bins=10, range=(0, 1))[0]
        assert np.all(np.abs(tenths - TINY.rows / 10) < 5 * (TINY.rows / 10) ** 0.5)
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.02
    for category in "ABCD":
        own = rows["category"].to_numpy() == category
        assert own.mean() == pytest.approx(0.25, abs=0.01)
        assert x[own].mean() == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize("signal", [0.0, 0.3, 1.0])
def test_the_signal_is_the_share_of_rows_that_follow_the_rule(signal: float) -> None:
    rows = table(text(40_000, signal=signal))
    quarter = (rows["x"].to_numpy() >= 0.5) + 2 * (rows["y"].to_numpy() >= 0.5)
    follows = np.array(list("ABCD"))[quarter] == rows["category"].to_numpy()
    assert follows.mean() == pytest.approx(signal + (1 - signal) / 4, abs=0.01)


def test_a_signal_outside_0_and_1_is_refused() -> None:
    assert uniform_rows.dataset(0.5).name == "uniform-rows-signal-0.5"
    with pytest.raises(UsageError, match=r"--signal 1\.5"):
        uniform_rows.dataset(1.5)


@pytest.mark.parametrize("rows", [2, 3, 1_000])
@pytest.mark.parametrize("block", [10, 100, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_halves_are_the_whole(tmp_path, monkeypatch, rows, block, end):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(halves, "BLOCK_BYTES", block)
    whole = text(rows).removesuffix(b"\n") + end
    (tmp_path / "rows.csv").write_bytes(whole)
    first, second = halves.split(str(tmp_path / "rows.csv"), str(tmp_path / "halves"))
    contents = [Path(half).read_bytes() for half in (first, second)]
    assert contents[0] + contents[1].removeprefix(uniform_rows.HEADER) == whole
    counts = [len(content.splitlines()) - 1 for content in contents]
    assert counts == [(rows + 1) // 2, rows // 2]


def test_the_command_says_where_the_halves_are(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rows.csv"
    path.write_bytes(text(10))
    finished = running.run(data.__name__, "split", path)
    assert finished.code == 0, finished.stderr
    assert (tmp_path / "half2.csv").read_bytes().count(b"\n") == 6
    assert str(tmp_path / "half1.csv") in finished.stderr
    assert running.run(data.__name__, "split", tmp_path / "no.csv").code == 5


def test_one_row_has_no_halves(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rows.csv"
    path.write_bytes(text(1))
    with pytest.raises(DataError, match="1 rows"):
        halves.split(str(path), str(tmp_path))


@pytest.mark.parametrize(("form", "said"), [(as_parquet, "Parquet"), (gzip.compress, "gzip")])
def test_only_a_plain_text_has_halves(tmp_path, form, said) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "rows.csv"
    path.write_bytes(form(text(100)))
    with pytest.raises(DataError, match=said) as caught:
        halves.split(str(path), str(tmp_path / "halves"))
    assert caught.value.uri == str(path)
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
