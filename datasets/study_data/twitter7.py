"""The published Twitter graph, by Kaggle's own client: fetched as it is, or not at all.

The file is the one that Alexiadis et al. 2025 used ([14] there): SNAP's twitter7 in MatrixMarket
form. Studies read it from Kaggle's cache with `--data`.
"""

from pathlib import Path

from studykit import storage
from studykit.errors import DataError

from study_data import kaggle
from study_data.dataset import Dataset, Size

HANDLE = "wolfram77/graphs-snap-twitter7"
ENTRIES = (41_652_230, 41_652_230, 1_468_365_182)
"""Rows, columns and entries that the file's size line must give."""
ROOM_BYTES = 40_000_000_000
"""The file (24.66 GB) and the archive that it comes in, while it is unpacked."""
SHOWN_LETTERS = 200

DATASET = Dataset(
    name="twitter7",
    title="who follows whom on Twitter in 2009 (Kwak, Lee, Park and Moon 2010)",
    licence="as stated on the source's page",
    source=f"https://www.kaggle.com/datasets/{HANDLE}",
    schema="MatrixMarket: 41,652,230 vertices, 1,468,365,182 edges",
    sizes={"full": Size(ENTRIES[2], 24_660_000_000)},
)


def fetch(handle: str = HANDLE, to: str | None = None) -> str:
    """Download, check what it is, copy it to the URI `to` if given; returns where it lies."""
    file = _only_matrix(kaggle.download("twitter7", handle, ROOM_BYTES))
    check_size_line(str(file), ENTRIES)
    if to is None:
        return str(file)
    target = storage.join(storage.absolute(to), "twitter7", file.name)
    kaggle.copy("twitter7", str(file), target)
    return target


def _only_matrix(folder: Path) -> Path:
    found = sorted(folder.rglob("*.mtx"))
    if len(found) != 1:
        raise DataError(f"expected one .mtx file, found {len(found)}", uri=str(folder))
    return found[0]


def check_size_line(uri: str, entries: tuple[int, int, int]) -> None:
    """DataError unless the MatrixMarket file announces so many rows, columns and entries."""
    with storage.open_input(uri) as file:
        lines = file.read(1 << 16).splitlines()
    if not lines or not lines[0].startswith(b"%%MatrixMarket matrix coordinate"):
        raise DataError("is no MatrixMarket file of coordinates", uri=uri, line=1)
    for number, line in enumerate(lines, start=1):
        if line.startswith(b"%") or not line.strip():
            continue
        if line.split() != [b"%d" % entry for entry in entries]:
            announced = line.decode(errors="replace")[:SHOWN_LETTERS]
            raise DataError(
                f"announces '{announced}', twitter7 has {entries[0]} {entries[1]} {entries[2]}",
                uri=uri,
                line=number,
            )
        return
    raise DataError("has no line with its size", uri=uri, line=len(lines))
