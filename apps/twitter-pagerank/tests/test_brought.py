"""What people bring, as they report it in public trackers: read right, or refused in words that
help, on every engine. The graphs are made here."""

from typing import NamedTuple

import networkx
import pytest
from case import CASE
from graphs import networkx_ranks
from studytest.contract.brought import Brought

Pairs = list[tuple[int, int]]

CYCLE = [(1, 2), (2, 3), (3, 1)]
TREE = [(2, 1), (3, 1), (4, 1), (5, 2), (5, 4), (6, 5), (6, 6)]
BOTH = [*TREE, *((b, a) for a, b in TREE if a != b)]
WEIGHTED = [(10, 20), (20, 30), (30, 10), (10, 30)]
LINES = "2 1\n3 1\n4 1\n5 2\n5 4\n6 5\n6 6\n"
MTX = "%%MatrixMarket matrix coordinate pattern general"


class Read(NamedTuple):
    """A file, its edges as rank flows, the options it needs, and what its record says of it."""

    content: str
    pairs: Pairs = CYCLE
    argv: tuple[object, ...] = ()
    direction: str = "source to destination"
    unused: tuple[str, ...] = ()


READ = {
    "quotes without a header": Read('"1","2"\n"2","3"\n"3","1"\n'),
    "a header that begins with an underscore": Read("_src,_dst\n1,2\n2,3\n3,1\n"),
    "a header of neo4j-admin": Read(":START_ID,:END_ID\n1,2\n2,3\n3,1\n"),
    "a header between blanks": Read(" from, to\n1,2\n2,3\n3,1\n"),
    "a header in another script": Read("начало,конец\n1,2\n2,3\n3,1\n"),
    "a line of blanks": Read("from,to\n1,2\n    \n2,3\n3,1\n"),
    "a matrix with a blank line behind its sizes": Read(f"{MTX}\n3 3 3\n\n1 2\n2 3\n3 1\n"),
    "a matrix of free form": Read(
        "%%MatrixMarket   MATRIX  Coordinate Real  General\n\n   % a comment\n 3   3  3\n\n"
        "1 2  1.0\n2  3  -2.8E2\n     3     1    12.\n\n", unused=("value 1",),
    ),
    "a matrix whose sizes are indented": Read(
        "%%MatrixMarket matrix coordinate integer general\n  % c\n  3 3 3\n1 2 1\n2 3 1\n3 1 1\n",
        unused=("value 1",),
    ),
    "a banner behind blanks": Read(f"  {MTX}\n3 3 3\n1 2\n2 3\n3 1\n"),
    "a banner with one %": Read(
        f"%MatrixMarket matrix coordinate pattern symmetric\n6 6 7\n{LINES}", BOTH,
        direction="both ways (MatrixMarket symmetric)",
    ),
    "weights behind a header": Read(
        "src,dst,weight\n10,20,1.5\n20,30,2\n30,10,1\n10,30,1\n", WEIGHTED,
        ("--columns", "src,dst"), unused=("weight",),
    ),
    "weights by number": Read(
        "10 20 1\n20 30 1\n30 10 2\n10 30 1\n", WEIGHTED, ("--columns", "1,2"), unused=("3",)
    ),
    "times": Read(
        "10\t20\t1082040961\n20\t30\t1082155839\n30\t10\t1082414391\n10\t30\t1082414392\n",
        WEIGHTED, ("--columns", "1,2"), unused=("3",),
    ),
    "a table of Gephi": Read(
        "Source,Target,Weight,Type\n10,20,1,Directed\n20,30,2,Directed\n30,10,1,Directed\n"
        "10,30,4,Directed\n", WEIGHTED, ("--columns", "Source,Target"), unused=("Weight", "Type"),
    ),
    "tabs behind a header": Read("from\tto\n1\t2\n2\t3\n3\t1\n"),
    "blanks behind a header": Read("From To\n1 2\n2 3\n3 1\n"),
    "semicolons": Read("from;to\n1;2\n2;3\n3;1\n"),
    "pipes": Read("1|2\n2|3\n3|1\n"),
    "floats of pandas": Read("from,to\n1.0,2.0\n2.0,3.0\n3.0,1.0\n"),
    "KONECT, undirected": Read(
        f"% sym unweighted\n% 7 6 6\n{LINES}", BOTH, direction="both ways (KONECT % sym)"
    ),
    "SNAP, undirected": Read(
        f"# Undirected graph: here\n# Nodes: 6 Edges: 7\n{LINES}", BOTH,
        direction="both ways (SNAP # Undirected graph)",
    ),
    "undirected by hand": Read(
        LINES, BOTH, ("--undirected",), direction="both ways (--undirected)"
    ),
    "a line of sizes that is skipped": Read("3 3\n1 2\n2 3\n3 1\n", argv=("--skip-lines", "1")),
}  # fmt: skip
REFUSED = {
    "a matrix that is not square": (f"{MTX}\n3 2 2\n1 1\n3 2\n", ("line 2", "square")),
    "weights": ("a,b,w\n1,2,0.5\n2,3,1\n", ("line 1", "found 3", "--columns 'a,b'")),
    "weights without a header": ("1 2 5\n2 3 6\n", ("line 1", "found 3", "--columns '1,2'")),
    "names": ("from,to\nanna,bert\nbert,carl\n", ("line 2", "'anna' is a name", "whole numbers")),
    "a float": ("from,to\n1.0,2.0\n1.5,3.0\n", ("line 3", "'1.5' is a float")),
}
MORE_READ = {
    "blanks behind quotes": Read('"from" ,"to"\n"1" ,"2"\t\n"2", "3" \n "3" , 1\n'),
    "a separator for Excel": Read("sep=;\nfrom;to\n1;2\n2;3\n3;1\n"),
    "a sign that is named": Read("1:2\n2:3\n3:1\n", argv=("--delimiter", ":")),
    "the target first, as it is named": Read(
        "to,from\n2,1\n3,2\n1,3\n", argv=("--columns", "from,to")
    ),
}
"""By one process: what tells them apart every engine uses."""
MORE_REFUSED = {
    "the target first": ("to,from\n1,2\n", ("line 1", "'to', 'from'", "--columns")),
    "a no-break space": ("a,b\n1,2\n2,\u00a03\n", ("line 3", "no-break space (U+00A0)")),
    "a no-break space between": ("1\u00a02\n2\u00a03\n", ("line 1", "no-break space (U+00A0)")),
    "neighbours": ("1\t2,3\n2\t3,1\n", ("line 1", "'2,3' is no whole", "each edge in a line")),
    "single quotes": ("a,b\n'1','2'\n", ("line 2", "single quotes")),
    "Pajek": ('*Vertices 2\n1 "a"\n2 "b"\n*Arcs\n1 2\n', ("line 1", "Pajek", "two columns")),
    "GML": ("graph [\n  node [\n    id 1\n  ]\n]\n", ("line 1", "GML", "two columns")),
    "DOT": ("digraph {\n1 -> 2;\n}\n", ("line 1", "DOT", "two columns")),
    "DIMACS": ("c roads\np sp 2 1\na 1 2 803\n", ("line 1", "DIMACS", "two columns")),
    "a delimiter that is not found": ("1:2\n2:3\n", ("line 1", "'1:2'", "--delimiter ':'")),
}


class TestBrought(Brought):
    case = CASE

    def ranked(self, engine, joined, path, *argv):
        record = self.called(
            engine, "--data", path, "--workers", 1, "--tolerance", "1e-12", "--top", 100,
            "--results", path.parent / "results", *argv, *joined,
        )  # fmt: skip
        assert (record["status"], record["check"]["passed"]) == ("done", True)
        return record["quality"]

    def assert_ranked(self, quality, pairs):
        expected = networkx_ranks(pairs)
        found = {entry["vertex"]: entry["rank"] for entry in quality["top"]}
        assert found == pytest.approx(expected, abs=1e-9)
        assert quality["edges"] == len(set(pairs))

    @pytest.mark.parametrize("name", READ)
    def test_is_read_and_ranked_as_networkx_does(self, engine, name, joined, tmp_path):
        self.assert_read(engine, joined, tmp_path, READ[name])

    @pytest.mark.parametrize("name", MORE_READ)
    def test_so_is_this(self, name, tmp_path):
        self.assert_read("plain", (), tmp_path, MORE_READ[name])

    def assert_read(self, engine, joined, tmp_path, read):
        path = tmp_path / "edges.txt"
        path.write_text(read.content)
        quality = self.ranked(engine, joined, path, *read.argv)
        self.assert_ranked(quality, read.pairs)
        assert quality["direction"] == read.direction
        assert quality["unused_columns"] == list(read.unused)
        assert quality["notes"] == []

    @pytest.mark.parametrize("name", REFUSED)
    def test_is_refused_in_one_line(self, engine, name, joined, tmp_path):
        content, words = REFUSED[name]
        self.refusal(engine, joined, tmp_path / "edges.txt", content.encode(), *words)

    @pytest.mark.parametrize("name", MORE_REFUSED)
    def test_so_is_that(self, name, tmp_path):
        content, words = MORE_REFUSED[name]
        self.refusal("plain", (), tmp_path / "edges.txt", content.encode(), *words)

    def test_a_first_line_of_sizes_is_pointed_out(self, engine, joined, tmp_path):
        path = tmp_path / "edges.txt"
        path.write_text("4 5\n1 2\n2 3\n3 4\n4 1\n1 3\n")
        finished = self.call(
            engine, "--data", path, "--workers", 1, "--results", tmp_path / "results", "--json",
            *joined,
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        (said,) = [line for line in finished.stderr.splitlines() if line.startswith("note:")]
        for word in (str(path), "line 1", "4 vertices and 5 edges", "--skip-lines 1"):
            assert word in said
        (kept,) = finished.record["quality"]["notes"]
        assert said == f"note: {kept}"

    def test_an_undirected_graph_is_ranked_as_networkx_ranks_it(self):
        """By its own undirected graph: the flows both ways, which the runs are held to."""
        expected = networkx.pagerank(networkx.Graph(TREE), tol=1e-14, max_iter=1000)
        assert networkx_ranks(BOTH) == pytest.approx(expected, abs=1e-12)
        assert expected[1] == pytest.approx(0.232194, abs=1e-6)
        assert expected[5] == pytest.approx(0.219462, abs=1e-6)

    @pytest.mark.parametrize("content", ["4 5\n1 2\n2 3\n3 4\n", "1 3\n2 3\n3 4\n4 1\n"])
    def test_an_edge_is_not_taken_for_sizes(self, content, tmp_path):
        """Not as many lines, or more vertices, than it would say."""
        path = tmp_path / "edges.txt"
        path.write_text(content)
        assert self.ranked("plain", (), path)["notes"] == []

    def test_gephi_says_undirected_in_a_column(self, tmp_path):
        path, argv = tmp_path / "edges.csv", ("--columns", "Source,Target")
        path.write_text("Source,Target,Type\n1,2,Undirected\n2,3,Undirected\n")
        (note,) = self.ranked("plain", (), path, *argv)["notes"]
        assert "column Type" in note and "--undirected" in note
        assert self.ranked("plain", (), path, *argv, "--undirected")["notes"] == []
