"""The published taxi months, by Kaggle's own client: fetched as they are, or not at all.

Yellow trips of January 2015 and January to March 2016 with coordinates, in the copy that Alexiadis
et al. 2025 used ([1] there). Studies read them from Kaggle's cache with `--data`.
"""

from pathlib import Path

from studykit import storage
from studykit.errors import DataError

from study_data import kaggle
from study_data.dataset import Dataset, Size

NAME = "nyc-yellow-taxi"
HANDLE = "elemento/nyc-yellow-taxi-trip-data"
MONTHS = ("2015-01", "2016-01", "2016-02")
"""Those that the paper read: 1.99 GB, and 3.7 and 5.48 GB with the second and the third."""
ROOM_BYTES = 10_000_000_000
"""The files (7.4 GB) and the archive that they come in, while it is unpacked."""

DATASET = Dataset(
    name=NAME,
    title="yellow taxi trips in New York, four months with coordinates (TLC)",
    licence="as stated on the source's page",
    source=f"https://www.kaggle.com/datasets/{HANDLE}",
    schema="CSV with header, 19 columns, one file a month",
    sizes={"full": Size(47_248_845, 7_400_000_000)},
)


def fetch(handle: str = HANDLE, to: str | None = None) -> str:
    """Download, check what it is, copy it to the URI `to` if given; returns the folder."""
    folder = kaggle.download(NAME, handle, ROOM_BYTES)
    files = sorted(folder.rglob("yellow_tripdata_*.csv"))
    for month in MONTHS:
        if not any(file.name == f"yellow_tripdata_{month}.csv" for file in files):
            raise DataError(f"has no yellow_tripdata_{month}.csv", uri=str(folder))
    for file in files:
        check_header(file)
    if to is None:
        return str(files[0].parent)
    target = storage.join(storage.absolute(to), NAME)
    for file in files:
        kaggle.copy(NAME, str(file), storage.join(target, file.name))
    return target


def check_header(file: Path) -> None:
    """DataError unless the first line names columns with coordinates."""
    with file.open("rb") as stream:
        header = stream.readline(1 << 16).lower()
    if b"pickup_longitude" not in header or b"dropoff_latitude" not in header:
        raise DataError("names no columns with coordinates", uri=str(file), line=1)
