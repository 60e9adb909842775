"""Every format that is read, and every damage that is named."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from studykit import storage
from studykit.errors import DataError
from studytest import damages
from twitter_pagerank import edges

MTX = "%%MatrixMarket matrix coordinate {field} {symmetry}\n% a comment\n4 4 {entries}\n"


def read(path: Path, split_size: int = 1 << 20) -> list[tuple[int, int]]:
    splits = storage.splits(str(path), split_size)
    forms = edges.formats(list(dict.fromkeys(split.uri for split in splits)))
    chunks = [chunk for split in splits for chunk in edges.read(split, forms[split.uri])]
    return [
        pair
        for chunk in chunks
        for pair in zip(chunk.sources.tolist(), chunk.destinations.tolist(), strict=True)
    ]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


GOOD = {
    "csv": b"1,2\n30,4\n",
    "header": b"source,destination\n1,2\n30,4\n",
    "quoted header": b'"follower","followed"\n1,2\n30,4\n',
    "CRLF": b"1,2\r\n30,4\r\n",
    "byte order mark": b"\xef\xbb\xbf1,2\n30,4\n",
    "byte order mark and header": b"\xef\xbb\xbfa,b\r\n1,2\r\n30,4\r\n",
    "no newline at the end": b"1,2\n30,4",
    "CRLF, no newline at the end": b"1,2\r\n30,4",
    "blank lines": b"\n1,2\n\n\r\n30,4\n\n",
    "comments": b"# first\n1,2\n# between\n30,4\n#last",
    "quotes": b'"1","2"\n"30","4"\n',
    "blanks around numbers": b" 1, 2\n30 ,4 \n",
    "snap, tabs": b"# a\tcomment\n1\t2\n30\t4\n",
    "snap, blanks": b"1  2\n 30 \t 4 \n",
    "matrix, pattern": MTX.format(field="pattern", symmetry="general", entries=2)
    .encode()
    .replace(b"4 4", b"30 30")
    + b"1 2\n30 4\n",
    "matrix, real": MTX.format(field="real", symmetry="general", entries=2)
    .encode()
    .replace(b"4 4", b"30 30")
    + b"1 2 -1.5e3\n30 4 2\n",
    "matrix, complex": MTX.format(field="complex", symmetry="general", entries=2)
    .encode()
    .replace(b"4 4", b"30 30")
    + b"1 2 1 0\n30 4 0 1\n",
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("ending", ["txt", "gz"])
@pytest.mark.parametrize("split_size", [1, 7, 1 << 20])
def test_formats_are_read(tmp_path, name, ending, split_size):
    assert read(write(tmp_path / f"edges.{ending}", GOOD[name]), split_size) == [(1, 2), (30, 4)]


@settings(max_examples=100, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 99)), min_size=1, max_size=30
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    split_size=st.integers(1, 200),
)
def test_any_ids_survive_any_split(tmp_path_factory, pairs, end, split_size):
    path = tmp_path_factory.mktemp("edges") / "edges.csv"
    write(path, "".join(f"{a},{b}{end}" for a, b in pairs).encode())
    assert read(path, split_size) == pairs


def test_a_folder_is_read_file_by_file(tmp_path):
    write(tmp_path / "a.csv", b"source,destination\n1,2\n")
    write(tmp_path / "b.csv.gz", b"3,4\n")
    write(tmp_path / "c.txt", b"# snap\n5\t6\n")
    assert read(tmp_path) == [(1, 2), (3, 4), (5, 6)]


BAD = {
    **damages.BAD_TEXT,
    "header only": (b"source,destination\n", None),
    "comments only": (b"# nothing\n# else\n", None),
    "three columns in the first line": (b"1,2,3\n", 1),
    "three columns of SNAP": (b"1\t2\n3\t4\t5\n", 2),
    "a negative id": (b"1,2\n-3,4\n", 2),
    "an id over 2^63": (b"1,2\n3,9223372036854775808\n", 2),
    "a fraction": (b"1,2\n3.5,4\n", 2),
    "a wrong banner": (b"%%MatrixMarket matrix array real general\n2 2\n", 1),
    "no sizes": (b"%%MatrixMarket matrix coordinate pattern general\n% only\n", None),
    "an id outside the matrix": (
        MTX.format(field="pattern", symmetry="general", entries=2).encode() + b"1 2\n3 5\n", 5
    ),
    "id 0 in a matrix": (
        MTX.format(field="pattern", symmetry="general", entries=2).encode() + b"1 2\n0 4\n", 5
    ),
    "no value in a real matrix": (
        MTX.format(field="real", symmetry="general", entries=2).encode() + b"1 2 1\n3 4\n", 5
    ),
}  # fmt: skip
NO_EDGES = ("header only", "comments only", "blank lines only")


@pytest.mark.parametrize("name", [name for name in BAD if name not in NO_EDGES])
@pytest.mark.parametrize("split_size", [3, 1 << 20])
def test_damage_is_named_with_file_and_line(tmp_path, name, split_size):
    content, line = BAD[name]
    path = write(tmp_path / "edges.csv", content)
    with pytest.raises(DataError) as caught:
        read(path, split_size)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    if line is not None:
        assert f"line {line}" in str(caught.value)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_gzip_file_cut_short_is_named(tmp_path, keep):
    whole = gzip.compress(b"".join(b"%d,%d\n" % (i, i * i) for i in range(5000)))
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"edges\.csv\.gz, line \d+"):
        read(path)
