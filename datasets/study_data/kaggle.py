"""Downloads from Kaggle by its own client: a publisher's files as they are, or a clear line.

kagglehub keeps them in a cache of its own (`KAGGLEHUB_CACHE`) and goes on with a download that was
interrupted.
"""

import contextlib
import os
import sys
from pathlib import Path
from types import ModuleType

from studykit import storage
from studykit.errors import ResourceError, StorageError

from study_data import copying
from study_data.dataset import require_room

REASON_LETTERS = 200


def download(name: str, handle: str, room_bytes: int) -> Path:
    """The folder of the data set OWNER/NAME; `room_bytes` are needed where it is not there yet."""
    client = _client()
    cache = os.environ.get("KAGGLEHUB_CACHE") or str(Path.home() / ".cache" / "kagglehub")
    if not Path(cache, "datasets", *handle.split("/")).exists():
        require_room(name, cache, room_bytes)
    return _download(client, handle)


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


def copy(name: str, source: str, target: str) -> None:
    """Copy a file to a URI, with a bar. ResourceError where there is too little room."""
    require_room(name, target, storage.size(source))
    copying.copy(source, target)
