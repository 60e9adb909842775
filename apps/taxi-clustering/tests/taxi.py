"""Trips and answers that the tests share: the real samples where they are, and trips made up."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studykit import cutting
from taxi_clustering import kernel, trips
from taxi_clustering.sample import SAMPLE_SIZE, Sample
from taxi_clustering.search import Search
from taxi_clustering.worker import Worker

MONTHS = ("2015-01", "2016-01", "2016-02")
HEADER = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    "pickup_longitude,pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,"
    "dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount"
)
NAMES_OF_2009 = {
    "tpep_pickup_datetime": "Trip_Pickup_DateTime",
    "tpep_dropoff_datetime": "Trip_Dropoff_DateTime",
    "trip_distance": "Trip_Distance",
    "pickup_longitude": "Start_Lon",
    "pickup_latitude": "Start_Lat",
    "dropoff_longitude": "End_Lon",
    "dropoff_latitude": "End_Lat",
    "total_amount": "Total_Amt",
}
"""{of 2015: of 2009}"""


def sample(month: str) -> Path:
    """A real sample; skips the test where STUDY_SAMPLES does not name their folder."""
    folder = os.environ.get("STUDY_SAMPLES")
    if not folder:
        pytest.skip("STUDY_SAMPLES is not set: the real samples are not here")
    return Path(folder) / "taxi" / f"yellow_tripdata_{month}.csv"


def row(
    begin: str = "2015-01-15 10:00:00",
    end: str = "2015-01-15 10:12:00",
    miles: object = 2.5,
    pickup: tuple[object, object] = (-73.98, 40.75),
    dropoff: tuple[object, object] = (-73.96, 40.77),
    total: object = 12.3,
) -> str:
    return (
        f"2,{begin},{end},1,{miles},{pickup[0]},{pickup[1]},1,N,{dropoff[0]},{dropoff[1]},"
        f"1,9.5,0.5,0.5,2,0,0.3,{total}"
    )


def write_trips(path: Path, rows: Sequence[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def made_up(path: Path, count: int, seed: int = 0, towns: int = 12) -> Path:
    """Trips that begin around some towns, some of them with something wrong."""
    random = np.random.default_rng(seed)
    middles = random.uniform((-74.1, 40.6), (-73.75, 40.9), (towns, 2))
    places = middles[random.integers(towns, size=count)] + random.normal(0, 0.004, (count, 2))
    lengths = random.integers(0, 3600, count)
    return write_trips(
        path,
        [
            row(
                end=f"2015-01-15 10:{seconds // 60:02}:{seconds % 60:02}",
                miles=round(float(random.gamma(1.5, 2)), 2),
                pickup=(repr(float(longitude)), repr(float(latitude))),
                total=round(float(random.normal(15, 6)), 2),
            )
            for (longitude, latitude), seconds in zip(places, lengths, strict=True)
        ],
    )


def pandas_rules(path: Path) -> pd.DataFrame:
    """Which rows break which rule, by pandas: one boolean column a rule, in the study's order."""
    table = pd.read_csv(path)
    begin, end = (pd.to_datetime(table[f"tpep_{e}_datetime"]) for e in ("pickup", "dropoff"))
    minutes = (end - begin).dt.total_seconds() / 60
    miles, total = table["trip_distance"], table["total_amount"]
    speed = 60 * miles / minutes

    def located(end: str) -> pd.Series:
        inside: pd.Series = table[f"{end}_longitude"].between(-74.15, -73.7004) & table[
            f"{end}_latitude"
        ].between(40.5774, 40.9176)
        return inside

    return ~pd.DataFrame(
        {
            "pickup_location": located("pickup"),
            "dropoff_location": located("dropoff"),
            "duration": (minutes > 0) & (minutes < 720),
            "distance": (miles > 0) & (miles < 23),
            "speed": (speed >= 0) & (speed <= 45.31),
            "total": (total > 0) & (total < 1000),
        }
    )


def read(path: Path, split_size: int = 1 << 30, seed: int = 42, **lenient: bool) -> trips.Trips:
    """All trips of a file or folder, read split by split; `lenient` is for `trips.formats`."""
    splits = cutting.splits(str(path), split_size)
    forms = trips.formats(list(dict.fromkeys(split.uri for split in splits)), **lenient)
    parts = [trips.read(s, forms[s.uri], SAMPLE_SIZE, seed) for s in splits]
    first = parts[0]
    for part in parts[1:]:
        first = first.joined(part, SAMPLE_SIZE)
    return first


def points_of(read_trips: trips.Trips) -> trips.Points:
    return np.concatenate(read_trips.points, axis=1)


def cluster(
    read_trips: trips.Trips,
    clusters: int = 40,
    restarts: int = 1,
    parts: int = 1,
    tolerance: float = 1.0,
    seed: int = 42,
) -> tuple[Search, float]:
    """The exact method over `parts` workers of this process; returns its inertia as well."""
    points = points_of(read_trips)
    search = Search(
        Sample.of([read_trips.sample], SAMPLE_SIZE).points,
        clusters=clusters, seed=seed, restarts=restarts, tolerance=tolerance, max_iterations=1000,
    )  # fmt: skip
    workers = [Worker() for _ in range(parts)]
    for place, worker in enumerate(workers):
        worker.points = [np.ascontiguousarray(points[:, place::parts])]
    while not search.done:
        search.advance(kernel.combine([worker.step(search.centres) for worker in workers]))
    inertia = float(sum(worker.score(search.best.centres) for worker in workers))
    for worker in workers:
        worker.close()
    return search, inertia
