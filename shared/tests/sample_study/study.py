"""What the engines are asked, and what they are told to do by the files of a folder."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from studykit import cli, machine, records
from studykit.errors import BusyError, ResourceError, StudyError
from studykit.execution import execute
from studykit.options import Options, Study, configuration
from studykit.records import Check, DatasetInfo, Record
from studykit.run import Run


def home() -> Path:
    return Path(os.environ["SAMPLE_HOME"])


@dataclass(frozen=True)
class Parameters:
    tolerance: Annotated[float, typer.Option(help="When to stop.")] = 0.5


def locate(asked: Options, parameters: Parameters) -> DatasetInfo:
    uri, made = asked.data or f"{asked.store or ''}/numbers/{asked.size}", home() / "sha256"
    digest = made.read_text() if made.exists() else None
    rows = 3 if asked.data is None else None
    return DatasetInfo(name="numbers", uri=uri, bytes=10**6, rows=rows, sha256=digest)


STUDY = Study(
    name="sample",
    package="sample_study",
    engines=("plain", "alpha"),
    dataset="numbers",
    parameters=Parameters,
    locate=locate,
    methods=("exact", "published"),
)


def orders(engine: str) -> str:
    """The next word in the engine's file; the last one stays."""
    path = home() / f"{engine}.orders"
    words = path.read_text().split() if path.exists() else ["done"]
    if len(words) > 1:
        path.write_text(" ".join(words[1:]))
    return words[0]


def body(engine: str, asked: Options, parameters: Parameters) -> int:
    word = orders(engine)
    with open(home() / "log", "a") as log:
        log.write(f"{engine} {asked.size} {asked.workers} {os.environ['STUDY_ROUND']} {word}\n")
    if word in ("hang", "orphan"):
        _start_a_worker(word)
    if word == "crash":
        print("first line\nthe last words", file=sys.stderr)
        os._exit(7)
    if word == "noise":
        print("error: columns differ\nstack trace", file=sys.stderr)
        raise SystemExit(2)
    if word == "fail":
        raise StudyError("no luck")
    if word == "refuse":
        raise ResourceError("asked for 9 cores, 2 available")
    if word in ("refuse-late", "busy"):
        return execute(STUDY, engine, asked, parameters, refuse_late if word != "busy" else busy)
    if word != "vanish":
        _write(asked, engine, parameters, word)
    return 0


def refuse_late(run: Run) -> None:
    raise ResourceError("asked for 9 GPUs, 0 available")


def busy(run: Run) -> None:
    raise BusyError("the cluster did not start")


def _start_a_worker(word: str) -> None:
    """A worker in a session of its own, as engines start them; then hang, or be killed."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    worker = subprocess.Popen(command, start_new_session=True)
    (home() / f"worker-{worker.pid}").touch()
    if word == "orphan":
        os.kill(os.getpid(), signal.SIGKILL)
    (home() / f"hanging-{os.getpid()}").touch()
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(600)


def _write(asked: Options, engine: str, parameters: Parameters, status: Any) -> None:
    number = cli.round_from_environment()
    record = Record(
        study="sample",
        engine=engine,
        method=asked.method,
        dataset=locate(asked, parameters),
        parameters={"tolerance": parameters.tolerance, "split_size": asked.split_size},
        workers=asked.worker_count,
        threads=asked.threads,
        repeat=number,
        round=number,
        status=status,
        check=Check(passed=status == "done"),
        wall_seconds=3.0,
        phases={"start": 1.0, "load": 1.0, "compute": 2.0 if engine == "plain" else 3.0},
        versions=machine.versions(STUDY.packages),
        commit=machine.commit(),
        config_hash=records.config_hash(configuration(STUDY, engine, asked, parameters)),
    )
    records.write(record, asked.results)
