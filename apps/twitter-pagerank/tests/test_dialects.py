"""The same graph in every dialect that is read: the same edges for the engines and for the oracle,
and the same checked answer; with one line spoilt, its file and line and what is wrong with it."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from case import CASE
from graphs import networkx_ranks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studykit import storage
from studykit.errors import DataError
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from studytest.contract.of_study import OfStudy
from twitter_pagerank import edges, oracle_edges, study
from twitter_pagerank.study import Parameters

Pairs = list[tuple[int, int]]
HEADERS = [
    ("source", "target"), ("_from", "_to"), (":START_ID", ":END_ID"), ("来源", "目标"),
    ("FromNodeId", "ToNodeId"), ("1st", "2nd"), ("id", "ID"),
]  # fmt: skip
NOISE = ["", "   ", "# a comment, with 1,2", "% 3 4", "  # behind blanks", "#1;2", "\t"]
EXTRA = {"weight": ["1", "0.5", "-3e2"], "name": ["anna", "b_c"], "when": ["2019-01-01", "x"]}


@dataclass(frozen=True)
class Written:
    """A file's bytes, the options that it needs, its edges, the line of each from 1."""

    content: bytes
    options: dict[str, Any]
    pairs: Pairs
    lines: list[str]
    places: list[int]
    end: str


@st.composite
def pair_lists(draw: st.DrawFn) -> Pairs:
    ids = st.one_of(st.integers(0, 9), st.integers(0, 2**63 - 1))
    return draw(st.lists(st.tuples(ids, ids), min_size=1, max_size=12))


@st.composite
def tables(draw: st.DrawFn, further: bool = True, options: bool = True) -> Written:
    """Delimiter × header × comments × blanks × quotes × line ends × further columns; with
    `options` also what is read only where they say so."""
    pairs = draw(pair_lists())
    sign = draw(st.sampled_from([",", ";", "|", "\t", " ", "  ", " \t ", *[":"] * options]))
    blanks = sign in (" ", "  ", " \t ")
    noise = st.sampled_from([line for line in NOISE if line != "\t" or "\t" not in sign])
    more = draw(
        st.lists(st.sampled_from(sorted(EXTRA)), unique=True, max_size=3 * (further and options))
    )
    columns = draw(st.permutations(["", "", *more]))
    ends = [place for place, name in enumerate(columns) if not name]
    header = draw(st.none() | st.sampled_from([names for names in HEADERS if sign not in names[0]]))
    asked: dict[str, Any] = {"delimiter": ":"} if sign == ":" else {}
    if more:
        named = header if draw(st.booleans()) else None
        asked["columns"] = ",".join(named) if named else f"{ends[0] + 1},{ends[1] + 1}"

    def field(number: int) -> str:
        text = str(number)
        if number <= 2**53 and draw(st.integers(0, 3)) == 0:
            text += draw(st.sampled_from([".0", ".", ".000"]))
        if sign != " \t " and draw(st.integers(0, 3)) == 0:  # A closing quote ends a field.
            text = f'"{text}"'
        around = st.sampled_from(["", "", " "])
        return text if blanks else draw(around) + text + draw(around)

    def row(source: str, destination: str) -> str:
        given = iter((source, destination))
        cells = [draw(st.sampled_from(EXTRA[name])) if name else next(given) for name in columns]
        return sign.join(cells)

    lines = list(draw(st.lists(st.sampled_from(["a title", "3 4 5"]), max_size=int(options))))
    asked |= {"skip_lines": len(lines)} if lines else {}
    lines += draw(st.lists(noise, max_size=3))
    if header is not None:
        given = iter(header)
        lines.append(sign.join(name or next(given) for name in columns))
    places = []
    for pair in pairs:
        lines += draw(st.lists(noise, max_size=1))
        lines.append(row(*map(field, pair)))
        places.append(len(lines))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return Written((mark + text).encode(), asked, pairs, lines, places, end)


@st.composite
def matrices(draw: st.DrawFn) -> Written:
    """MatrixMarket with blanks, blank lines and comments where its definition allows them."""
    n = draw(st.integers(1, 9))
    ids = st.integers(1, n)
    pairs = draw(st.lists(st.tuples(ids, ids), min_size=1, max_size=12))
    field = draw(st.sampled_from(["pattern", "real", "Integer", "COMPLEX"]))
    values = {"pattern": "", "real": " -2.8E2", "Integer": "  7", "COMPLEX": " 1 0."}[field]
    symmetry = draw(st.sampled_from(["general", "Symmetric", "skew-symmetric", "hermitian"]))
    gap = draw(st.sampled_from([" ", "   ", "\t"]))
    noise = st.lists(st.sampled_from(["", "  ", "% a comment", "  % behind blanks"]), max_size=2)
    banner = draw(st.sampled_from(["%%MatrixMarket", "%MatrixMarket", "  %%matrixmarket"]))
    lines = [gap.join([banner, "matrix", "Coordinate", field, symmetry]), *draw(noise)]
    lines += [gap.join(map(str, ["", n, n, len(pairs)])), *draw(noise)]
    places = []
    for source, destination in pairs:
        lines.append(f"{draw(st.sampled_from(['', ' ']))}{source}{gap}{destination}{values}")
        places.append(len(lines))
        lines += draw(noise)
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return Written((end.join(lines) + end).encode(), {}, pairs, lines, places, end)


def both_ways(pairs: Pairs) -> Pairs:
    return [*pairs, *((b, a) for a, b in pairs if a != b)]


def flows(written: Written) -> Pairs:
    """What the ranks flow along."""
    first = written.content.split(b"\n")[0].lower()
    symmetric = b"matrixmarket" in first and b"general" not in first
    return both_ways(written.pairs) if symmetric else written.pairs


def put(folder: Path, written: Written, compressed: bool) -> Path:
    path = folder / f"edges.txt{'.gz' if compressed else ''}"
    path.write_bytes(gzip.compress(written.content) if compressed else written.content)
    return path


def by_the_engines(path: Path, split_size: int, parameters: Parameters) -> Pairs:
    splits = storage.splits(str(path), split_size)
    form = edges.sniff(splits[0].uri, parameters.reading)
    return [
        pair
        for split in splits
        for chunk in edges.flow(split, form, parameters.reverse)[0]
        for pair in zip(chunk.sources.tolist(), chunk.destinations.tolist(), strict=True)
    ]


def by_the_oracle(path: Path, parameters: Parameters) -> Pairs:
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    run = Run(study.STUDY, "plain", Options(), parameters, dataset, quiet=True)
    return [
        pair
        for sources, destinations in oracle_edges.read_for(run, lambda *ends: ends)
        for pair in zip(sources.tolist(), destinations.tolist(), strict=True)
    ]


@settings(max_examples=150, deadline=None)
@given(
    written=st.one_of(tables(), tables(), matrices()),
    split_size=st.integers(1, 100) | st.just(1 << 20),
    compressed=st.booleans(),
)
def test_engines_and_oracle_read_the_same_edges(tmp_path_factory, written, split_size, compressed):
    path = put(tmp_path_factory.mktemp("edges"), written, compressed)
    parameters = Parameters(**written.options)
    assert sorted(by_the_engines(path, split_size, parameters)) == sorted(flows(written))
    # It may say a self-loop's way back too: the pairs are counted once.
    assert set(by_the_oracle(path, parameters)) == set(flows(written))


SPOILT = {
    "a name": (lambda line: "anna" + line.strip(), "is a name; ids are whole numbers"),
    "a float": (lambda line: "0.5" + line.strip(), "whole number"),
    "cut off": (lambda line: "7", "expected"),
    "NUL": (lambda line: line + "\0", "a NUL byte"),
    "an open quote": (lambda line: '"' + line.replace('"', ""), ""),
}


@settings(max_examples=80, deadline=None)
@given(
    written=st.one_of(tables(further=False), matrices()),
    how=st.sampled_from(sorted(SPOILT)),
    where=st.integers(1, 11),
    split_size=st.integers(1, 100) | st.just(1 << 20),
)
def test_a_spoilt_line_is_named(tmp_path_factory, written, how, where, split_size):
    """Never the first line of data, which may be taken for a header."""
    if len(written.places) < 2:
        return
    number = written.places[min(where, len(written.places) - 1)]
    lines = [*written.lines]
    spoil, word = SPOILT[how]
    lines[number - 1] = spoil(lines[number - 1])
    content = written.end.join(lines).encode()
    path = tmp_path_factory.mktemp("edges") / "edges.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        by_the_engines(path, split_size, Parameters(**written.options))
    said = str(caught.value)
    assert str(path) in said
    assert f"line {number}" in said
    assert word in said


FOLDERS = st.lists(st.one_of(tables(options=False), matrices()), min_size=6, max_size=6)
"""Files of one run, because a run takes longer than its files."""


class TestAnswers(OfStudy):
    case = CASE

    def checked(self, engine, tmp_path_factory, files, *argv):
        """With the options that the first of the files wants."""
        folder = tmp_path_factory.mktemp("run")
        for number, written in enumerate(files):
            (folder / "edges" / str(number)).mkdir(parents=True)
            put(folder / "edges" / str(number), written, False)
        options = [
            word
            for name, value in files[0].options.items()
            for word in (f"--{name.replace('_', '-')}", value)
        ]
        record = self.called(
            engine, "--data", folder / "edges", "--workers", 1, "--tolerance", "1e-12",
            "--top", 200, "--results", folder / "results", *options, *argv,
        )  # fmt: skip
        assert record["check"]["passed"] is True
        expected = networkx_ranks([pair for written in files for pair in flows(written)])
        found = {entry["vertex"]: entry["rank"] for entry in record["quality"]["top"]}
        assert found.keys() == expected.keys()
        assert max(abs(found[vertex] - expected[vertex]) for vertex in expected) < 1e-9

    @settings(
        max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(files=FOLDERS | st.tuples(tables()))
    def test_the_checked_answer_is_the_same_in_every_dialect(self, tmp_path_factory, files):
        self.checked("plain", tmp_path_factory, files)

    @settings(
        max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(files=FOLDERS)
    def test_and_on_ray(self, ray, joining, tmp_path_factory, files):
        self.checked(ray, tmp_path_factory, files, *joining(ray))
