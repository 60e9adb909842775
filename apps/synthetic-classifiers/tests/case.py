"""What this study states for the contract that all studies share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import csv, parquet
from studytest.case import Damage, StudyCase
from synthetic_classifiers.study import STUDY
from tables import HEADER, write_made

GOOD = "0.5,-1.25,1\n-0.5,1.0,0\n"
LONG = ("--rounds", 200)


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """Coefficients as far as the order of adding them up allows."""
    for name in ("rows", "train_rows", "test_rows", "class_counts"):
        assert found[name] == right[name], name
    assert set(found["algorithms"]) == set(right["algorithms"])
    for name, one in found["algorithms"].items():
        other = right["algorithms"][name]
        assert one["confusion"] == other["confusion"]
        if "coefficients" in one:
            assert np.allclose(one["coefficients"], other["coefficients"], rtol=0, atol=1e-7)
        assert one["log_loss"] == pytest.approx(other["log_loss"], abs=1e-7)


def written(out: Path, quality: Mapping[str, Any]) -> None:
    file = out if out.suffix else out / "logistic-regression-predictions.csv"
    table = csv.read_csv(file) if file.suffix == ".csv" else parquet.read_table(file)
    columns = {name: np.array(values) for name, values in table.to_pydict().items()}
    assert len(columns["row"]) == quality["test_rows"]
    assert np.all(np.diff(columns["row"]) > 0)
    right = np.mean(columns["predicted"] == columns["label"])
    assert right == quality["accuracy_logistic-regression"]


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "samples.csv"
    path.write_text(HEADER + GOOD * 1000 + "0.5,half,1\n" + GOOD * 100)
    return path, "line 2002, column feature_1: 'half'"


def after_good(bad: str, end: str = "\n") -> bytes:
    return f"{HEADER}{GOOD}{bad}{end}".encode()


NOTHING = {"empty file": b"", "header only": HEADER.encode(), "blank lines only": b"\n\n"}
DAMAGES = {
    **{name: Damage(content, ("no ",)) for name, content in NOTHING.items()},
    "a NUL byte": Damage(after_good("0.\x005,0.5,1"), ("line 4", "a NUL byte")),
    "no label": Damage(b"feature_0,feature_1,kind\n1,2,0\n", ("line 1", "target")),
    "a column too few": Damage(after_good("0.5,1"), ("line 4", "expected 3 columns, found 2")),
    "a truncated last line": Damage(
        after_good("0.5,0.25", end=""), ("line 4", "expected 3 columns, found 2")
    ),
    "a label that is no whole number": Damage(
        after_good("0.5,0.5,0.5"), ("line 4, column target", "0.5")
    ),
    "a label that is no class": Damage(
        after_good("0.5,0.5,2"), ("line 4, column target", "2 is no class: they are 0 to 1")
    ),
    "a missing value": Damage(
        after_good("0.5,,1"), ("line 4, column feature_1", "a missing value")
    ),
    "a missing label": Damage(
        after_good("0.5,0.5,"), ("line 4, column target", "a missing value"),
        argv=("--algorithm", "xgboost"), out="model.ubj",
    ),
    "one class only": Damage(
        (HEADER + "0.5,0.5,1\n" * 40).encode(), ("all 40 samples are of class 1",)
    ),
    "a class without a training sample": Damage(
        (HEADER + GOOD * 20).encode(), ("class 2 has no sample",), argv=("--classes", 3)
    ),
    "fewer rows than workers": Damage(
        (HEADER + GOOD).encode(), ("2 samples are fewer than the 3 workers",),
        argv=("--workers", 3, "--oversubscribe"),
    ),
}  # fmt: skip

CASE = StudyCase(
    study=STUDY,
    write=lambda folder: write_made(folder / "samples.csv", 3000, seed=5),
    same=same,
    rows=lambda quality: int(quality["rows"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="synthetic_classes",
    large_size="1gb",
    endless=("--rounds", 1_000_000_000),
    working="training",
    long=LONG,
    unconverged=("--max-iterations", 1),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="2kb",
    wrong_usage=[
        (("--algorithm", "magic"), "magic"),
        (("--forest", "magic"), "magic"),
        (("--forest", "histogram"), "random-forest"),
        (("--classes", "1"), "--classes"),
        (("--features", "a,a"), "--features"),
        (("--concept", "two"), "two"),
        (("--data", "x.csv", "--concept", "published"), "--concept"),
        (("--informative", "20"), "informative"),
        (("--l2", "-1"), "--l2"),
        (("--out", "answer.xlsx"), ".parquet"),
        (("--out", "model.ubj"), "logistic-regression ends in .json"),
        (("--algorithm", "all", "--out", "answer.csv"), "folder"),
    ],
    outs=("predictions.parquet", "predictions.csv", "answer"),
    written=written,
    split_size="30kb",
    charts=frozenset({"time_against_workers.png", "accuracy.svg", "seconds_by_classifier.png"}),
)
