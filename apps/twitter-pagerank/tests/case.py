"""What this study states for the contract that all studies share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphs import random_pairs, write_graph
from pyarrow import csv, parquet
from studytest.case import Damage, StudyCase
from studytest.damages import BAD_TEXT
from twitter_pagerank.study import STUDY

SWINGING = [(90_000_001, 90_000_002), (90_000_002, 90_000_001), (90_000_003, 90_000_001)]
"""What flows in goes to and fro, damped by no more than the damping itself: as many iterations as
the damping asks for."""
ALL = ("--top", 10_000)


def write(folder: Path) -> Path:
    pairs = [*random_pairs(2000, 30_000, seed=11), *SWINGING]
    return write_graph(folder / "edges.csv", pairs)


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    assert found["top"] == right["top"]


def written(out: Path, quality: Mapping[str, Any]) -> None:
    table = csv.read_csv(out) if out.suffix == ".csv" else parquet.read_table(out)
    assert len(table) == quality["vertices"]
    highest = table.sort_by([("rank", "descending"), ("vertex", "ascending")])
    assert highest.slice(0, len(quality["top"])).to_pylist() == quality["top"]


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "edges.csv"
    path.write_text("1,2\n" * 5000 + "3,x\n" + "4,5\n" * 100)
    return path, "line 5001"


NOTHING = {"empty file": "no data", "blank lines only": "no edges"}
MATRIX = b"%%MatrixMarket matrix coordinate pattern general\n3 3 3\n1 2\n2 3\n"
DAMAGES = {
    **{
        name: Damage(content, (f"line {line}" if line else NOTHING[name],))
        for name, (content, line) in BAD_TEXT.items()
    },
    "header only": Damage(b"source,destination\n", ("no edges",)),
    "comments only": Damage(b"# none\n", ("no edges",)),
    "a missing column": Damage(b"source\n1\n2\n", ("line 1",)),
    "fewer matrix entries than declared": Damage(
        MATRIX, ("3 entries declared, 2 found",), file_name="graph.mtx"
    ),
}

CASE = StudyCase(
    study=STUDY,
    write=write,
    same=same,
    rows=lambda quality: int(quality["edges"] + quality["duplicate_edges"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="follower_graph",
    large_size="1gb",
    endless=("--damping", "0.999999999", "--max-iterations", 1_000_000_000),
    working="iterating",
    long=("--damping", "0.97", "--tolerance", "1e-13", "--max-iterations", 5000, *ALL),
    unconverged=("--max-iterations", 2, "--tolerance", "1e-12"),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="1kb",
    wrong_usage=[
        (("--method", "native"), "native"),
        (("--out", "ranks.xlsx", "--size", "tiny"), ".parquet"),
        (("--tolerance", "0"), "--tolerance"),
        (("--damping", "1"), "--damping"),
    ],
    outs=("ranks.csv", "ranks.parquet"),
    written=written,
    answer_options=ALL,
    charts=frozenset({"time_against_workers.png", "phases.svg", "rank_distribution.html"}),
)
