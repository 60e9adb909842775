"""What this study states for the contract that all studies share."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studytest.case import Damage, StudyCase
from taxi import HEADER, made_up, row, write_trips
from taxi_clustering.study import STUDY


def same(found: Mapping[str, Any], right: Mapping[str, Any]) -> None:
    assert found["centres"] == right["centres"]


def written(out: Path, quality: Mapping[str, Any]) -> None:
    with open(out / "centres.csv" if out.is_dir() else out) as file:
        rows = list(csv.DictReader(file))
    found = [
        {name: float(row[name]) for name in centre}
        for row, centre in zip(rows, quality["centres"], strict=True)
    ]
    assert found == quality["centres"]


def damaged(folder: Path) -> tuple[Path, str]:
    rows = [*[row()] * 200, row() + ",,", *[row()] * 9]
    path = write_trips(folder / "trips.csv", rows)
    return path, "line 202: expected 19 columns, found 21"


def lines(*rows: str, end: str = "\n") -> bytes:
    return ("\n".join(rows) + end).encode()


GOOD = row()
DAMAGES = {
    "an empty file": Damage(b"", ("empty",)),
    "blank lines only": Damage(b"\n\r\n", ("empty",)),
    "header only": Damage(lines(HEADER), ("nothing but a header",)),
    "wrong schema": Damage(
        lines(HEADER.replace("pickup_longitude", "PULocationID"), GOOD), ("location ids",)
    ),
    "a missing column": Damage(
        lines(HEADER.replace("trip_distance", "way"), GOOD), ("trip distance",)
    ),
    "a NUL byte": Damage(lines(HEADER, GOOD, GOOD.replace("N", "\0")), ("line 3", "NUL")),
    "a truncated last line": Damage(lines(HEADER, GOOD, GOOD[:80], end=""), ("line 3",)),
    "NaN": Damage(lines(HEADER, row(pickup=("NaN", 40.7))), ("line 2, column pickup_longitude",)),
    "a bad date": Damage(
        lines(HEADER, GOOD, row(end="2015-13-01 10:00:00")), ("line 3", "tpep_dropoff_datetime")
    ),
    "all filtered out": Damage(
        lines(HEADER, row(total=0), row(miles=0, total=-1)),
        ("none of 2 rows passed", "pickup_location 0", "distance 1", "total 2"),
    ),
    "k larger than rows": Damage(
        lines(HEADER, GOOD, row(total=5)), ("--clusters 40: only 2 of 2 rows",)
    ),
    "k larger than places": Damage(lines(HEADER, *[GOOD] * 50), ("1 different places",)),
}

CASE = StudyCase(
    study=STUDY,
    write=lambda folder: made_up(folder / "trips.csv", 3000),
    same=same,
    rows=lambda quality: int(quality["rows_read"]),
    launch=Path(__file__).parents[1] / "launch",
    data_module="yellow_trips",
    large_size="1.99gb",
    endless=("--restarts", 1_000_000),
    working="iterating",
    long=("--restarts", 60),
    unconverged=("--max-iterations", 1, "--tolerance", "1e-6"),
    damages=DAMAGES,
    damaged=damaged,
    damaged_split_size="2kb",
    wrong_usage=[
        (("--method", "native"), "native"),
        (("--out", "map.xlsx", "--size", "tiny"), ".geojson"),
        (("--tolerance", "0"), "--tolerance"),
        (("--clusters", "0"), "--clusters"),
    ],
    outs=("centres.csv", "answer"),
    written=written,
    answer_options=("--clusters", 15, "--restarts", 3),
    versions=("numpy", "scikit-learn"),
    charts=frozenset({"time_of_an_iteration.png", "quality.svg", "phases.html"}),
)
