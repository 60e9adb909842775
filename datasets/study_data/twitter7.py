"""The published Twitter graph, by Kaggle's own client: fetched as it is, or not at all.

The file is the one that Alexiadis et al. 2025 used ([14] there): SNAP's twitter7 in MatrixMarket
form. kagglehub keeps it in a cache of its own (`KAGGLEHUB_CACHE`) and goes on with a download
that was interrupted; studies read it from there with `--data`.
"""

import contextlib
import os
import sys
from pathlib import Path
from types import ModuleType

from studykit import storage
from studykit.errors import DataError
from studykit.errors import ResourceError
from studykit.errors import StorageError

from study_data.dataset import Dataset
from study_data.dataset import Size
from study_data.dataset import require_room
from study_data.progress import shown

HANDLE = "wolfram77/graphs-snap-twitter7"
ENTRIES = (41_652_230, 41_652_230, 1_468_365_182)
"""Rows, columns and entries that the file's size line must give."""
ROOM_BYTES = 40_000_000_000
"""The file (24.66 GB) and the archive that it comes in, while it is unpacked."""
REASON_LETTERS = 200
READ_BYTES = 1 << 24

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
    client = _client()
    cache = os.environ.get("KAGGLEHUB_CACHE") or str(Path.home() / ".cache" / "kagglehub")
    if not Path(cache, "datasets", *handle.split("/")).exists():
        require_room("twitter7", cache, ROOM_BYTES)
    file = _only_matrix(_download(client, handle))
    check_size_line(str(file), ENTRIES)
    if to is None:
        return str(file)
    target = storage.join(storage.absolute(to), "twitter7", file.name)
    _copy(str(file), target)
    return target


def _client() -> ModuleType:
    try:
        import kagglehub  # type: ignore[import-not-found,unused-ignore]  # in `tools` alone
    except ModuleNotFoundError:
        raise ResourceError(
            "fetching needs Kaggle's client: `./pants run datasets:data` brings it,"
            " elsewhere `pip install kagglehub`"
        ) from None
    client: ModuleType = kagglehub
    return client


def _download(client: ModuleType, handle: str) -> Path:
    try:
        # Its messages are for the person; standard output is for --json alone.
        with contextlib.redirect_stdout(sys.stderr):
            return Path(client.dataset_download(handle))
    except Exception as error:  # The client raises its own kinds, those of requests and built-ins.
        raise StorageError(
            f"could not be downloaded ({_reason(error)}){_credentials_hint(client)}",
            uri=f"https://www.kaggle.com/datasets/{handle}",
        ) from error


def _reason(error: Exception) -> str:
    # Those of requests carry the names of the built-in kinds, and a page of text.
    if type(error).__name__ in ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout"):
        return "the server cannot be reached"
    reason = " ".join(str(error).split()) or type(error).__name__
    return reason if len(reason) <= REASON_LETTERS else reason[:REASON_LETTERS] + " …"


def _credentials_hint(client: ModuleType) -> str:
    try:
        present = client.config.get_kaggle_credentials() is not None
    except ValueError as error:
        return f"; {error}"
    if present:
        return ""
    return (
        "; there are no Kaggle credentials: make a token on https://www.kaggle.com/settings and"
        " set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY, or save ~/.kaggle/kaggle.json"
    )


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
            announced = line.decode(errors="replace")[:REASON_LETTERS]
            raise DataError(
                f"announces '{announced}', twitter7 has {entries[0]} {entries[1]} {entries[2]}",
                uri=uri,
                line=number,
            )
        return
    raise DataError("has no line with its size", uri=uri, line=len(lines))


def _copy(source: str, target: str) -> None:
    total, done = storage.size(source), 0
    require_room("twitter7", target, total)
    with (
        shown(f"copying {source} to {target}", total) as report,
        storage.open_input(source) as reading,
        storage.write_atomic(target) as writing,
    ):
        while block := reading.read(READ_BYTES):
            writing.write(block)
            done += len(block)
            report(done, total)
