"""What a search has computed so far, kept so that a search that was killed goes on.

    FOLDER/search.json             what is searched: data, parameters, seed
    FOLDER/<search>/<job>.json     a report, with the job that was asked for
    FOLDER/<search>/<job>.state    what that job left, for as long as it may be wanted

A job's state is written before its report, and each appears whole or not at all: a report that is
there is complete. Every file says by a hash what is to be in it, so one that was damaged, or that
is of another search, is named and not loaded.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studykit import storage
from studykit.errors import DataError, UsageError

from hyperparameter_tuning.jobs import Job, Report

FORMAT = "study-search-1"
HEADER = "search.json"


class Kept(NamedTuple):
    """A report, the job that it is of, when it came."""

    job: Job
    report: Report
    wall_seconds: float  # Since the search began, pauses between runs left out.
    state_sha256: str
    uri: str


class SearchLog:
    """The files of one search. Make it by `SearchFolder.log`."""

    def __init__(self, uri: str, of: str) -> None:
        self._uri, self._of = uri, of
        self.told: dict[int, Kept] = {}
        """By the number of the job: 0, 1, … without a gap."""

    def read(self) -> None:
        """Read what is there; DataError that names a file which is not what it is to be."""
        number = 0
        while storage.exists(self._report_uri(number)):
            kept = self._read_report(number)
            self.told[number] = kept
            if storage.exists(self._state_uri(number)):
                self.state(number)
            number += 1

    def keep(self, job: Job, report: Report, state: bytes, wall_seconds: float) -> None:
        sha256 = hashlib.sha256(state).hexdigest()
        content = {
            "of": self._of,
            "job": dataclasses.asdict(job),
            "report": _finite(dataclasses.asdict(report)),
            "wall_seconds": wall_seconds,
            "state_sha256": sha256,
        }
        storage.write_bytes(self._state_uri(job.number), state)
        uri = self._report_uri(job.number)
        storage.write_bytes(uri, _packed(content))
        self.told[job.number] = Kept(job, report, wall_seconds, sha256, uri)

    def state(self, number: int) -> bytes:
        """What a job left; DataError where the file is damaged, StorageError where it is gone."""
        uri = self._state_uri(number)
        content = storage.read_bytes(uri)
        if hashlib.sha256(content).hexdigest() != self.told[number].state_sha256:
            raise DataError(f"damaged: not the state that {number}.json tells of", uri=uri)
        return content

    def forget(self, number: int) -> None:
        """Remove a state that is wanted no longer."""
        uri = self._state_uri(number)
        if storage.exists(uri):
            storage.remove(uri)

    def _read_report(self, number: int) -> Kept:
        uri = self._report_uri(number)
        content = _unpacked(uri)
        if content.get("of") != self._of:
            raise DataError("the report of another search", uri=uri)
        try:
            job, report = Job(**content["job"]), _report(content["report"])
            kept = Kept(
                job, report, float(content["wall_seconds"]), str(content["state_sha256"]), uri
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("no report of a search's job", uri=uri) from error
        if (job.number, report.job) != (number, number):
            raise DataError(f"the report of job {report.job}", uri=uri)
        return kept

    def _report_uri(self, number: int) -> str:
        return storage.join(self._uri, f"{number}.json")

    def _state_uri(self, number: int) -> str:
        return storage.join(self._uri, f"{number}.state")


class SearchFolder:
    """The folder of --checkpoint, of one study, data and parameters: one or several searches."""

    def __init__(self, uri: str, header: Mapping[str, Any], *, resume: bool) -> None:
        """UsageError where a search is there that was not to be resumed; DataError where there
        is none to resume, or that of another `header` (study, data, parameters, seed)."""
        self._uri = storage.absolute(uri)
        where = storage.join(self._uri, HEADER)
        there = storage.exists(where)
        if there and not resume:
            raise UsageError(f"{where}: a search is kept there; --resume goes on with it")
        if resume and not there:
            raise DataError("no search to resume", uri=where)
        header = json.loads(json.dumps(header))  # As it comes back: tuples are lists.
        if resume:
            _require_same(header, _unpacked(where), where)
        else:
            storage.write_bytes(where, _packed(header))
        self._of = hashlib.sha256(_canonical(header)).hexdigest()
        self._resume = resume

    def log(self, search: str) -> SearchLog:
        log = SearchLog(storage.join(self._uri, search), f"{search} {self._of}")
        if self._resume:
            log.read()
        return log


def require_num_to_keep(number: int) -> None:
    if number < 1:
        raise UsageError(f"--num-to-keep {number}: keep one at least, or nothing can go on")


def _require_same(asked: Mapping[str, Any], there: Mapping[str, Any], uri: str) -> None:
    for name in dict.fromkeys([*asked, *there]):
        if asked.get(name) != there.get(name):
            reason = f"a search of {name} {there.get(name)}, this run is of {asked.get(name)}"
            raise DataError(reason, uri=uri)


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, allow_nan=False).encode()


def _packed(content: Mapping[str, Any]) -> bytes:
    sha256 = hashlib.sha256(_canonical(content)).hexdigest()
    whole = {"format": FORMAT, "sha256": sha256, "content": content}
    return json.dumps(whole, indent=1, allow_nan=False).encode() + b"\n"


def _unpacked(uri: str) -> dict[str, Any]:
    raw = storage.read_bytes(uri)
    try:
        whole = json.loads(raw)
        content, sha256, found = whole["content"], whole["sha256"], whole["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("no file of a search, or a damaged one", uri=uri) from error
    if found != FORMAT or not isinstance(content, dict):
        raise DataError(f"a file of another kind, {found!r}", uri=uri)
    if hashlib.sha256(_canonical(content)).hexdigest() != sha256:
        raise DataError("damaged: its content is not what its hash says", uri=uri)
    return content


def _finite(report: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN and no infinity: what a training that diverged has is null."""

    def told(values: Sequence[float]) -> list[float | None]:
        return [value if math.isfinite(value) else None for value in values]

    figures = {name: told(values) for name, values in report["figures"].items()}
    return report | {"scores": told(report["scores"]), "figures": figures}


def _report(content: dict[str, Any]) -> Report:
    def heard(values: Sequence[float | None]) -> list[float]:
        return [math.nan if value is None else float(value) for value in values]

    figures = {name: heard(values) for name, values in content["figures"].items()}
    return Report(**(content | {"scores": heard(content["scores"]), "figures": figures}))
