"""A study on three hosts, on each of its engines, from the hosts' HDFS: the answer of here.

By its launch script, started on the gateway, which alone has the code: the hosts share nothing but
SSH.
"""

import json
import re
import shlex
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import three_hosts
from studytest import running, the_study
from studytest.figures import assert_equal, of_the_answer
from three_hosts import HOSTS, LIMIT_SECONDS, PYTHON, ROOT, STORE, Lab

CASE = the_study.case()
STUDY = CASE.study.name
TINY = ("--size", "tiny", "--json", *CASE.answer_options)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with three_hosts.with_hdfs() as lab:
        yield lab


@pytest.fixture(scope="module")
def folder(lab: Lab, local: dict[str, Any]) -> Iterator[str]:
    """On the gateway, with the code; of a name of its own, because others use the lab, too."""
    three_hosts.give_kernels(lab)  # Which the local run has compiled.
    path = f"/home/study/{STUDY}-{uuid.uuid4().hex}"
    parts = (f"apps/{STUDY}", "shared", "datasets")
    packed = subprocess.run(
        ("tar", "--create", "--exclude", "__pycache__", *parts),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    unpack = (
        f"mkdir {path} && cd {path} && tar --extract && printf '%s\\n' {' '.join(HOSTS)} >hosts"
    )
    lab.do(
        "exec", "gateway", "runuser", "-u", "study", "--", "bash", "-c", unpack, given=packed.stdout
    )
    yield path
    lab.on("gateway", f"rm -r {path}")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The record of one plain process of this machine, without any host."""
    place = tmp_path_factory.mktemp("local")
    done = running.call(
        CASE.module("plain"), *TINY, "--store", place, "--results", place / "results"
    )
    assert done.code == 0, done.stderr
    return done.record


@pytest.mark.parametrize("engine", CASE.frameworks)
def test_a_study_on_three_hosts_reads_from_their_hdfs_and_answers_as_here(
    lab: Lab, folder: str, local: dict[str, Any], engine: str
) -> None:
    store = STORE + folder
    argv = ("--hosts", "hosts", *TINY, "--results", "results", "--store", store)
    done = lab.call(
        "exec", "gateway", "su", "-", "study", "-c",
        f"cd {folder} && export STUDY_PYTHON={PYTHON} BASH_XTRACEFD=9 &&"
        f" timeout {LIMIT_SECONDS - 60} bash -x apps/{STUDY}/launch/{engine}.sh"
        f" {shlex.join(map(str, argv))} 9>trace",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["status"], record["hosts"], record["workers"]) == ("done", 3, 3)
    assert record["dataset"]["uri"].startswith(store)
    assert record["dataset"]["sha256"] == local["dataset"]["sha256"]
    assert_equal(of_the_answer(record["quality"]), of_the_answer(local["quality"]), "quality")
    assert_nothing_left(lab, folder)


LEFT = """
runs() {{ grep -lE '{own}|{code}' /proc/[0-9]*/environ | sed s/environ/cmdline/ | xargs -r cat; }}
for try in {{1..40}}; do
  found=$(ls -d {own}; runs)
  [ -n "$found" ] || exit 0
  sleep 0.5
done 2>/dev/null
echo "$found"
"""


def assert_nothing_left(lab: Lab, folder: str) -> None:
    """Neither the run's own folder, nor, once they had time to end, processes that know that or the
    code's."""
    trace = lab.on("gateway", f"cat {folder}/trace")
    scratch = re.search(r"^\++ scratch=(/tmp/study-\w+)$", trace, re.MULTILINE)
    assert scratch is not None, trace
    for host in HOSTS:
        assert lab.on(host, LEFT.format(own=scratch[1], code=folder)).strip("\n\0") == ""
