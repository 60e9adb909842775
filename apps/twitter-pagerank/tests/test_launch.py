"""The launch scripts on this machine: alone, as two hosts of one slot, and when something fails."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from graphs import random_pairs
from graphs import write_graph
from studytest import leftovers
from studytest import running

LAUNCH = Path(__file__).parents[1] / "launch"
ENGINES = ("ray", "torch")


@pytest.fixture
def graph(tmp_path) -> Path:
    return write_graph(tmp_path / "edges.csv", random_pairs(300, 2000, seed=2))


@pytest.fixture
def two_hosts(tmp_path) -> Path:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("# this machine, twice\nlocalhost\n\nlocalhost:1  # again\n")
    return hosts


def launch(engine: str, *argv: object, python: object = sys.executable) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", str(LAUNCH / f"{engine}.sh"), *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**running.environment(STUDY_PYTHON=str(python)), "HOME": os.environ["HOME"]},
        start_new_session=True,
        preexec_fn=running.heed_interrupts,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_two_hosts_give_the_answer_of_one_process(graph, two_hosts, tmp_path, engine):
    argv = ("--data", graph, "--json", "--results", tmp_path / "results")
    plain = running.run("twitter_pagerank.run_plain", *argv, "--workers", 1).record
    with leftovers.nothing_left():
        finished = running.finish(launch(engine, "--hosts", two_hosts, *argv))
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["quality"]["top"] == plain["quality"]["top"]
    assert (record["workers"], record["hosts"]) == (2, 2)
    assert record["check"]["passed"] is True


@pytest.fixture
def python_on_hosts_of_its_own(tmp_path) -> Path:
    """A Python whose every start is on a host of a name of its own."""
    rename = "hostname host-$$"
    for unshare in (["unshare", "--uts"], ["unshare", "--user", "--map-root-user", "--uts"]):
        tried = shutil.which("unshare") and subprocess.run([*unshare, "sh", "-c", rename])
        if tried and tried.returncode == 0:
            script = tmp_path / "python"
            command = f'{rename} && exec {shlex.quote(sys.executable)} "$@"'
            script.write_text(
                f'#!/bin/sh\nexec {shlex.join(unshare)} sh -c {shlex.quote(command)} python "$@"\n'
            )
            script.chmod(0o755)
            return script
    pytest.skip("no right to unshare: hosts that share no memory are not tried")


@pytest.mark.parametrize("engine", ENGINES)
def test_hosts_that_share_no_memory_send_each_other_what_they_need(
    graph, two_hosts, tmp_path, engine, python_on_hosts_of_its_own
):
    argv = ("--data", graph, "--json", "--results", tmp_path / "results")
    plain = running.run("twitter_pagerank.run_plain", *argv, "--workers", 1).record
    finished = running.finish(
        launch(engine, "--hosts", two_hosts, *argv, python=python_on_hosts_of_its_own)
    )
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["quality"]["top"] == plain["quality"]["top"]
    edges = record["quality"]["edges"] + record["quality"]["duplicate_edges"]
    sent = 8 * record["quality"]["vertices"] * record["quality"]["iterations"]
    assert record["bytes_sent"] == 8 * edges // 2 + sent


def test_this_machine_needs_no_hosts(graph, tmp_path):
    finished = running.finish(
        launch("torch", "--data", graph, "--json", "--results", tmp_path / "results")
    )
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["workers"] == os.cpu_count()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_exit_code_is_that_of_the_study(tmp_path, two_hosts, engine):
    bad = tmp_path / "edges.csv"
    bad.write_text("1,2\n3,x\n")
    with leftovers.nothing_left():
        finished = running.finish(
            launch(engine, "--hosts", two_hosts, "--data", bad, "--results", tmp_path / "results")
        )
    assert finished.code == 2, finished.stderr
    assert f"{bad}, line 2" in finished.stderr


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [("", 2, "no hosts"), ("one two:3\n", 2, "line 1"), ("a:0\n", 2, "line 1"), (None, 5, "read")],
)
def test_a_wrong_file_of_hosts_is_refused(tmp_path, content, code, word):
    hosts = tmp_path / "hosts.txt"
    if content is not None:
        hosts.write_text(content)
    finished = running.finish(launch("torch", "--hosts", hosts))
    assert finished.code == code
    assert word in finished.error


@pytest.mark.parametrize("engine", ENGINES)
def test_ctrl_c_leaves_nothing(graph, two_hosts, tmp_path, engine):
    with leftovers.nothing_left(30):
        process = launch(
            engine, "--hosts", two_hosts, "--data", graph, "--results", tmp_path / "results",
            "--tolerance", "1e-300", "--max-iterations", 1_000_000, "--no-check",
        )  # fmt: skip
        running.wait_for_line(process, "iterating")
        os.killpg(process.pid, signal.SIGINT)
        finished = running.finish(process, 60)
    assert finished.code == 130, finished.stderr
