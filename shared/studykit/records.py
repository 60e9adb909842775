"""One JSON document per run: what was asked, what came out, whether it was right, what it took.

A record's path is `RESULTS/<study>/<engine>/<config_hash>-r<repeat>.json`. The hash covers what
was asked for (study, engine, method, parameters, data, workers …) and nothing about when, where
or with which versions, so an existing record is a finished cell and a sweep resumes by itself.
"""

import hashlib
import json
from typing import Any, Literal

import pydantic

from studykit import storage
from studykit.errors import DataError

HASH_DIGITS = 16

PLAIN = "plain"
"""The engine without a framework, to which the others are compared."""
PEER = "peer"
"""The method of a library that is no engine of the study, timed beside the engines."""

Status = Literal["done", "unchecked", "wrong", "failed", "timeout", "skipped"]


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")


class DatasetInfo(_Model):
    """The input as it was read. `rows` and `sha256` are known for data of the catalogue."""

    name: str
    uri: str
    bytes: int
    rows: int | None = None
    sha256: str | None = None


class Check(_Model):
    """`passed` is None where there is no right answer to be had: `published`, or not checked."""

    passed: bool | None = None
    oracle: str = ""
    detail: dict[str, Any] = {}


class Limit(_Model):
    """What the hardware would need at least: `seconds`, from the measured rates in `detail`."""

    kind: str
    seconds: float
    detail: dict[str, Any] = {}


class Record(_Model):
    """A run. Sizes are bytes, times are seconds; see each study's README for its `quality`."""

    schema_version: Literal[1] = 1
    study: str
    engine: str
    method: str
    parameters: dict[str, Any] = {}
    dataset: DatasetInfo
    workers: int
    threads: int
    hosts: int = 1
    oversubscribed: bool = False
    devices: list[str] = []
    """Where each worker computed: `cpu`, or `cuda` with the name of the GPU."""
    repeat: int = 0
    round: int = 0
    status: Status
    error: str | None = None
    wall_seconds: float = 0.0
    phases: dict[str, float] = {}
    worker_phases: dict[str, dict[str, float]] = {}
    cpu_seconds: float = 0.0
    bytes_read: int = 0
    bytes_sent: int = 0
    probe_seconds: float | None = None
    peak_memory_bytes: int | None = None
    peak_memory_per_host_bytes: int | None = None
    driver_rss_delta_bytes: int | None = None
    quality: dict[str, Any] = {}
    check: Check = Check()
    limit: Limit | None = None
    outputs: dict[str, str] = {}
    versions: dict[str, str] = {}
    machine: dict[str, Any] = {}
    commit: str | None = None
    command: str = ""
    started_at: str = ""
    config_hash: str = ""


def config_hash(configuration: dict[str, Any]) -> str:
    """A configuration (plain JSON values) → 16 hexadecimal digits, the same in every process."""
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def path_of(results: str, study: str, engine: str, config_hash: str, repeat: int) -> str:
    return storage.join(results, study, engine, f"{config_hash}-r{repeat}.json")


def write(record: Record, results: str) -> str:
    """Write the record whole or not at all; return where it is."""
    uri = path_of(results, record.study, record.engine, record.config_hash, record.repeat)
    storage.write_bytes(uri, (record.model_dump_json(indent=2) + "\n").encode())
    return uri


def read(uri: str) -> Record:
    """Read one record. DataError where the document is not a record of this schema."""
    try:
        return Record.model_validate_json(storage.read_bytes(uri))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise DataError(f"not a result record: {place}: {first['msg']}", uri=uri) from None
