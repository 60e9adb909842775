"""How a file's lines are made: as its user says, or as it says itself."""

from typing import Any

import pytest
from edge_files import read, write
from studykit import storage
from studykit.errors import DataError, UsageError
from twitter_pagerank import edges
from twitter_pagerank.edge_format import Reading
from twitter_pagerank.study import Parameters


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
