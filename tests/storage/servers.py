"""Real servers for the tests: those of the environment, else started by the scripts of infra/."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from studytest import ports

INFRA = Path(__file__).resolve().parents[2] / "infra"
IN_USE = "ddress already in use"  # With a capital or without.
START_SECONDS = 300  # The first start fetches or builds the server.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"
"""Without the second compiler, which is not worth while in a minute, a start takes half as much."""


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
    free = ports.free(3)
    port = free[0]
    try:
        for port in free:
            done = call(script, "start", folder, port, **environment)
            # Between looking for a port and taking it somebody else may.
            if done.returncode == 0 or IN_USE not in logs(folder):
                break
        assert done.returncode == 0, f"{done.stderr}\n{logs(folder)}"
        exports = exports_of(done)
        yield Server(exports.pop(variable), exports, folder, port)
    finally:
        run(script, "stop", folder, port)
        shutil.rmtree(folder)
        assert_nothing_left(folder, port)


@contextlib.contextmanager
def hanging_then_killed(hdfs: Server, name: str) -> Iterator[None]:
    """A DataNode that hangs, until somebody reads from it: then it is killed.

    AssertionError where the block ends and nobody has; the DataNode is back afterwards.
    """
    assert hdfs.folder is not None
    port = wait_for_log(hdfs, name, r"Opened streaming server at \S+:(\d+)")
    before = connections(int(port))
    hdfs.signal(name, signal.SIGSTOP)
    ended = threading.Event()

    def kill_when_read_from() -> bool:
        while connections(int(port)) <= before and not ended.wait(0.05):
            pass
        reached = not ended.is_set()
        hdfs.signal(name, signal.SIGKILL)
        return reached

    with ThreadPoolExecutor(1) as thread:
        killed = thread.submit(kill_when_read_from)
        try:
            yield
        finally:
            ended.set()
            reached = killed.result()
            run("hdfs/hdfs", "start", hdfs.folder, hdfs.port)
            wait_for_log(hdfs, name, "Successfully sent (block report)")
    assert reached, f"nobody read from {name}"


def connections(port: int) -> set[int]:
    """Ports of the clients that are connected to a server's port."""
    return {
        connection.laddr.port
        for connection in psutil.net_connections(kind="tcp4")
        if connection.status == psutil.CONN_ESTABLISHED
        and connection.raddr
        and connection.raddr.port == port
    }


def wait_for_log(server: Server, name: str, pattern: str) -> str:
    """The group of a pattern, once a server has written it to its log since its start."""
    assert server.folder is not None
    log, deadline = server.folder / f"{name}.log", time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"no '{pattern}' in {log.read_text()}")


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
    done = call(script, action, folder, port, **environment)
    assert done.returncode == 0, done.stderr
    return exports_of(done)


def call(
    script: str, action: str, folder: Path, port: int | None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [INFRA / script, action, "--dir", folder, "--port", str(port)],
        env={**os.environ, "JDK_JAVA_OPTIONS": JAVA_OPTIONS, **environment},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


def exports_of(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    return dict(re.findall(r"^export (\w+)=(.*)$", done.stdout, re.MULTILINE))


def logs(folder: Path) -> str:
    """What servers have to say of their end."""
    return "\n".join(path.read_text(errors="replace") for path in folder.glob("*.log"))
