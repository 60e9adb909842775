"""The table for the oracle: read by Arrow or polars, whole, and divided by other means."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv, parquet
from studykit import columnar, storage
from studykit.run import Run

from synthetic_classifiers.layout import Features, Labels

TEST_SHARE = 0.2


@dataclass(frozen=True)
class Table:
    """train_*, test_*: in the order of the table; test_rows: their numbers in it."""

    train_features: Features
    train_labels: Labels
    test_features: Features
    test_labels: Labels
    test_rows: npt.NDArray[np.int64]


def read(run: Run) -> Table:
    asked = run.parameters.asked
    tables = [_file(uri, run) for uri in storage.list_files(run.dataset.uri)]
    names = asked.features or [name for name in tables[0].column_names if name != asked.label]
    count = sum(map(len, tables))
    features, labels = np.empty((count, len(names)), np.float32), np.empty(count, np.int32)
    start = 0
    for table in tables:
        stop = start + len(table)
        for place, name in enumerate(names):
            column = table.column(name).cast(pa.float32())
            features[start:stop, place] = column.to_numpy()  # NaN where there is none.
        labels[start:stop] = table.column(asked.label).to_numpy()
        start = stop
    if run.options.method == "native":
        tests = np.arange(count) >= count - int(count * TEST_SHARE)
    else:
        tests = split_rows(count, run.options.seed)
    return Table(
        features[~tests], labels[~tests], features[tests], labels[tests], np.flatnonzero(tests)
    )


def _file(uri: str, run: Run) -> pa.Table:
    label = run.parameters.label
    wanted = [*(run.parameters.asked.features or ()), label]
    columns = wanted if run.parameters.features else None
    if columnar.is_parquet(uri):
        with storage.open_input(uri) as file:
            return parquet.read_table(file, columns=columns)
    with storage.open_inflated(uri) as file:
        names = _names(file.readline())
    kinds = {name: pa.float32() for name in names if name != label} | {label: pa.int64()}
    if columns is not None:
        kinds = {name: kind for name, kind in kinds.items() if name in wanted}
    with storage.open_inflated(uri) as file:
        return csv.read_csv(
            file,
            csv.ReadOptions(block_size=8 << 20),
            convert_options=csv.ConvertOptions(
                column_types=kinds,
                include_columns=columns,
                null_values=["", "NA", "nan", "NaN", "null", "None", "N/A", "?"],
            ),
        )


def _names(header: bytes) -> list[str]:
    text = header.decode("utf-8-sig").strip()
    return [name.strip().strip('"') for name in text.split(",")]


def split_rows(count: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows test, bool[count]: by splitmix64 of the seed and the number, in arrays."""
    with np.errstate(over="ignore"):
        z = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed % 2**64)) * np.uint64(
            0x9E3779B97F4A7C15
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return z < np.uint64(int(TEST_SHARE * 2**64))
