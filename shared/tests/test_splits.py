"""Byte ranges: together they are the file, line for line, wherever the cuts fall."""

import dataclasses
import gzip
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from studykit import storage
from studykit.errors import DataError, StorageError, UsageError
from studykit.storage import Block, Split, reading
from studykit.storage.folders import find
from studytest import fake_stores
from studytest.forms import COMPRESSED

LINES = st.lists(
    st.tuples(
        st.one_of(st.text("0,é€𐍈 \t\r", max_size=9), st.just("x" * 60)),
        st.sampled_from(["\n", "\r\n"]),
    ).map("".join),
    min_size=1,
    max_size=12,
).map("".join)
TEXTS = st.builds(lambda lines, end: (lines + end).encode(), LINES, st.sampled_from(["", "1,2"]))
SIZES = st.integers(1, 100)
kept_folder = fake_stores.kept_folder


def text_of(split: Split) -> bytes:
    """All lines of a split."""
    return b"".join(block.data.tobytes() for block in storage.read_blocks(split))


@pytest.fixture(scope="module")
def folder(kept_folder: str) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        # A short tail makes long lines of the few hundred bytes that examples have.
        patch.setattr(reading, "TAIL_BYTES", 8)
        yield kept_folder


@settings(deadline=None)
@given(TEXTS, SIZES)
@example(b"\n", 1)
@example(b"\n\n\n", 1)
@example(b"a", 1)
@example(b"a\r\nb\r\n", 2)
@example(b"x" * 5000 + b"\n" + b"y" * 5000, 7)
@example("é\n€\n𐍈\n".encode(), 1)
def test_the_lines_of_all_splits_are_the_file(folder: str, text: bytes, size: int) -> None:
    uri = storage.join(folder, "a.csv")
    storage.write_bytes(uri, text)
    read = 0
    for split in storage.splits(uri, size):
        (block,) = storage.read_blocks(split)
        if len(block.data):
            assert block.offset == read
            assert text[: block.offset].endswith(b"\n") or block.offset == 0
            assert block.data.dtype == np.uint8
            assert not block.data.flags.writeable
        assert block.data.tobytes() == text[read : read + len(block.data)]
        read += len(block.data)
    assert read == len(text)


@settings(deadline=None)
@given(TEXTS, SIZES)
def test_each_line_belongs_to_the_split_of_its_first_byte(
    folder: str, text: bytes, size: int
) -> None:
    uri = storage.join(folder, "a.csv")
    storage.write_bytes(uri, text)
    starts = [0] + [found.end() for found in re.finditer(b"\n", text) if found.end() < len(text)]
    for split in storage.splits(uri, size):
        inside = [start for start in starts if split.start <= start < split.stop]
        lines = text_of(split).splitlines(keepends=True)
        # splitlines also cuts at a lone carriage return; count line feeds instead.
        ends = b"".join(lines).count(b"\n")
        unfinished = bool(lines) and not lines[-1].endswith(b"\n")
        assert ends + unfinished == len(inside)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_the_line_number_counts_from_the_start_of_the_file(
    folder: str, text: bytes, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(0, len(text) - 1))
    for content in (text, *(compress(text) for compress in COMPRESSED.values())):
        uri = storage.join(folder, "a.csv")
        storage.write_bytes(uri, content)
        assert storage.line_numbers(uri, [offset]) == [text[:offset].count(b"\n") + 1]


def test_line_numbers_are_counted_over_several_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BLOCK_BYTES", 3)
    (tmp_path / "a.csv").write_bytes(b"1\n22\n333\n\n5")
    offsets = [0, 1, 2, 5, 8, 9, 10]
    numbers = [1, 1, 2, 3, 3, 4, 5]
    assert storage.line_numbers(f"{tmp_path}/a.csv", offsets) == numbers
    assert [storage.line_numbers(f"{tmp_path}/a.csv", [one])[0] for one in offsets] == numbers


def test_a_local_split_is_a_view_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2\n" * 100_000)
    (block,) = storage.read_blocks(storage.splits(str(path), 300_000)[1])
    assert not block.data.flags.owndata
    with open(path, "r+b") as file:
        file.seek(block.offset)
        file.write(b"9")
    assert block.data[0] == ord("9")


def test_a_folder_is_cut_file_by_file(folder: str) -> None:
    there = storage.join(folder, "parts") if not folder.startswith("s3") else folder
    for name in find(folder):
        storage.remove(name)
    storage.write_bytes(storage.join(there, "b.csv"), b"3\n4")
    storage.write_bytes(storage.join(there, "a.csv"), b"1\n2\n")
    storage.write_bytes(storage.join(there, "empty.csv"), b"")
    cut = storage.splits(there, 3)
    assert [(split.uri[-5:], split.start, split.stop) for split in cut] == [
        ("a.csv", 0, 3),
        ("a.csv", 3, 4),
        ("b.csv", 0, 3),
    ]
    assert b"".join(text_of(split) for split in cut) == b"1\n2\n3\n4"


def test_an_empty_file_is_a_data_error(folder: str) -> None:
    uri = storage.join(folder, "nothing.csv")
    storage.write_bytes(uri, b"")
    with pytest.raises(DataError, match=re.escape(uri) + ".*empty"):
        storage.splits(uri, 10)


def test_a_split_of_no_bytes_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        storage.splits(str(tmp_path), 0)


def test_a_file_that_changed_since_the_cut_is_a_storage_error(folder: str) -> None:
    for name, old, new in (
        ("a.csv", b"1\n2\n", b"1\n2\n3\n"),
        ("b.csv", b"1\n2\n", b"1\n"),
        ("c.csv", gzip.compress(b"1\n"), gzip.compress(b"1\n2\n3\n")),
        ("d.csv", gzip.compress(b"1\n"), b"1\n2\n3\n"),
    ):
        uri = storage.join(folder, name)
        storage.write_bytes(uri, old)
        split = storage.splits(uri, 100)[0]
        storage.write_bytes(uri, new)
        with pytest.raises(StorageError, match=re.escape(uri) + ": changed"):
            text_of(split)


def test_a_file_of_the_same_size_but_another_time_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"1\n2\n")
    split = storage.splits(str(path), 2)[1]
    os.utime(path, ns=(1, 1))
    with pytest.raises(StorageError, match="changed"):
        text_of(split)


def test_a_file_that_vanished_is_a_storage_error(folder: str) -> None:
    uri = storage.join(folder, "gone.csv")
    storage.write_bytes(uri, b"1\n")
    (split,) = storage.splits(uri, 10)
    storage.remove(uri)
    with pytest.raises(StorageError, match=re.escape(uri)):
        text_of(split)


def test_a_file_without_line_ends_is_not_read_for_ever(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE_BYTES", 100)
    for name, content in (("a.bin", b"x" * 5000), ("b.gz", gzip.compress(b"x" * 5000))):
        uri = storage.join(folder, name)
        storage.write_bytes(uri, content)
        (split,) = storage.splits(uri, len(content))
        split = dataclasses.replace(split, stop=20)
        with pytest.raises(DataError, match="no line end within 100 bytes"):
            for _ in storage.read_blocks(split, 50):
                pass


def test_a_split_read_in_pieces_gives_the_same_lines(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PIECE_BYTES", 70)
    uri = storage.join(folder, "pieces.csv")
    text = b"".join(b"%d,%d\n" % (n, n**8) for n in range(200))
    storage.write_bytes(uri, text)
    for split in storage.splits(uri, 1000):
        blocks = list(storage.read_blocks(split))
        assert len(blocks) == (1 if storage.is_local(uri) else -(-(split.stop - split.start) // 70))
        for block in blocks:
            assert text[block.offset : block.offset + len(block.data)] == block.data.tobytes()
    assert b"".join(map(text_of, storage.splits(uri, 1000))) == text
    next(storage.read_blocks(storage.splits(uri, 1000)[0]))  # Leaving early does no harm.


@pytest.mark.parametrize("threads", [1, 3])
def test_mapped_splits_give_the_same_lines(folder: str, threads: int) -> None:
    uri = storage.join(folder, "mapped.csv")
    storage.write_bytes(uri, b"".join(b"%d,%d\n" % (n, n * n) for n in range(500)))
    cut = storage.splits(uri, 300)
    with ThreadPoolExecutor(threads) as pool:
        lines = storage.map_splits(pool, text_of, cut)
        # Nothing of it stays with the threads.
        assert list(pool.map(text_of, cut)) == lines
    assert b"".join(lines) == storage.read_bytes(uri)


def test_the_next_splits_of_a_server_are_fetched_before_they_are_read(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = storage.join(folder, "ahead.csv")
    storage.write_bytes(uri, b"1,2\n" * 100)
    cut = storage.splits(uri, 20)
    fetched: Queue[Split] = Queue()

    def fetch(split: Split) -> Block:
        fetched.put(split)
        return fetch_one(split)

    def work(split: Split) -> bytes:
        if split == cut[0] and not storage.is_local(uri):
            assert {fetched.get(timeout=60) for _ in range(3)} == set(cut[:3])
            assert fetched.empty()
        return text_of(split)

    fetch_one = reading._fetch
    monkeypatch.setattr(reading, "_fetch", fetch)
    with ThreadPoolExecutor(1) as pool:
        assert storage.map_splits(pool, work, cut) == [b"1,2\n" * 5] * 20
    assert fetched.qsize() == (0 if storage.is_local(uri) else 17)


def test_what_fails_in_a_mapped_split_is_raised(folder: str) -> None:
    uri = storage.join(folder, "failing.csv")
    storage.write_bytes(uri, b"1,2\n" * 100)
    cut = storage.splits(uri, 20)
    storage.write_bytes(uri, b"1,2\n" * 99)
    with (
        ThreadPoolExecutor(2) as pool,
        pytest.raises(StorageError, match=re.escape(uri) + ": changed"),
    ):
        storage.map_splits(pool, text_of, cut)
