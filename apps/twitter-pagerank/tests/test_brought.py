"""What people bring, as they report it in public trackers: read right, or refused in words that
help, on every engine. The graphs are made here."""

import pytest
from case import CASE
from graphs import networkx_ranks
from studytest.contract.of_study import OfStudy

CYCLE = [(1, 2), (2, 3), (3, 1)]
TREE = [(2, 1), (3, 1), (4, 1), (5, 2), (5, 4), (6, 5), (6, 6)]
BOTH = [*TREE, *((b, a) for a, b in TREE if a != b)]
WEIGHTED = [(10, 20), (20, 30), (30, 10), (10, 30)]
LINES = "2 1\n3 1\n4 1\n5 2\n5 4\n6 5\n6 6\n"
MTX = "%%MatrixMarket matrix coordinate pattern general"

READ = {
    "quotes without a header": ('"1","2"\n"2","3"\n"3","1"\n', (), CYCLE),
    "a header that begins with an underscore": ("_src,_dst\n1,2\n2,3\n3,1\n", (), CYCLE),
    "a header of neo4j-admin": (":START_ID,:END_ID\n1,2\n2,3\n3,1\n", (), CYCLE),
    "a header between blanks": (" from, to\n1,2\n2,3\n3,1\n", (), CYCLE),
    "a header in another script": ("начало,конец\n1,2\n2,3\n3,1\n", (), CYCLE),
    "a line of blanks": ("from,to\n1,2\n    \n2,3\n3,1\n", (), CYCLE),
    "a matrix with a blank line behind its sizes": (f"{MTX}\n3 3 3\n\n1 2\n2 3\n3 1\n", (), CYCLE),
    "a matrix of free form": (
        "%%MatrixMarket   MATRIX  Coordinate Real  General\n\n   % a comment\n 3   3  3\n\n"
        "1 2  1.0\n2  3  -2.8E2\n     3     1    12.\n\n", (), CYCLE
    ),
    "a banner behind blanks": (f"  {MTX}\n3 3 3\n1 2\n2 3\n3 1\n", (), CYCLE),
    "a banner with one %": (
        f"%MatrixMarket matrix coordinate pattern symmetric\n6 6 7\n{LINES}", (), BOTH
    ),
    "weights behind a header": (
        "src,dst,weight\n10,20,1.5\n20,30,2\n30,10,1\n10,30,1\n", ("--columns", "src,dst"), WEIGHTED
    ),
    "weights by number": ("10 20 1\n20 30 1\n30 10 2\n10 30 1\n", ("--columns", "1,2"), WEIGHTED),
    "times": (
        "10\t20\t1082040961\n20\t30\t1082155839\n30\t10\t1082414391\n10\t30\t1082414392\n",
        ("--columns", "1,2"), WEIGHTED,
    ),
    "a table of Gephi": (
        "Source,Target,Weight,Type\n10,20,1,Directed\n20,30,2,Directed\n30,10,1,Directed\n"
        "10,30,4,Directed\n", ("--columns", "Source,Target"), WEIGHTED,
    ),
    "tabs behind a header": ("from\tto\n1\t2\n2\t3\n3\t1\n", (), CYCLE),
    "blanks behind a header": ("From To\n1 2\n2 3\n3 1\n", (), CYCLE),
    "semicolons": ("from;to\n1;2\n2;3\n3;1\n", (), CYCLE),
    "pipes": ("1|2\n2|3\n3|1\n", (), CYCLE),
    "a separator for Excel": ("sep=;\nfrom;to\n1;2\n2;3\n3;1\n", (), CYCLE),
    "a sign that is named": ("1:2\n2:3\n3:1\n", ("--delimiter", ":"), CYCLE),
    "floats of pandas": ("from,to\n1.0,2.0\n2.0,3.0\n3.0,1.0\n", (), CYCLE),
    "KONECT, undirected": (f"% sym unweighted\n% 7 6 6\n{LINES}", (), BOTH),
    "SNAP, undirected": (f"# Undirected graph: here\n# Nodes: 6 Edges: 7\n{LINES}", (), BOTH),
    "undirected by hand": (LINES, ("--undirected",), BOTH),
    "a line of sizes that is skipped": (
        "3 3\n1 2\n2 3\n3 1\n", ("--skip-lines", "1"), CYCLE
    ),
}  # fmt: skip
REFUSED = {
    "a matrix that is not square": (f"{MTX}\n3 2 2\n1 1\n3 2\n", ("line 2", "square")),
    "weights": ("a,b,w\n1,2,0.5\n2,3,1\n", ("line 1", "found 3", "--columns 'a,b'")),
    "weights without a header": ("1 2 5\n2 3 6\n", ("line 1", "found 3", "--columns '1,2'")),
    "names": ("from,to\nanna,bert\nbert,carl\n", ("line 2", "'anna' is a name", "whole numbers")),
    "a float": ("from,to\n1.0,2.0\n1.5,3.0\n", ("line 3", "'1.5' is a float")),
    "a delimiter that is not found": ("1:2\n2:3\n", ("line 1", "'1:2'", "--delimiter ':'")),
}
OF_A_KIND = (
    "a header between blanks", "a line of blanks", "a matrix of free form", "a banner with one %",
    "weights behind a header", "tabs behind a header", "floats of pandas", "undirected by hand",
)  # fmt: skip
OF_A_KIND_REFUSED = ("a matrix that is not square", "weights", "names")


def on_engines(names, of_a_kind):
    """Everything on plain; one of a kind on every other engine."""
    return [
        (engine, name)
        for engine in CASE.engines
        for name in (names if engine == "plain" else of_a_kind)
    ]


class TestBrought(OfStudy):
    case = CASE

    def ranked(self, engine, joining, tmp_path, content, *argv):
        path = tmp_path / "edges.txt"
        path.write_text(content)
        return self.called(
            engine, "--data", path, "--workers", 1, "--tolerance", "1e-12", "--top", 100,
            "--results", tmp_path / "results", *argv, *joining(engine),
        )  # fmt: skip

    @pytest.mark.parametrize(("engine", "name"), on_engines(READ, OF_A_KIND))
    def test_is_read_and_ranked_as_networkx_does(self, engine, name, joining, tmp_path):
        content, argv, pairs = READ[name]
        record = self.ranked(engine, joining, tmp_path, content, *argv)
        assert (record["status"], record["check"]["passed"]) == ("done", True)
        expected = networkx_ranks(pairs)
        found = {entry["vertex"]: entry["rank"] for entry in record["quality"]["top"]}
        assert found.keys() == expected.keys()
        assert max(abs(found[vertex] - expected[vertex]) for vertex in expected) < 1e-9
        assert record["quality"]["notes"] == []

    @pytest.mark.parametrize(("engine", "name"), on_engines(REFUSED, OF_A_KIND_REFUSED))
    def test_is_refused_in_one_line(self, engine, name, joining, tmp_path):
        content, words = REFUSED[name]
        path = tmp_path / "edges.txt"
        path.write_text(content)
        line = self.refused(
            engine, 2, "--data", path, "--workers", 1, "--results", tmp_path / "results",
            *joining(engine),
        )  # fmt: skip
        for word in (str(path), *words):
            assert word in line

    @pytest.mark.parametrize(
        ("name", "direction"),
        [
            ("a banner with one %", "both ways (MatrixMarket symmetric)"),
            ("KONECT, undirected", "both ways (KONECT % sym)"),
            ("SNAP, undirected", "both ways (SNAP # Undirected graph)"),
            ("undirected by hand", "both ways (--undirected)"),
            ("semicolons", "source to destination"),
        ],
    )
    def test_the_record_says_the_direction_and_who_says_so(
        self, name, direction, joining, tmp_path
    ):
        content, argv, _ = READ[name]
        quality = self.ranked("plain", joining, tmp_path, content, *argv)["quality"]
        assert quality["direction"] == direction

    def test_an_undirected_graph_is_ranked_as_networkx_ranks_it(self, joining, tmp_path):
        """By its own undirected graph: here the flows are nobody's but networkx's."""
        import networkx

        quality = self.ranked("plain", joining, tmp_path, LINES, "--undirected")["quality"]
        expected = networkx.pagerank(networkx.Graph(TREE), tol=1e-14, max_iter=1000)
        found = {entry["vertex"]: entry["rank"] for entry in quality["top"]}
        assert found == pytest.approx(expected, abs=1e-9)
        assert found[1] == pytest.approx(0.232194, abs=1e-6)
        assert found[5] == pytest.approx(0.219462, abs=1e-6)
        assert (quality["edges"], quality["duplicate_edges"]) == (13, 0)

    def test_weights_are_not_used_and_the_record_says_so(self, joining, tmp_path):
        content, argv, _ = READ["weights behind a header"]
        quality = self.ranked("plain", joining, tmp_path, content, *argv)["quality"]
        assert quality["unused_columns"] == ["weight"]
        content, argv, _ = READ["a matrix of free form"]
        quality = self.ranked("plain", joining, tmp_path, content, *argv)["quality"]
        assert quality["unused_columns"] == ["value 1"]

    def test_a_first_line_of_sizes_is_pointed_out(self, joining, tmp_path):
        path = tmp_path / "edges.txt"
        path.write_text("4 5\n1 2\n2 3\n3 4\n4 1\n1 3\n")
        finished = self.call(
            "plain", "--data", path, "--workers", 1, "--results", tmp_path / "results", "--json"
        )
        assert finished.code == 0, finished.stderr
        (said,) = [line for line in finished.stderr.splitlines() if line.startswith("note:")]
        for word in (str(path), "line 1", "4 vertices and 5 edges", "--skip-lines 1"):
            assert word in said
        (kept,) = finished.record["quality"]["notes"]
        assert said == f"note: {kept}"

    @pytest.mark.parametrize("content", ["4 5\n1 2\n2 3\n3 4\n", "1 3\n2 3\n3 4\n4 1\n"])
    def test_an_edge_is_not_taken_for_sizes(self, content, joining, tmp_path):
        """Not as many lines, or more vertices, than it would say."""
        quality = self.ranked("plain", joining, tmp_path, content)["quality"]
        assert quality["notes"] == []

    def test_gephi_says_undirected_in_a_column(self, joining, tmp_path):
        content = "Source,Target,Type\n1,2,Undirected\n2,3,Undirected\n"
        argv = ("--columns", "Source,Target")
        (note,) = self.ranked("plain", joining, tmp_path, content, *argv)["quality"]["notes"]
        assert "column Type" in note and "--undirected" in note
        quality = self.ranked("plain", joining, tmp_path, content, *argv, "--undirected")["quality"]
        assert quality["notes"] == []
