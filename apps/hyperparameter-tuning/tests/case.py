"""What this study states for the contract that all studies share."""

import csv as csv_lines
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diagnosis_files
import pytest
from hyperparameter_tuning.study import STUDY
from pyarrow import csv, parquet
from studytest.case import Damage, StudyCase
from studytest.figures import assert_equal, of_the_answer

MADE = diagnosis_files.made()
HEADER, *ROWS = MADE.splitlines(keepends=True)


def write(folder: Path) -> Path:
    path = folder / "data.csv"
    path.write_text(MADE)
    return path


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """All but what it took: a trial is the same wherever it is computed. XGBoost sums histograms
    by as many threads as it has, so the last digits of its losses may be others."""
    one, other = (json.loads(json.dumps(of_the_answer(dict(each)))) for each in (found, right))
    assert_equal(one, other, "quality")


def written(out: Path, quality: Mapping[str, Any]) -> None:
    if out.suffix == ".ubj":
        assert out.stat().st_size > 1000
        return
    file = out if out.suffix else out / "trials.csv"
    table = csv.read_csv(file) if file.suffix == ".csv" else parquet.read_table(file)
    rows = table.to_pylist()
    assert [row["max_depth"] for row in rows] == [
        trial["configuration"]["max_depth"] for trial in quality["trials"]
    ]
    for row, trial in zip(rows, quality["trials"], strict=True):
        assert row["score"] == pytest.approx(trial["score"], rel=1e-12)
    if not out.suffix:
        names = {path.name for path in out.iterdir()}
        assert {"page.html", "model.ubj", "trials.csv"} <= names


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "data.csv"
    wrong = ROWS[400].split(",")
    wrong[3] = "large"
    path.write_text("".join([HEADER, *ROWS[:400], ",".join(wrong), *ROWS[401:]]))
    return path, "line 402, column perimeter_mean: 'large' is not a double"


def table(*rows: str, header: str = HEADER) -> bytes:
    return "".join([header, *rows]).encode()


def changed(row: str, place: int, value: str) -> str:
    fields = next(csv_lines.reader([row]))
    fields[place] = value
    return ",".join(fields) + "\n"


NOTHING = {"empty file": b"", "header only": HEADER.encode(), "blank lines only": b"\n\n"}
DAMAGES = {
    "empty file": Damage(NOTHING["empty file"], ("no data: the input is empty",)),
    "header only": Damage(NOTHING["header only"], ("no rows",)),
    "a NUL byte": Damage(table(*ROWS[:5], ROWS[5].replace("M,", "M\0,", 1)), ("line 7",)),
    "a missing column": Damage(
        MADE.replace("area_mean", "size_mean", 1).encode(), ("line 1", "no column 'area_mean'")
    ),
    "an unknown label": Damage(
        table(*ROWS[:5], changed(ROWS[5], 0, "X")),
        ("line 7, column diagnosis", "'X' is neither M (malignant) nor B (benign)"),
    ),
    "a word for a number": Damage(
        table(*ROWS[:5], changed(ROWS[5], 3, "large")),
        ("line 7, column perimeter_mean", "'large' is not a double"),
    ),
    "a truncated last line": Damage(
        MADE[: MADE.rindex(",")].encode(), ("line 570", "expected 31 columns, found 30")
    ),
    "one class only": Damage(
        table(*(row for row in ROWS if row.startswith("M"))),
        ("one class only", "all rows are malignant"),
    ),
}
FOLDER_OF_NO_SEARCH = "no-search-is-here"

CASE = StudyCase(
    study=STUDY,
    write=write,
    same=same,
    rows=lambda quality: int(quality["rows"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="breast_cancer",
    large_size="tiny",
    endless=("--rounds", 1_000_000_000),
    working="searching by grid",
    long=("--rounds", 6),
    imports=("sklearn.model_selection", "xgboost"),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="10kb",
    wrong_usage=[
        (("--study", "mnist"), "mnist"),
        (("--search", "pbt"), "--study cifar10"),
        (("--study", "cifar10", "--search", "grid"), "grid"),
        (("--study", "cifar10", "--beside", "luck"), "luck"),
        (("--max-depth", ","), "nothing to choose from"),
        (("--max-depth", "0"), "one deep"),
        (("--max-depth", "deep"), "no whole number"),
        (("--study", "cifar10", "--learning-rate", "1e-2,1e-4"), "search space is empty"),
        (("--study", "cifar10", "--learning-rate", "1e-2"), "two numbers"),
        (("--study", "cifar10", "--dropout", "0.5,1"), "a share"),
        (("--study", "cifar10", "--batch-size", "0"), "one picture"),
        (("--study", "cifar10", "--vectorised", "--network", "paper"), "small network"),
        (("--num-to-keep", "0"), "--num-to-keep 0"),
        (("--resume",), "--checkpoint"),
        (("--resume", "--checkpoint", FOLDER_OF_NO_SEARCH, "--rounds", "2"), "--rounds"),
        (("--epochs", "0"), "epochs"),
        (("--out", "model.safetensors"), ".ubj"),
        (("--out", "answer.xlsx"), ".parquet"),
    ],
    outs=("answer", "trials.parquet", "trials.csv", "model.ubj"),
    written=written,
    split_size="10kb",
    again_from_the_input=False,
    charts=frozenset({"time_against_workers.png", "quality.svg"}),
)
