"""What this machine and this study's libraries can do: each finding with its fix.

    ./pants run apps/twitter-pagerank:doctor -- s3://bucket hdfs://namenode:9000/data

Exit code 0 where a run would work, 4 where something is in its way. Nothing is changed; of a store
that is named, the top is listed.
"""

import dataclasses
import importlib
import importlib.util
import json
import os
import platform
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Annotated

import numpy
import typer
from rich.table import Table
from studykit import machine, processor
from studykit.cli import application, console, manners
from studykit.errors import ResourceError
from studykit.options import Study

from studydoctor import remote_doctor
from studydoctor.finding import Finding, bad, good, warning

GIGABYTE = 1_000_000_000
ENOUGH_MEMORY = 4 * GIGABYTE
ENOUGH_DISK = 5 * GIGABYTE
ENOUGH_SHARED_MEMORY = 0.3  # of the memory: where it is less, Ray keeps its objects on the disk
ENOUGH_FILES = 4096
_COLOURS = {"good": "green", "warning": "yellow", "bad": "red"}
_LIBRARY_OF = {"ray": "ray", "torch": "torch", "dask": "distributed"}


def command(study: Study) -> Callable[[], None]:
    """The `:doctor` of a study."""

    def body(
        uris: Annotated[
            list[str] | None, typer.Argument(metavar="[URI]…", help="Stores to look at as well.")
        ] = None,
        as_json: Annotated[
            bool, typer.Option("--json", help="Print the findings as JSON.")
        ] = False,
        debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    ) -> None:
        with manners(debug):
            findings = list(examine(study, uris or []))
            if as_json:
                print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
            _print(study, findings)
            if any(finding.state == "bad" for finding in findings):
                sys.exit(ResourceError.exit_code)

    body.__doc__ = (
        f"Look at what {study.name} needs, and say how to mend what is missing.\n\n"
        f"Example: python -m {study.package}.doctor s3://bucket/data"
    )
    return application(body)


def examine(study: Study, uris: list[str]) -> Iterator[Finding]:
    """All findings, in the order in which they should be mended."""
    yield from _machine()
    yield from _libraries(study)
    for uri in uris:
        yield from remote_doctor.examine(uri)
    yield from remote_doctor.tools()


def _machine() -> Iterator[Finding]:
    version = platform.python_version()
    if version.startswith("3.11."):
        yield good("Python", version)
    else:
        yield bad("Python", version, "run it with CPython 3.11: ./pants finds or fetches one")
    yield _bytecode()
    yield good("processor", processor.shown(processor.describe()))
    yield good("cores", str(machine.cores()))
    memory = machine.memory_bytes()
    if memory >= ENOUGH_MEMORY:
        yield good("memory", _gigabytes(memory))
    else:
        yield warning("memory", _gigabytes(memory), "use --workers 1 and the smaller sizes")
    yield _shared_memory(memory)
    yield from _disks()
    yield _open_files()
    yield _ports()
    gpus = machine.gpus()
    yield good("GPUs", str(gpus) if gpus else "none: torch computes on the cores")


def _bytecode() -> Finding:
    if os.path.exists(importlib.util.cache_from_source(numpy.__file__)):
        return good("bytecode of libraries", "kept")
    found = "not kept: every process compiles them again, engines take twice as long to start"
    if sys.dont_write_bytecode:
        return warning("bytecode of libraries", found, "unset PYTHONDONTWRITEBYTECODE")
    return warning("bytecode of libraries", found, f"python -m compileall {sys.prefix}")


def _shared_memory(memory: int) -> Finding:
    if not os.path.isdir("/dev/shm"):
        return good("shared memory", "this system has no /dev/shm and needs none")
    size = shutil.disk_usage("/dev/shm").total
    if size >= memory * ENOUGH_SHARED_MEMORY:
        return good("shared memory", _gigabytes(size))
    fix = "Ray will use the disk: mount -o remount,size=50% /dev/shm, or docker run --shm-size"
    return warning("shared memory", _gigabytes(size), fix)


def _disks() -> Iterator[Finding]:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for name, folder in (("disk of the cache", cache), ("disk for scratch", tempfile.gettempdir())):
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        free = shutil.disk_usage(folder).free
        found = f"{_gigabytes(free)} free in {folder}"
        if not os.access(folder, os.W_OK):
            yield bad(name, f"{folder} cannot be written", "set XDG_CACHE_HOME or TMPDIR")
        elif free >= ENOUGH_DISK:
            yield good(name, found)
        else:
            yield warning(name, found, "make room, or set XDG_CACHE_HOME or TMPDIR to another disk")


def _open_files() -> Finding:
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY or allowed >= ENOUGH_FILES:
        return good("open files", "as many as wanted" if allowed < 0 else f"{allowed:,}")
    return warning("open files", f"{allowed:,}", f"ulimit -n {ENOUGH_FILES}, for many workers")


def _ports() -> Finding:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=2).close()
    except OSError as error:
        fix = "a firewall or sandbox is between processes of this machine: allow 127.0.0.1"
        return bad("ports on loopback", str(error), fix)
    return good("ports on loopback", "can be opened and reached")


def _libraries(study: Study) -> Iterator[Finding]:
    fix = "start it by ./pants run, or: pip install -r requirements.lock"
    for name, version in machine.versions(study.packages).items():
        yield bad(name, version, fix) if version == "missing" else good(name, version)
    for engine in study.engines:
        library = _LIBRARY_OF.get(engine)
        if library is not None:
            yield _imported(f"engine {engine}", library, fix)
    if machine.versions(["torchvision"])["torchvision"] != "missing":
        # Of another build, its import fails: operator torchvision::nms does not exist.
        yield _imported("torchvision", "torchvision", "install torch and torchvision of one build")


def _imported(name: str, library: str, fix: str) -> Finding:
    try:
        importlib.import_module(library)
    except Exception as error:  # Whatever it is, a run would meet it too.
        return bad(name, f"{type(error).__name__}: {error}", fix)
    return good(name, "can be imported")


def _gigabytes(count: int) -> str:
    return f"{count / GIGABYTE:.1f} GB"


def _print(study: Study, findings: list[Finding]) -> None:
    table = Table(title=f"{study.name} on {platform.node()}", title_justify="left")
    for heading in ("", "what", "found", "to mend it"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        colour = _COLOURS[finding.state]
        table.add_row(
            f"[{colour}]{finding.state}[/{colour}]", finding.name, finding.found, finding.fix
        )
    console.print(table)
