"""An independent, slower look at the whole input, and the check of the answer against it.

Nothing of the reader or the kernel is used: files are read by Arrow's own CSV reader, trips are
filtered in NumPy, distances are taken from every trip to every centre in float64, off the grid.
Right is an answer that has the same rows and rejects, rule by rule; whose inertia and trips are
those of its centres; and which Lloyd's next step would leave where it is.
"""

import contextlib
import gzip
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow import parquet
from studykit import storage
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run

from taxi_clustering.city import CENTRE_LATITUDE
from taxi_clustering.city import CENTRE_LONGITUDE
from taxi_clustering.clustering import Clustering

READ_BYTES = 16_000_000
PARQUET_ROWS = 100_000
EARTH_RADIUS = 6_371_008.8
"""Metres, the mean of IUGG's."""
TRIPS_AT_ONCE = 50_000
INERTIA_SHARE = 1e-5
GRID_ERROR = 0.01
"""Metres: generous for float32 and the grid."""
MOVED_TRIPS_SHARE = 1e-4
"""Trips that may count for another cluster, as near to it within rounding."""

COLUMNS = {
    "from": (("pickup",), ("time",)),
    "to": (("dropoff",), ("time",)),
    "miles": (("distance",), ("",)),
    "lon0": (("pickup", "start"), ("lon",)),
    "lat0": (("pickup", "start"), ("lat",)),
    "lon1": (("dropoff", "end_"), ("lon",)),
    "lat1": (("dropoff", "end_"), ("lat",)),
    "total": (("total",), ("",)),
}
"""{what: words of which one of each must be in the column's name}."""

Floats = npt.NDArray[np.float64]


def check(run: Run, clustering: Clustering) -> Check:
    """Compare an answer with one independent pass over the input."""
    centres = clustering.centres.astype(np.float64)
    rejects = np.zeros(6, np.int64)
    sums, inertia, rows, kept = np.zeros((len(centres), 3)), 0.0, 0, 0
    for batch in _batches(run.dataset.uri):
        broken = rules_broken(batch)
        good = np.logical_not(broken.any(axis=0))
        rejects += broken.sum(axis=1)
        rows, kept = rows + len(good), kept + int(good.sum())
        points = _metres(batch["lon0"][good], batch["lat0"][good])
        for start in range(0, len(points), TRIPS_AT_ONCE):
            inertia += _assign(points[start : start + TRIPS_AT_ONCE], centres, sums)
    means = sums[:, 1:] / np.maximum(sums[:, :1], 1)
    apart = np.where(sums[:, 0] > 0, np.hypot(*(means - centres).T), np.inf).max()
    allowed = run.parameters.tolerance + GRID_ERROR
    moved = int(np.abs(sums[:, 0] - clustering.trips).sum()) / 2
    totals = clustering.totals
    same = (rows, kept, rejects.tolist()) == (
        totals.rows,
        totals.kept,
        list(totals.rejects.values()),
    )
    spare = INERTIA_SHARE * inertia + kept * GRID_ERROR**2
    return Check(
        passed=bool(
            same
            and apart < allowed
            and abs(inertia - clustering.inertia) <= spare
            and moved <= MOVED_TRIPS_SHARE * kept
        ),
        oracle="one step of Lloyd's in float64 over an independent reading",
        detail={
            "rows_read": rows,
            "rows_kept": kept,
            "rejects": rejects.tolist(),
            "inertia": inertia,
            "trips_of_another_cluster": moved,
            "next_step_metres": float(apart),
            "allowed_metres": allowed,
        },
    )


def rules_broken(batch: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """bool[6, n]: pickup, dropoff, duration, distance, speed, total."""
    minutes = (batch["to"] - batch["from"]) / 60
    with np.errstate(divide="ignore", invalid="ignore"):
        mph = 60 * batch["miles"] / minutes

    def outside(end: str) -> npt.NDArray[np.bool_]:
        longitude, latitude = batch["lon" + end], batch["lat" + end]
        east_west = (longitude >= -74.15) & (longitude <= -73.7004)
        return ~(east_west & (latitude >= 40.5774) & (latitude <= 40.9176))

    return np.array(
        [
            outside("0"),
            outside("1"),
            ~((minutes > 0) & (minutes < 720)),
            ~((batch["miles"] > 0) & (batch["miles"] < 23)),
            ~((mph >= 0) & (mph <= 45.31)),
            ~((batch["total"] > 0) & (batch["total"] < 1000)),
        ]
    )


def _metres(longitude: Floats, latitude: Floats) -> Floats:
    scale = np.cos(np.radians(CENTRE_LATITUDE))
    east = EARTH_RADIUS * scale * np.radians(longitude - CENTRE_LONGITUDE)
    north = EARTH_RADIUS * np.radians(latitude - CENTRE_LATITUDE)
    return np.stack([east, north], axis=1)


def _assign(points: Floats, centres: Floats, sums: Floats) -> float:
    """Add points float64[n, 2] to the sums of their nearest centres; returns their inertia."""
    squares = (points[:, :1] - centres[:, 0]) ** 2 + (points[:, 1:] - centres[:, 1]) ** 2
    label = squares.argmin(axis=1)
    for column, weights in enumerate((None, points[:, 0], points[:, 1])):
        sums[:, column] += np.bincount(label, weights, minlength=len(centres))
    return float(squares[np.arange(len(label)), label].sum())


def _batches(uri: str) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """{name of COLUMNS: its numbers} of some rows at a time; times are seconds."""
    for file in storage.list_files(uri):
        with contextlib.ExitStack() as stack:
            stream: Any = stack.enter_context(storage.open_input(file))
            if stream.read(4) == b"PAR1":
                yield from _of_parquet(stream)
                continue
            stream.seek(0)
            if file.endswith(".gz"):
                stream = stack.enter_context(gzip.open(stream))
            names = _names(_header(stream))
            stream.seek(0)
            kinds = {name: pa.float64() for name in names.values()}
            kinds |= {names[end]: pa.timestamp("s") for end in ("from", "to")}
            reader = csv.open_csv(
                stream,
                csv.ReadOptions(block_size=READ_BYTES),
                convert_options=csv.ConvertOptions(column_types=kinds, include_columns=list(kinds)),
            )
            for batch in reader:
                columns = {what: batch.column(name) for what, name in names.items()}
                for end in ("from", "to"):
                    columns[end] = columns[end].cast(pa.int64())
                yield {what: column.to_numpy() for what, column in columns.items()}


def _of_parquet(stream: Any) -> Iterator[dict[str, npt.NDArray[Any]]]:
    with parquet.ParquetFile(stream) as file:
        names = _names(file.schema_arrow.names)
        for batch in file.iter_batches(PARQUET_ROWS, columns=list(names.values())):
            columns = {what: batch.column(name) for what, name in names.items()}
            for end in ("from", "to"):
                times = pc.floor_temporal(columns[end].cast(pa.timestamp("us")), unit="second")
                columns[end] = times.cast(pa.timestamp("s")).cast(pa.int64())
            yield {what: column.cast(pa.float64()).to_numpy() for what, column in columns.items()}


def _header(stream: Any) -> list[str]:
    header = stream.read(1 << 16).decode("utf-8-sig", "replace").lstrip("\r\n").splitlines()[0]
    return [name.strip('"') for name in header.split(",")]


def _names(names: list[str]) -> dict[str, str]:
    found = {}
    for what, words in COLUMNS.items():
        fitting = [n for n in names if all(any(w in n.lower() for w in some) for some in words)]
        if len(fitting) != 1:
            raise CheckError(f"the oracle finds {len(fitting)} columns for '{what}' in: {names}")
        found[what] = fitting[0]
    return found
