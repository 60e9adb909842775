"""What this study states for the contract that all studies share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from digits_knn_cnn.study import STUDY
from published_split import HEADER, line, write_table
from pyarrow import csv, parquet
from studytest.case import Damage, StudyCase

OF_THE_ANSWER = (
    "rows", "train_rows", "test_rows", "train_rows_judged", "test_accuracy_by_k",
    "train_accuracy_by_k", "report", "confusion",
)  # fmt: skip


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """To the last bit."""
    for name in OF_THE_ANSWER:
        assert found[name] == right[name], name


def written(out: Path, quality: Mapping[str, Any]) -> None:
    file = out if out.suffix else out / "predictions.csv"
    table = csv.read_csv(file) if file.suffix == ".csv" else parquet.read_table(file)
    columns = {name: np.array(values) for name, values in table.to_pydict().items()}
    assert columns["row"].tolist() == list(range(quality["test_rows"]))
    for k, accuracy in quality["test_accuracy_by_k"].items():
        assert np.mean(columns[f"predicted_k{k}"] == columns["label"]) == accuracy


GOOD = line([3.0] * 64, 7)


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "digits.csv"
    bad = line([3.0] * 63 + ["half"], 7)
    path.write_text(HEADER + GOOD * 200 + bad + GOOD * 20)
    return path, "line 202, column pixel_7_7: 'half'"


def after_good(bad: str, end: str = "\n") -> bytes:
    return f"{HEADER}{GOOD}{bad.rstrip()}{end}".encode()


DAMAGES = {
    "empty file": Damage(b"", ("no rows",)),
    "header only": Damage(HEADER.encode(), ("no rows",)),
    "blank lines only": Damage(b"\n\n", ("no rows",)),
    "one row": Damage((HEADER + GOOD).encode(), ("cannot be divided",)),
    "a NUL byte": Damage(after_good(GOOD.replace("3.0,7", "3\x00.0,7")), ("line 3", "a NUL byte")),
    "63 pixels": Damage(
        HEADER.replace("pixel_7_7,", "").encode() + b"1\n", ("line 1", "no column 'pixel_7_7'")
    ),
    "no label": Damage(HEADER.replace("target", "kind").encode(), ("line 1", "no column")),
    "a field too many": Damage(
        after_good(GOOD.strip() + ",1"), ("line 3", "expected 65 columns, found 66")
    ),
    "a pixel out of range": Damage(
        after_good(line([3.0] * 63 + [17.0], 7)), ("line 3, column pixel_7_7", "17 is no pixel")
    ),
    "label 10": Damage(after_good(line([3.0] * 64, 10)), ("line 3, column target", "10")),
    "a truncated last line": Damage(
        after_good(",".join(["3.0"] * 64), end=""), ("line 3", "expected 65 columns, found 64")
    ),
    "no more training rows than neighbours": Damage(
        (HEADER + GOOD * 12).encode(), ("--neighbours 10", "9 training rows")
    ),
}

CASE = StudyCase(
    study=STUDY,
    write=lambda folder: write_table(folder / "digits.csv"),
    same=same,
    rows=lambda quality: int(quality["rows"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="digits",
    large_size="1gb",
    endless=("--rounds", 1_000_000_000),
    working="searching",
    long=("--rounds", 100),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="5kb",
    wrong_usage=[
        (("--model", "forest"), "forest"),
        (("--resolution", "9"), "--resolution 9"),
        (("--neighbours", "0"), "neighbours"),
        (("--rounds", "0"), "rounds"),
        (("--scale", "2", "--size", "tiny"), "--scale"),
        (("--scale", "2", "--data", "x.csv"), "--scale"),
        (("--max-pixel", "10000000"), "--max-pixel"),
        (("--out", "digits.xlsx"), ".parquet"),
        (("--out", "digits.safetensors"), "no model file"),
        (("--model", "cnn", "--batch-size", "0"), "batch-size"),
        (("--model", "cnn", "--epochs", "0"), "epochs"),
        (("--model", "resnet18", "--batch-size", "1"), "--batch-size 1"),
        (("--model", "cnn", "--resume"), "--checkpoint"),
        (("--checkpoint", "x.ckpt"), "--model"),
    ],
    outs=("predictions.parquet", "predictions.csv", "answer"),
    written=written,
    split_size="30kb",
    again_from_the_input=False,
    charts=frozenset({"time_against_workers.png", "accuracy_by_k.svg"}),
)
