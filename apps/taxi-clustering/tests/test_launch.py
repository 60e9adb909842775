"""The launch scripts on this machine: as two hosts of one slot, and when something fails."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from studytest import leftovers
from studytest import running
from taxi import made_up
from taxi import row
from taxi import write_trips

LAUNCH = Path(__file__).parents[1] / "launch"
ENGINES = ("ray", "torch")


@pytest.fixture(scope="module")
def trips(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 500)


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
def test_two_hosts_give_the_answer_of_one_process(trips, two_hosts, tmp_path, engine):
    argv = ("--data", trips, "--json", "--results", tmp_path / "results")
    plain = running.run("taxi_clustering.run_plain", *argv, "--workers", 1).record
    with leftovers.nothing_left():
        finished = running.finish(launch(engine, "--hosts", two_hosts, *argv))
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["quality"]["centres"] == plain["quality"]["centres"]
    assert (record["workers"], record["hosts"]) == (2, 2)
    assert record["check"]["passed"] is True


def test_the_exit_code_is_that_of_the_study(tmp_path, two_hosts):
    bad = write_trips(tmp_path / "trips.csv", [row(), row() + ","])
    with leftovers.nothing_left():
        finished = running.finish(
            launch("torch", "--hosts", two_hosts, "--data", bad, "--results", tmp_path / "results")
        )
    assert finished.code == 2, finished.stderr
    assert f"{bad}, line 3" in finished.stderr
