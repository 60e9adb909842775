"""Every format that is read, and every damage that is named."""

import gzip

import pytest
from edge_files import read, write
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit.errors import DataError
from studytest import damages

MTX = "%%MatrixMarket matrix coordinate {field} {symmetry}\n% a comment\n4 4 {entries}\n"
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
    "header of any words": b" _from, :END_ID\n1,2\n30,4\n",
    "header that begins with a digit": b"1st,2nd\n1,2\n30,4\n",
    "header behind comments": b"# a\n\n% b\nsource,target\n1,2\n30,4\n",
    "comments behind blanks": b"  # first\n1,2\n\t%% between\n30,4\n",
    "lines of blanks": b"  \n1,2\n   \n \t \n30,4\n \n",
    "whole floats": b"1.0,2.00\n30.,4.0\n",
    "whole floats, CRLF, quotes": b'1.0,2.0\r\n"30.0","4.0"\r\n',
    "whole floats between blanks": b"1.0 2.0\n 30.0\t4.0 \n",
    "quotes behind blanks": b'"1", "2"\n"30", "4"\n',
    "leading zeros": b"01,002\n00000000000000000030,4\n",
    "semicolons": b"source;target\n1;2\n30 ; 4\n",
    "pipes": b"1|2\n30|4\n",
    "tabs and header": b"from node\tto node\n1\t2\n30\t\t4\n",
    "quotes between tabs": b'"from"\t"to"\n"1"\t"2"\n"30"\t"4"\n',
    "quotes between blanks": b'"from" "to"\n"1" "2"\n"30" "4"\n',
    "blanks and header": b"FromNodeId ToNodeId\n1 2\n30 4\n",
    "header of blanks over tabs": b"From To\n1\t2\n30\t4\n",
    "trailing tabs": b"1\t2\t\n30\t4\t\n",
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
    "matrix of free form": (
        b"\xef\xbb\xbf\n  %%matrixmarket   MATRIX Coordinate  Real General\n\n  %% comment\n"
        b"\n  30  30\t 2 \n\n 1   2  1.5e-2\n% comment\n   \n\t30 4 -2.8E2 \n\n"
    ),
    "matrix with one % in its banner": (
        b"%MatrixMarket matrix coordinate pattern general\n30 30 2\n1 2\n30 4\n"
    ),
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


UUIDS = b"3f2504e0-4f89-41d3-9a0c-0305e82c3301,5b1c04e0-4f89-41d3-9a0c-0305e82c3302\n"
REFUSED = {
    "names": (b"follower,followed\nanna,bert\n", ("line 2", "'anna' is a name", "whole numbers")),
    "one name": (b"1,2\n2,anna\n", ("line 2", "column destination", "'anna' is a name")),
    "UUIDs": (b"a,b\n" + UUIDS, ("line 2", "is a UUID", "whole numbers")),
    "UUIDs without a header": (2 * UUIDS, ("line 2", "is a UUID")),
    "a decimal comma": (b"1;2\n1,0;2,0\n", ("line 2", "'1,0' is a float")),
    "a sign": (b"1,2\n+3,4\n", ("line 2", "'+3' has a sign")),
    "floats": (b"1.0,2.0\n1.5,3.0\n", ("line 2", "column source", "'1.5' is a float")),
    "an exponent": (b"1.0,2.0\n1e+16,3.0\n", ("line 2", "'1e+16' is a float")),
    "a float that lost digits": (b"1,2\n9007199254740994.0,3\n", ("line 2", "lost digits")),
    "a gap that pandas left": (b"1.0,2.0\n,3.0\n", ("line 2", "column source", "missing value")),
    "NaN": (b"1.0,2.0\n3.0,NaN\n", ("line 2", "missing value: 'NaN'")),
    "blanks in place of an id": (b"1,2\n3,  \n", ("line 2", "missing value: '  '")),
    "thousands": (b'"1,234","2"\n"3","4"\n', ("line 1", "'1,234' has thousands separators")),
    "a negative id": (b"1,2\n-3,4\n", ("line 2", "negative id '-3'")),
    "an id over 2^63": (b"1,2\n9223372036854775808,3\n", ("line 2", "does not fit")),
    "a colon": (b"1:2\n2:3\n", ("line 1", "no delimiter", "'1:2'", "--delimiter ':'")),
    "an arrow": (b"1 -> 2\n2 -> 3\n", ("line 1", "found 3", "--columns")),
    "two colons": (b"1::2\n2::3\n", ("line 1", "no delimiter", "replace '::' by a comma")),
    "one column": (b"source\n1\n2\n", ("line 1", "no delimiter", "two columns")),
    "weights": (
        b"src,dst,weight\n1,2,0.5\n", ("line 1", "found 3", "'weight'", "--columns 'src,dst'")
    ),
    "weights without a header": (b"1 2 0.5\n2 3 1\n", ("line 1", "found 3", "--columns '1,2'")),
    "an index of pandas": (b",src,dst\n0,1,2\n1,2,3\n", ("line 1", "--columns 'src,dst'")),
    "sizes with three numbers": (b"4 4 3\n1 2\n2 3\n3 4\n", ("line 1", "--skip-lines 1")),
    "the number of vertices first": (b"4\n1 2\n2 3\n3 4\n", ("line 1", "--skip-lines 1")),
    "a title": (b"My graph\n1,2\n2,3\n", ("line 1", "--skip-lines 1")),
    "a matrix that is not square": (
        b"%%MatrixMarket matrix coordinate pattern general\n3 2 1\n1 1\n", ("line 2", "not square")
    ),
    "a bipartite graph of KONECT": (b"% bip unweighted\n1 1\n2 1\n", ("line 1", "two kinds")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_it_is_and_what_to_do(tmp_path, name):
    content, words = REFUSED[name]
    path = write(tmp_path / "edges.csv", content)
    with pytest.raises(DataError) as caught:
        read(path)
    for word in (str(path), *words):
        assert word in str(caught.value)
