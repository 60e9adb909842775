"""Every format that is read, and every damage that is named."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit import storage
from studykit.errors import DataError, UsageError
from studytest import damages
from twitter_pagerank import edges
from twitter_pagerank.edge_format import Reading
from twitter_pagerank.study import Parameters

MTX = "%%MatrixMarket matrix coordinate {field} {symmetry}\n% a comment\n4 4 {entries}\n"


def read(
    path: Path, split_size: int = 1 << 20, reading: Reading = edges.AS_IT_IS
) -> list[tuple[int, int]]:
    splits = storage.splits(str(path), split_size)
    forms = edges.formats(list(dict.fromkeys(split.uri for split in splits)), reading)
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


def reading(**options) -> Reading:
    return Parameters(**options).reading


TABLE = b"id,src,dst,weight\n7,1,2,0.5\n8,30,4,1\n"
READ: dict[str, tuple[bytes, dict[str, Any]]] = {
    "columns by name": (TABLE, {"columns": "src,dst"}),
    "columns by number": (TABLE, {"columns": "2,3"}),
    "columns in the other order": (b"to,from\n2,1\n4,30\n", {"columns": "from,to"}),
    "two columns turned by number": (b"2 1\n4 30\n", {"columns": "2,1"}),
    "names that are numbers": (b"1,2,3\n9,1,2\n9,30,4\n", {"columns": "2,3", "skip_lines": 1}),
    "a name with a comma": (b'"a, b",n,c\n1,9,2\n30,9,4\n', {"columns": '"a, b",c'}),
    "no header": (b"1 2 1082040961\n30 4 1082155839\n", {"columns": "1,2"}),
    "no name for the first column": (b",s\n1,2\n30,4\n", {"columns": ",s"}),
    "years in the header": (b"src,dst,2019\n1,2,5\n30,4,6\n", {"columns": "src,dst"}),
    "blanks in values": (b"1\t2\tA B\n30\t4\tC\n", {"columns": "1,2"}),
    "blanks and tabs": (b"1 2\t1\t10\n30 4\t1\t11\n", {"columns": "1,2"}),
    "decimal commas": (b"1;2;0,5\n30;4;0,25\n", {"columns": "1,2"}),
    "dates": (b"1,2,2019-01-01 10:00:00\n30,4,2019-01-02 11:00:00\n", {"columns": "1,2"}),
    "commas in quotes": (b'1,2,"a, b"\n30,4,c\n', {"columns": "1,2"}),
    "Latin-1 in a column that is not read": (b"1,2,\xe9\n30,4,x\n", {"columns": "1,2"}),
    "a missing weight": (b"1,2,\n30,4,5\n", {"columns": "1,2"}),
    "whole floats among others": (b"1.0,2.0,0.5\n30.0,4.0,0.1\n", {"columns": "1,2"}),
    "names among the columns": (b"1,anna,2\n30,bert,4\n", {"columns": "1,3"}),
    "a sign of its own": (b"a:b\n1:2\n30:4\n", {"delimiter": ":"}),
    "a delimiter by its name": (b"1;2\n30;4\n", {"delimiter": "semicolon"}),
    "lines before the table": (b"My graph\nof two\n1,2\n30,4\n", {"skip_lines": 2}),
    "Excel's line": (b"sep=;\r\na;b\r\n1;2\r\n30;4\r\n", {}),
    "sizes first": (b"30 2\n1 2\n30 4\n", {"skip_lines": 1}),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("split_size", [7, 1 << 20])
def test_tables_are_read_as_they_are_asked_for(tmp_path, name, split_size):
    content, options = READ[name]
    path = write(tmp_path / "edges.csv", content)
    assert read(path, split_size, reading(**options)) == [(1, 2), (30, 4)]


ASKED_WRONGLY: dict[str, tuple[bytes, dict[str, Any], tuple[str, ...]]] = {
    "no such name": (TABLE, {"columns": "src,target"}, ("no column 'target'", "'dst'")),
    "no such number": (TABLE, {"columns": "2,5"}, ("no column '5'",)),
    "a name without a header": (b"1 2 3\n", {"columns": "a,b"}, ("no header", "1 … 3")),
    "a name that is there twice": (b"a,b,b\n1,2,3\n", {"columns": "a,b"}, ("more than once",)),
    "a name and its number": (TABLE, {"columns": "src,2"}, ("twice",)),
    "a delimiter that is not there": (b"1,2\n", {"delimiter": ";"}, ("--delimiter ';'", "'1,2'")),
    "columns of a matrix": (
        b"%%MatrixMarket matrix coordinate pattern general\n3 3 1\n1 1\n",
        {"columns": "1,2"},
        ("leave out --columns",),
    ),
    "more lines to skip than there are": (b"1,2\n", {"skip_lines": 5}, ("no edges", "5 lines")),
}


@pytest.mark.parametrize("name", ASKED_WRONGLY)
def test_what_a_file_has_not_is_named(tmp_path, name):
    content, options, words = ASKED_WRONGLY[name]
    path = write(tmp_path / "edges.csv", content)
    with pytest.raises(DataError) as caught:
        read(path, reading=reading(**options))
    for word in (str(path), *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"columns": "a"}, {"columns": "a,b,c"}, {"columns": "a,a"}, {"columns": ""}]
    + [{"delimiter": sign} for sign in ("", "::", "x", "3", '"', ".", "é", "\n")],
)
def test_options_that_say_nothing_that_can_be(options):
    with pytest.raises(UsageError, match=r"--(columns|delimiter)"):
        _ = reading(**options)


UNDIRECTED = {
    "MatrixMarket": b"%%MatrixMarket matrix coordinate pattern symmetric\n4 4 3\n2 1\n3 3\n4 2\n",
    "MatrixMarket, one %": (
        b"%MatrixMarket Matrix coordinate Pattern symmetric\n4 4 3\n2 1\n3 3\n4 2"
    ),
    "KONECT": b"% sym unweighted\n% 3 4 4\n2 1\n3 3\n4 2\n",
    "SNAP": b"# Undirected graph: made here\n# Nodes: 4 Edges: 3\n2\t1\n3\t3\n4\t2\n",
    "SNAP, further down, commas": b"# made here\n#undirected Graph\nfrom,to\n2,1\n3,3\n4,2\n",
}


@pytest.mark.parametrize("name", UNDIRECTED)
def test_a_file_that_says_it_is_undirected_counts_both_ways(tmp_path, name):
    path = write(tmp_path / "edges.txt", UNDIRECTED[name])
    (split,) = storage.splits(str(path), 1 << 20)
    form = edges.sniff(split.uri)
    assert form.undirected.split()[0] in name
    chunks, lines = edges.flow(split, form, reverse=False)
    flows = sorted(
        pair
        for chunk in chunks
        for pair in zip(chunk.sources.tolist(), chunk.destinations.tolist(), strict=True)
    )
    assert flows == [(1, 2), (2, 1), (2, 4), (3, 3), (4, 2)]
    assert lines == 3


@pytest.mark.parametrize(
    "content",
    [b"% asym unweighted\n1 2\n", b"# Directed graph: x\n1 2\n", b"# x\n% sym y\n1 2\n", b"1 2\n"],
)
def test_other_files_are_directed_unless_asked(tmp_path, content):
    path = write(tmp_path / "edges.txt", content)
    assert edges.sniff(str(path)).undirected == ""
    assert edges.sniff(str(path), reading(undirected=True)).undirected == "--undirected"


def test_comments_may_be_longer_than_the_first_look(tmp_path):
    comments = b"# a line of a long preamble\n" * 10_000
    path = write(tmp_path / "edges.txt", comments + b"from;to\n1;2\n30;4\n")
    assert read(path) == [(1, 2), (30, 4)]
