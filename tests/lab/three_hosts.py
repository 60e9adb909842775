"""A lab of three hosts for the tests: infra/lab's, made a cluster by infra/cluster's playbooks.

Where the environment names the folder of one that is up and has an HDFS, STUDY_LAB, tests that do
it no harm share it.
"""

import contextlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ("gateway", "inner", "outside")
PRIVATE = {"gateway": "10.77.0.1", "inner": "10.77.0.2", "outside": "10.77.0.3"}
PUBLIC = {"gateway": "172.31.77.1", "outside": "172.31.77.3"}
STRANGER = "172.31.77.254"
"""The control machine's address on the uplink."""
STORE = "hdfs://10.77.0.1:9000"
PYTHON = Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name
"""This process's own, where it really is: its libraries may be links relative to that place."""
STUDY = "ray-vs-dask-etl"
"""Which the hosts have the code of; it runs on both engines that are services there."""
SERVICES = ("-e", json.dumps({"python": str(PYTHON), "study": STUDY, "engines": ["ray", "dask"]}))
"""Of the playbook: without them the cluster has an HDFS alone."""
LIMIT_SECONDS = 600
"""Far more than anything here takes on a busy machine; past it something hangs."""
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Lab:
    name: str

    @property
    def folder(self) -> Path:
        return Path("/run") / self.name

    def call(self, *argv: object, given: bytes = b"") -> Done:
        return call("infra/lab/lab", "--name", self.name, *argv, given=given)

    def do(self, *argv: object, given: bytes = b"") -> str:
        """What a command of the lab prints. AssertionError where it fails."""
        done = self.call(*argv, given=given)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout

    def on(self, host: str, command: str) -> str:
        """What a command of the shell prints on a host."""
        return self.do("exec", host, "bash", "-c", command)

    def python(self, host: str, code: str, *arguments: object) -> str:
        """What a program prints that needs no library, run by the host's own Python."""
        return self.do("exec", host, "/usr/bin/python3", "-c", code, *arguments)

    def study(self, host: str, code: str, *arguments: object, **variables: str) -> Done:
        """A program with the libraries of a study, run by the cluster's user.

        With the settings of Ray that the playbook has made, or with others.
        """
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        command = shlex.join([str(PYTHON), "-c", code, *map(str, arguments)])
        run = f"set -a; . /etc/study/ray.env; {settings} exec runuser -u study -- {command}"
        return self.call("exec", host, "bash", "-c", run)

    def playbook(self, name: str, *options: object) -> dict[str, dict[str, int]]:
        """For each host how many tasks were ok, changed, failed …"""
        done = self.call(
            "control", ROOT / "infra/cluster/playbook", name,
            "-i", ROOT / "infra/cluster/inventories/lab.yml", *options,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-4000:]}{done.stderr[-2000:]}"
        recap = re.findall(r"^(\w+) +: (ok=.*)$", done.stdout, re.MULTILINE)
        return {
            host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in recap
        }

    def files(self, host: str) -> set[str]:
        """What a host has written to its own disk."""
        folder = self.folder / host
        places = [folder / place for place in ("upper", "home", "root-home")]
        return {
            f"{place.name}/{path.relative_to(place)}"
            for place in places
            for path in place.rglob("*")
            if not path.is_dir()
        }


def call(script: str, *argv: object, given: bytes = b"") -> Done:
    """`given`: what it reads from its standard input."""
    done = subprocess.run(
        [str(ROOT / script), *map(str, argv)],
        input=given,
        capture_output=True,
        timeout=LIMIT_SECONDS,
    )
    stdout, stderr = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return Done(done.args, done.returncode, stdout, stderr)


def paths() -> list[Path]:
    """Where this process imports from."""
    return [Path(path).resolve() for path in sys.path if path and Path(path).is_dir()]


def libraries() -> set[Path]:
    """The folders that hosts need to run this Python; its libraries may be links to elsewhere."""
    folders = {Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    links = [entry.resolve() for path in paths() for entry in path.iterdir() if entry.is_symlink()]
    elsewhere = [
        link for link in links if link.exists() and not any(map(link.is_relative_to, folders))
    ]
    if elsewhere:
        folders.add(Path(os.path.commonpath(elsewhere)))
    assert Path("/") not in folders, elsewhere
    return folders


@contextlib.contextmanager
def running() -> Iterator[Lab]:
    """A lab of its own; nothing of it is left behind. Skips by name where there can be none."""
    for script, action in (("infra/lab/lab", "fetch"), ("infra/cluster/playbook", "fetch")):
        done = call(script, action)
        if done.returncode == 4:
            pytest.skip(done.stderr.strip().splitlines()[-1])
        assert done.returncode == 0, done.stderr
    lab = Lab(f"study-lab-{os.getpid()}")
    try:
        lab.do("up", *(word for folder in sorted(libraries()) for word in ("--bind", folder)))
        yield lab
    finally:
        lab.do("down")
        assert_nothing_left(lab)


@contextlib.contextmanager
def with_hdfs() -> Iterator[Lab]:
    """One with an HDFS, which others may use at the same time: the environment's, or its own."""
    given = os.environ.get("STUDY_LAB")
    if given is None:
        with running() as lab:
            lab.playbook("site.yml")
            yield lab
        return
    lab = Lab(Path(given).name)
    lab.do("status")
    for folder in libraries():
        seen = lab.call("exec", HOSTS[0], "test", "-d", folder)
        assert seen.returncode == 0, f"{given} has to be up with --bind {folder}: {seen.stderr}"
    yield lab


def give_kernels(lab: Lab) -> None:
    """Compiled ones that this machine has, to hosts where what is missing is kept, too: else every
    run would compile all of its own on each of them."""
    if importlib.util.find_spec("numba") is None:
        return
    from studytest import kernel_cache

    locator = f"NUMBA_CACHE_LOCATOR_CLASSES={kernel_cache.__name__}.ByContent"
    for host in HOSTS:
        place = lab.folder / host / "home/study/.cache" / kernel_cache.FOLDER
        place.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in place.iterdir()}
        for kernel in kernel_cache.CACHE.glob("*"):
            if kernel.name in there:
                continue
            # Whole or not at all: others may do the same, or use what is there.
            part = place / f".{uuid.uuid4().hex}"
            with contextlib.suppress(OSError):
                shutil.copytree(kernel, part)
                part.rename(place / kernel.name)
            shutil.rmtree(part, ignore_errors=True)
        said = f"grep -qsx {locator} /etc/environment || echo {locator} >>/etc/environment"
        lab.on(host, f"chown -R study: ~study/.cache; {said}")


def assert_nothing_left(lab: Lab) -> None:
    assert not lab.folder.exists()
    assert lab.name not in Path("/proc/mounts").read_text()
    command_lines = [
        path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)
    ]
    assert not [line for line in command_lines if str(lab.folder).encode() in line]
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{lab.name}"))
    assert not list(Path("/sys/fs/cgroup").glob(lab.name))


def readable(path: Path) -> bool:
    """Not of a process that has ended meanwhile."""
    try:
        return bool(path.read_bytes()) or True
    except OSError:
        return False
