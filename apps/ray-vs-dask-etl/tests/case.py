"""What this study states for the contract that all studies share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pyarrow import csv, parquet
from ray_vs_dask_etl.study import STUDY
from studytest.case import Damage, StudyCase
from tables import HEADER, random_rows, write_rows

REGRESSION = ("--task", "logistic-regression")
FIT = (*REGRESSION, "--solver", "lbfgs", "--split-size", "20kb")


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """The table to the last bit; coefficients as far as the order of adding them up allows."""
    if "groups" in right:
        assert found["groups"] == right["groups"]
        return
    for row, expected in zip(found["coefficients"], right["coefficients"], strict=True):
        assert row == {
            name: value if isinstance(value, str) else pytest.approx(value, abs=1e-7)
            for name, value in expected.items()
        }


def written(out: Path, quality: Mapping[str, Any]) -> None:
    table = csv.read_csv(out) if out.suffix == ".csv" else parquet.read_table(out)
    assert table.to_pylist() == quality["groups"]


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "rows.csv"
    good, bad = "1,0.5,0.5,A\n", "2,0.5,half,A\n"
    path.write_text(HEADER + good * 2000 + bad + "3,0.5,0.5,B\n" * 100)
    return path, "line 2002, column y: 'half'"


def after_good(line: str, end: str = "\n") -> bytes:
    return f"{HEADER}1,0.5,0.5,A\n{line}{end}".encode()


NOTHING = {"empty file": b"", "header only": HEADER.encode(), "blank lines only": b"\n\n"}
DAMAGES = {
    **{name: Damage(content, ("no ",)) for name, content in NOTHING.items()},
    **{
        f"{name}, to be fitted": Damage(content, ("no ",), argv=REGRESSION, out="model.json")
        for name, content in NOTHING.items()
    },
    "a NUL byte": Damage(after_good("2,0.\x005,0.5,A"), ("line 3", "a NUL byte")),
    "a missing column": Damage(b"id,x,category\n1,2,A\n", ("line 1", "no column 'y'")),
    "a field too many": Damage(
        after_good("2,0.5,0.5,A,1"), ("line 3", "expected 4 columns, found 5")
    ),
    "another category": Damage(after_good("2,0.5,0.5,E"), ("line 3", "'E' is none of A, B, C, D")),
    "a truncated last line": Damage(
        after_good("2,0.5,0.5", end=""), ("line 3", "expected 4 columns, found 3")
    ),
}

CASE = StudyCase(
    study=STUDY,
    write=lambda folder: write_rows(folder / "rows.csv", random_rows(20_000, seed=11)),
    same=same,
    rows=lambda quality: int(quality["rows"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="uniform_rows",
    large_size="1gb",
    endless=(*FIT, "--tolerance", "1e-300", "--max-iterations", 1_000_000_000),
    working="fitting",
    long=FIT,
    unconverged=(*REGRESSION, "--max-iterations", 1),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="5kb",
    wrong_usage=[
        (("--task", "clustering"), "clustering"),
        (("--solver", "magic"), "magic"),
        (("--columns", "id,category"), "--columns"),
        (("--columns", "id,x,x,category"), "--columns"),
        (("--categories", "A,A"), "--categories"),
        (("--categories", ""), "--categories"),
        (("--signal", "2"), "--signal"),
        (("--data", "x.csv", "--signal", "0.5"), "--signal"),
        (("--l2", "-1"), "--l2"),
        (("--tolerance", "0"), "--tolerance"),
        (("--out", "groups.xlsx"), ".parquet"),
        (("--task", "logistic-regression", "--out", "model.csv"), ".json"),
        (("--task", "logistic-regression", "--method", "native"), "native"),
        (("--categories", ",".join(map(str, range(300)))), "256"),
    ],
    outs=("groups.parquet", "groups.csv"),
    written=written,
    split_size="30kb",
    worker_phases=frozenset({"load"}),
    again_from_the_input=False,
    charts=frozenset({"time_against_workers.png", "papers_tables.svg"}),
)
