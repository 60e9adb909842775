"""A link between hosts that is cut, and a host that is killed, while a study runs on three of them.

By its launch script: Ray and Dask answer as one process does, without the host that was lost; torch
says which one that was. Nothing of the run is left on any of them.
"""

import contextlib
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import three_hosts
from studytest import running, the_study
from three_hosts import HOSTS, PYTHON, ROOT, Lab

CASE = the_study.case()
END_SECONDS = 60
"""For what ends by itself on a host that cannot be reached; half of it, and it is killed."""
LOST = "outside"
"""Whose tunnel leads to the gateway, where the runs are started."""
SLOTS = 2
WORKERS = SLOTS * (len(HOSTS) - 1)
"""As many as there are cores without the host that is lost."""
SURVIVING = {"dask": ("--split-size", "5kb"), "ray": ("--split-size", "1kb")}
"""Parts enough to be at work still when a host goes. Dask begins, because it bears to be held: of a
driver of Ray that is silent others would take the connection for cut."""
CODE, DATA = "/home/code", "/home/input"
Lose = Callable[[Lab], contextlib.AbstractContextManager[None]]

LEFT = """
import os, pwd
user = pwd.getpwnam("study").pw_uid
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        of_a_service = "/study-" in open(f"/proc/{pid}/cgroup").read()
        if os.stat(f"/proc/{pid}").st_uid == user and not of_a_service:
            print(open(f"/proc/{pid}/cmdline").read().replace(chr(0), " "))
    except OSError:
        pass  # It has ended.
print(*(name for name in os.listdir("/tmp") if len(name) == len("study-XXXXXX")))
"""
"""Processes of the cluster's user that no service has started, and folders of runs."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return CASE.write(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def lab(data: Path) -> Iterator[Lab]:
    """Of its own, because links are cut; the gateway alone has the code, and all have the input."""
    with three_hosts.running() as lab:
        lab.playbook("site.yml", "-e", "with_hdfs=false")
        three_hosts.give_kernels(lab)
        for host in HOSTS:
            put(data, lab, host, f"{DATA}/{data.name}")
        for part in (f"apps/{CASE.study.name}", "shared", "datasets"):
            put(ROOT / part, lab, "gateway", f"{CODE}/{part}")
        yield lab


def put(what: Path, lab: Lab, host: str, path: str) -> None:
    """A file or a folder, in a place of the host's below /home, for all to read."""
    place = lab.folder / host / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if what.is_dir():
        shutil.copytree(what, place, ignore=shutil.ignore_patterns("__pycache__", "results"))
    else:
        shutil.copy2(what, place)  # Of one age everywhere: splits say which file they are of.
    lab.on(host, f"chmod -R a+rX /home/{Path(path).parts[2]}")


@pytest.fixture(scope="module")
def local(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of one plain process of this machine, without any host."""
    results = tmp_path_factory.mktemp("results")
    done = running.run(
        CASE.module("plain"), *options(data, *CASE.long), "--results", results
    )  # fmt: skip
    assert done.code == 0, done.stderr
    return done.record


def options(data: Path, *more: object) -> tuple[object, ...]:
    return ("--json", "--data", data, *more)


@contextlib.contextmanager
def run_of(
    lab: Lab, engine: str, slots: int, argv: tuple[object, ...]
) -> Iterator["subprocess.Popen[str]"]:
    """A launch script on the gateway, from where its hosts are together; it ends with the block."""
    lines = "".join(f"{host}:{slots}\\n" for host in HOSTS)
    script = (
        f"cd {CODE} && printf '{lines}' >~/{engine} && exec env STUDY_PYTHON={PYTHON}"
        f" bash apps/{CASE.study.name}/launch/{engine}.sh --hosts ~/{engine} --results ~/results"
        f" {shlex.join(map(str, argv))}"
    )
    command = (ROOT / "infra/lab/lab", "--name", lab.name, "exec", "gateway", "su", "-", "study")
    process = subprocess.Popen(
        [*map(str, command), "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        running.wait_for_line(process, "…")
        yield process
    finally:
        running.kill_tree(process.pid)
        process.communicate()


def driver(run: "subprocess.Popen[str]", engine: str) -> psutil.Process:
    """The first of that command line: what it forks has it for a moment, too."""
    lines = running.command_lines(run.pid).items()
    return next(process for process, words in lines if CASE.module(engine) in words)


@contextlib.contextmanager
def cut(lab: Lab) -> Iterator[None]:
    lab.do("cut", "gateway", LOST)
    try:
        yield
    finally:
        lab.do("heal", "gateway", LOST)


@contextlib.contextmanager
def killed(lab: Lab) -> Iterator[None]:
    lab.do("kill", LOST)
    try:
        yield
    finally:
        lab.do("restart", LOST)
        # Its tunnel comes up with its other services.
        until_reached = f"until ssh -o ConnectTimeout=1 {LOST} true; do sleep 1; done"
        lab.on("inner", f"timeout {running.LIMIT_SECONDS} su study -c '{until_reached}'")


def ends_without_host(
    lab: Lab, lose: Lose, *processes: "subprocess.Popen[str]"
) -> list[running.Finished]:
    """How runs end from which a host is taken while all are at work. Nothing of them is left on
    those that can be reached, nor, once it is there again, on any."""
    with lose(lab):
        over = [process.args for process in processes if process.poll() is not None]
        assert not over, "before the host was lost"
        finished = [running.finish(process) for process in processes]
        reached = tuple(host for host in HOSTS if host != LOST)
        assert_nothing_left(lab, reached, END_SECONDS)
    assert_nothing_left(lab, HOSTS, END_SECONDS)
    return finished


def assert_nothing_left(lab: Lab, hosts: tuple[str, ...], seconds: float) -> None:
    until = time.monotonic() + seconds
    found = {host: lab.python(host, LEFT).strip() for host in hosts}
    while any(found.values()) and time.monotonic() < until:
        time.sleep(1)
        found = {host: lab.python(host, LEFT).strip() for host in hosts}
    assert found == dict.fromkeys(hosts, "")


@pytest.mark.skipif("dask" not in CASE.frameworks, reason="a study that has Dask, too, is tried")
@pytest.mark.parametrize("lose", [cut, killed])
def test_without_a_host_that_is_lost_the_answer_is_the_same(
    lab: Lab, data: Path, local: dict[str, Any], lose: Lose
) -> None:
    argv = options(Path(DATA) / data.name, *CASE.long, "--workers", WORKERS)
    with contextlib.ExitStack() as stack:
        runs, drivers = [], []
        for engine, parts in SURVIVING.items():
            runs.append(stack.enter_context(run_of(lab, engine, SLOTS, (*argv, *parts))))
            running.wait_for_line(runs[-1], CASE.working)
            drivers.append(driver(runs[-1], engine))
            # It works on when all do: they lose the host at the same time.
            drivers[-1].suspend()
        for one in drivers:
            one.resume()
        for finished in ends_without_host(lab, lose, *runs):
            assert finished.code == 0, finished.stderr
            assert finished.record["workers"] == WORKERS
            CASE.same(finished.record["quality"], local["quality"])


@pytest.mark.skipif(
    "torch" not in CASE.frameworks, reason=f"{CASE.study.name} has no ranks of torch"
)
def test_ranks_of_torch_end_and_say_which_host_was_lost(lab: Lab, data: Path) -> None:
    argv = options(Path(DATA) / data.name, "--no-check", *CASE.endless)
    with run_of(lab, "torch", 1, argv) as process:
        running.wait_for_line(process, CASE.working)
        (finished,) = ends_without_host(lab, cut, process)
    assert finished.code != 0
    assert LOST in finished.error
