"""Real servers for the tests: those of the environment, else started by the scripts of infra/."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

INFRA = next(
    folder / "infra" for folder in Path(__file__).resolve().parents if (folder / "infra").is_dir()
)
START_SECONDS = 300  # The first start fetches or builds the server.


@dataclass(frozen=True)
class Server:
    """A store under test: `uri` of an empty place in it, `variables` that its clients need."""

    uri: str
    variables: dict[str, str]
    folder: Path | None = None
    port: int | None = None

    def process(self, name: str) -> int:
        """The process number of one of its servers: namenode, datanode-1, server …"""
        assert self.folder is not None
        return int((self.folder / f"{name}.pid").read_text())

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.process(name), number)


@contextlib.contextmanager
def hdfs() -> Iterator[Server]:
    with started("hdfs/hdfs", "java", "STUDY_HDFS") as server:
        yield server


@contextlib.contextmanager
def s3(**environment: str) -> Iterator[Server]:
    with started("s3/s3", "go", "STUDY_S3", **environment) as server:
        yield server


@contextlib.contextmanager
def started(script: str, program: str, variable: str, **environment: str) -> Iterator[Server]:
    """A server of its own, in a folder of its own; nothing of it is left behind."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here: {script} is not tried")
    folder = Path(tempfile.mkdtemp(prefix="study-server-"))
    port = free_port()
    try:
        exports = run(script, "start", folder, port, **environment)
        yield Server(exports.pop(variable), exports, folder, port)
    finally:
        run(script, "stop", folder, port)
        shutil.rmtree(folder)
        assert_nothing_left(folder, port)


def assert_nothing_left(folder: Path, port: int) -> None:
    """No process of a server and nobody at its port; what it wrote lay in its folder."""
    processes = psutil.process_iter(["cmdline"])
    assert not [p for p in processes if str(folder) in " ".join(p.info["cmdline"] or ())]
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0


def run(
    script: str, action: str, folder: Path, port: int | None, **environment: str
) -> dict[str, str]:
    """Call a script; returns the variables that it exports."""
    done = subprocess.run(
        [INFRA / script, action, "--dir", folder, "--port", str(port)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return dict(re.findall(r"^export (\w+)=(.*)$", done.stdout, re.MULTILINE))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
