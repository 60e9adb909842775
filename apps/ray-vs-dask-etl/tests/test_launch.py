"""The launch scripts on this machine: alone, as two hosts of one slot, and when something fails."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from studytest import leftovers
from studytest import running
from tables import random_rows
from tables import write_rows

LAUNCH = Path(__file__).parents[1] / "launch"
ENGINES = ("ray", "dask")


@pytest.fixture
def table(tmp_path) -> Path:
    return write_rows(tmp_path / "rows.csv", random_rows(2000, seed=2))


@pytest.fixture
def two_hosts(tmp_path) -> Path:
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("# this machine, twice\nlocalhost\n\nlocalhost:1  # again\n")
    return hosts


def launch(engine: str, *argv: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["bash", str(LAUNCH / f"{engine}.sh"), *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**running.environment(STUDY_PYTHON=sys.executable), "HOME": os.environ["HOME"]},
        start_new_session=True,
        preexec_fn=running.heed_interrupts,
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_two_hosts_give_the_answer_of_one_process(table, two_hosts, tmp_path, engine):
    argv = ("--data", table, "--json", "--results", tmp_path / "results")
    plain = running.run("ray_vs_dask_etl.run_plain", *argv, "--workers", 1).record
    with leftovers.nothing_left():
        finished = running.finish(launch(engine, "--hosts", two_hosts, *argv))
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["quality"]["groups"] == plain["quality"]["groups"]
    # Dask's workers know their machine's address, Ray has a node for every entry.
    assert (record["workers"], record["hosts"]) == (2, {"ray": 2, "dask": 1}[engine])
    assert record["check"]["passed"] is True


def test_this_machine_needs_no_hosts(table, tmp_path):
    finished = running.finish(
        launch("dask", "--data", table, "--json", "--results", tmp_path / "results")
    )
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["workers"] == os.cpu_count()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_exit_code_is_that_of_the_study(tmp_path, two_hosts, engine):
    bad = tmp_path / "rows.csv"
    bad.write_text("id,x,y,category\n1,half,2,A\n")
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
    finished = running.finish(launch("dask", "--hosts", hosts))
    assert finished.code == code
    assert word in finished.error


@pytest.mark.parametrize("engine", ENGINES)
def test_ctrl_c_leaves_nothing(table, two_hosts, tmp_path, engine):
    with leftovers.nothing_left(30):
        process = launch(
            engine, "--hosts", two_hosts, "--data", table, "--results", tmp_path / "results",
            "--task", "logistic-regression", "--solver", "lbfgs", "--tolerance", "1e-300",
            "--max-iterations", 1_000_000, "--no-check",
        )  # fmt: skip
        running.wait_for_line(process, "fitting")
        os.killpg(process.pid, signal.SIGINT)
        finished = running.finish(process, 60)
    assert finished.code == 130, finished.stderr
