"""What this study states for the contract that all studies share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lesion_classification.study import STUDY
from pyarrow import csv, parquet
from study_data.lesion_images import HEADER
from studytest import running
from studytest.case import Damage, StudyCase
from studytest.running import Finished
from tables import write_made

SMALL = (
    "--weights", "random", "--side", 64, "--precision", "float32", "--fold-count", 4, "--epochs", 2,
)  # fmt: skip
"""An image of 64 pixels a side takes a twelfth of one of 224; and it has so little in it that what
bfloat16 rounds away shows."""
FIGURES = ("auc", "accuracy", "precision", "recall", "f1")


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    """To the last bit: the same images in the same network, the same folds on one thread."""
    for name in ("rows", "images", "malignant", "folds", "groups", "broken", "by_fold"):
        assert found[name] == right[name], name
    for name in FIGURES:
        assert (found[name], found[f"{name}_std"]) == (right[name], right[f"{name}_std"]), name


def written(out: Path, quality: Mapping[str, Any]) -> None:
    file = out if out.suffix else out / "predictions.parquet"
    table = csv.read_csv(file) if file.suffix == ".csv" else parquet.read_table(file)
    columns = {name: np.array(values) for name, values in table.to_pydict().items()}
    assert len(columns["image"]) == quality["images"]
    right = (columns["score"] > 0.5) == columns["malignant"]
    by_fold = [right[columns["fold"] == fold].mean() for fold in range(quality["folds"])]
    assert np.isclose(np.mean(by_fold), quality["accuracy"])


def line(image: str = "x.jpg", malignant: str = "1", age: str = "50", lesion: str = "a") -> str:
    return f"{lesion},{image},{malignant},{age},male,back,6in,5.0,4.0\n"


def damaged(folder: Path) -> tuple[Path, str]:
    path = folder / "metadata.csv"
    good = "".join(line(f"{number}.jpg", str(number % 2)) for number in range(2000))
    path.write_text(HEADER + good + line("y.jpg", age="old") + line("z.jpg"))
    return path, "line 2002, column age: 'old' is no number"


def after_good(bad: str) -> bytes:
    return f"{HEADER}{line()}{line('y.jpg', '0')}{bad}".encode()


NOTHING = {"empty file": b"", "header only": HEADER.encode(), "blank lines only": b"\n\n"}
DAMAGES = {
    **{name: Damage(content, ("no rows",)) for name, content in NOTHING.items()},
    "a NUL byte": Damage(after_good(line(age="5\x000")), ("line 4", "a NUL byte")),
    "a missing column": Damage(
        HEADER.replace("malignant,", "").encode() + b"a,x.jpg,50,male,back,6in,5,4\n",
        ("line 1", "no column 'malignant'"),
    ),
    "an unknown label": Damage(
        after_good(line("z.jpg", "maybe")), ("line 4, column malignant", "'maybe' is none of 0, 1")
    ),
    "a field too many": Damage(
        after_good(line("z.jpg").replace("\n", ",1\n")),
        ("line 4", "expected 9 columns, found 10"),
    ),
    "a truncated last line": Damage(
        after_good("b,z.jpg,1,50"), ("line 4", "expected 9 columns, found 4")
    ),
    "an image twice": Damage(after_good(line()), ("row 3", "'x.jpg'", "row 1")),
    "one class only": Damage(
        (HEADER + "".join(line(f"{number}.jpg") for number in range(9))).encode(),
        ("one class only", "9 images are malignant"),
    ),
    "fewer lesions than folds": Damage(
        (
            HEADER
            + "".join(line(f"{n}.jpg", str(n % 2), lesion=str(n % 2)) for n in range(9))
        ).encode(),
        ("10 folds need as many lesions",),
    ),
}  # fmt: skip

CASE = StudyCase(
    study=STUDY,
    write=write_made,
    same=same,
    rows=lambda quality: int(quality["rows"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="lesion_images",
    large_size="data_1",
    endless=(*SMALL, "--rounds", 1_000_000_000),
    working="looking at images",
    long=(*SMALL, "--rounds", 40),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="5kb",
    wrong_usage=[
        (("--precision", "float8"), "float8"),
        (("--feature-type", "int8"), "int8"),
        (("--folds", "mixed"), "mixed"),
        (("--fold-count", "1"), "fold-count"),
        (("--images", "x"), "--images"),
        (("--epochs", "0"), "epochs"),
        (("--batch-size", "1"), "batch-size"),
        (("--out", "answer.xlsx"), ".parquet"),
    ],
    outs=("predictions.parquet", "predictions.csv", "answer"),
    written=written,
    answer_options=SMALL,
    split_size="1kb",
    worker_phases=frozenset({"features", "folds", "compute"}),
    charts=frozenset({"time_against_workers.png", "quality.svg"}),
)


class RanksApart:
    """Ranks are forked, and what has computed on images by several threads cannot be: a run on
    torch is a process of its own."""

    def call(self, engine: str, *argv: object, **variables: str) -> Finished:
        call = running.run if engine == "torch" else running.call
        return call(CASE.module(engine), *argv, **variables)
