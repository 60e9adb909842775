"""Searches for a network that take seconds, through the command line."""

import time
from pathlib import Path
from typing import Any

from study_data import cifar_like, stores
from studytest.figures import of_the_answer

SEARCH = (
    "--study", "cifar10", "--trials", 4, "--epochs", 6, "--learning-rate", "1e-3,1e-2",
)  # fmt: skip
"""24 jobs of an epoch each, some of which begin with the state of another trial."""
JOBS = 24


def made(folder: Path) -> str:
    """The generated pictures, `tiny`."""
    return stores.locate(cifar_like.DATASET, "tiny", str(folder)).uri


def found(record: dict[str, Any]) -> Any:
    """What a search came to, without what it cost: each trial with all its jobs, the best one."""
    quality = record["quality"]
    assert record["check"]["passed"] is True
    return of_the_answer({name: quality[name] for name in ("trials", "best", "lineage")})


def reports(checkpoint: Path, search: str = "pbt") -> set[int]:
    """Numbers of the jobs that are kept."""
    return {int(path.stem) for path in (checkpoint / search).glob("[0-9]*.json")}


def wait_for_reports(checkpoint: Path, count: int, process: Any) -> None:
    until = time.monotonic() + 120
    while len(reports(checkpoint)) < count:
        assert process.returncode is None and time.monotonic() < until, "the search did not go on"
        time.sleep(0.01)
