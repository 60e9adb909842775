"""A file's first lines and line ends, as every study asks for them."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studykit import storage
from studykit.text import lines
from studykit.text.lines import Line
from studysweep import peers


@pytest.mark.parametrize("compressed", [False, True])
def test_the_head_of_a_file_is_its_first_lines(tmp_path: Path, compressed: bool) -> None:
    text = b"\xef\xbb\xbf\r\na,b\r\n1,\r2\n3,4"
    path = tmp_path / ("a.csv.gz" if compressed else "a.csv")
    path.write_bytes(gzip.compress(text) if compressed else text)
    header = Line(2, 5, 10, b"a,b")
    expected = [Line(1, 3, 5, b""), header, Line(3, 10, 15, b"1,\r2")]
    # A block of a .gz has whole lines; the last one, without its end, is in the next block.
    assert lines.head(str(path))[:3] == expected
    assert lines.first_filled(str(path)) == header


@pytest.mark.parametrize("text", [b"", b"\n\r\n \t\n", b"\xef\xbb\xbf\n"])
def test_a_file_of_blank_lines_has_no_first_line(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text)
    assert lines.first_filled(str(path)) is None
    assert [line.text.strip() for line in lines.head(str(path))] == [b""] * text.count(b"\n")


def test_the_head_of_a_large_file_is_small_and_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"12,34567\n" * 50_000)
    head = lines.head(str(path))
    assert {line.text for line in head} == {b"12,34567"}
    assert lines.HEAD_BYTES <= head[-1].stop < lines.HEAD_BYTES + 9
    assert 200_000 <= lines.head(str(path), 200_000)[-1].stop < 200_009


@given(
    st.lists(st.sampled_from([b"", b"1", b"x" * 5000]), min_size=1, max_size=9),
    st.integers(1, 12),
    st.data(),
)
def test_line_ends_are_those_of_the_text(
    parts: list[bytes], count: int, data: st.DataObject
) -> None:
    text = b"\n".join(parts)
    position = data.draw(st.integers(0, len(text)))
    expected = position
    for _ in range(count):
        found = text.find(b"\n", expected)
        expected = len(text) if found < 0 else found + 1
    assert lines.line_end(np.frombuffer(text, np.uint8), position, count) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("last", ["", "7,8"])
@pytest.mark.parametrize("body", [0, 4])
def test_filled_lines_are_counted_from_the_body_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, last: str, body: int
) -> None:
    monkeypatch.setattr(peers, "COUNTED_BYTES", 5)
    text = end.join(["1,2", "3,4", "5,6", last])
    for name, content in (("a.csv", text.encode()), ("a.csv.gz", gzip.compress(text.encode()))):
        (tmp_path / name).write_bytes(content)
        expected = len([line for line in text[body:].splitlines() if line])
        assert peers.count_filled(f"{tmp_path}/{name}", body) == expected


def test_blocks_begin_behind_the_head(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n3,4\n5,6\n")
    found = [
        (block.offset, block.data.tobytes())
        for split in storage.splits(str(path), 6)
        for block in lines.blocks_from(split, 8)
    ]
    assert found == [(8, b"3,4\n"), (12, b"5,6\n")]
