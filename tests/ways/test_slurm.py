"""infra/slurm on a Slurm of two nodes that is started for these tests."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import slurm_cluster
from studytest import leftovers, running

ROOT = Path(__file__).resolve().parents[2]
MKTEMP = """\
#!/bin/sh
PATH={path} mktemp "$@" | tee -a {list}
"""
STUDIES = {"ray": "twitter-pagerank", "torch": "twitter-pagerank", "dask": "digits-knn-cnn"}
END_SECONDS = 200
Job = tuple[str, Path]


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    with slurm_cluster.running() as variables:
        yield running.environment(STUDY_PYTHON=sys.executable, **variables)


@pytest.fixture
def nodes(slurm: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Slurm's variables, for one job: what it makes on the nodes for a time is gone at the end."""
    made = tmp_path / "made.txt"
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/mktemp"
    script.write_text(MKTEMP.format(path=os.environ["PATH"], list=made))
    script.chmod(0o755)
    # Of a short name, because sockets lie in it.
    folder = Path(tempfile.mkdtemp(prefix="s-", dir="/tmp"))
    path = f"{script.parent}{os.pathsep}{slurm['PATH']}"
    with leftovers.nothing_left():
        yield {**slurm, "TMPDIR": str(folder), "PATH": path}
    assert list(folder.iterdir()) == []
    shutil.rmtree(folder)
    if made.exists():
        assert not [name for name in made.read_text().split() if Path(name).exists()]


def submit(slurm: dict[str, str], folder: Path, engine: str, study: str, *options: object) -> Job:
    """Number and output of a job on two nodes."""
    output = folder / "output.txt"
    argv = (
        "sbatch", "--parsable", "--nodes", 2, "--output", output,
        f"infra/slurm/{engine}.sbatch", study, *options, "--results", folder / "results",
    )  # fmt: skip
    return call(slurm, *argv).strip(), output


def call(slurm: dict[str, str], *argv: object) -> str:
    words = [str(word) for word in argv]
    done = subprocess.run(words, cwd=ROOT, env=slurm, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def end_of(slurm: dict[str, str], job: Job) -> tuple[str, int]:
    """State and exit code of a job, once nothing of it runs on a node."""
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        words = call(slurm, "scontrol", "--oneliner", "show", "job", job[0]).split()
        shown = dict(word.split("=", 1) for word in words if "=" in word)
        ended = shown["JobState"] not in ("PENDING", "RUNNING", "COMPLETING")
        if ended and slurm_cluster.idle(slurm) == len(slurm_cluster.NODES):
            return shown["JobState"], int(shown["ExitCode"].split(":")[0])
        time.sleep(0.2)
    raise AssertionError(f"job {job[0]} did not end: {job[1].read_text()}")


def needs(engine: str) -> None:
    module = STUDIES[engine].replace("-", "_")
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{STUDIES[engine]} is not in this environment")


@pytest.mark.parametrize("engine", STUDIES)
def test_a_study_runs_on_two_nodes_and_leaves_nothing(
    nodes: dict[str, str], tmp_path: Path, engine: str
) -> None:
    needs(engine)
    job = submit(nodes, tmp_path, engine, STUDIES[engine], "--size", "tiny")
    assert end_of(nodes, job) == ("COMPLETED", 0), job[1].read_text()
    (file,) = tmp_path.glob(f"results/{STUDIES[engine]}/{engine}/*.json")
    record = json.loads(file.read_text())
    assert (record["status"], record["workers"]) == ("done", 2)
    # Ranks say it with their host's name in front.
    assert job[1].read_text().splitlines()[-1].rpartition("record: ")[2] == str(file)


def test_the_code_and_the_reason_of_a_run_that_fails_come_back(
    nodes: dict[str, str], tmp_path: Path
) -> None:
    needs("torch")
    (tmp_path / "edges.csv").write_text("1,2\n" * 1000 + "3,x\n")
    job = submit(nodes, tmp_path, "torch", STUDIES["torch"], "--data", tmp_path / "edges.csv")
    assert end_of(nodes, job) == ("FAILED", 2)
    errors = [line for line in job[1].read_text().splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and "line 1001" in errors[0]


def test_a_job_that_is_asked_to_end_leaves_nothing(nodes: dict[str, str], tmp_path: Path) -> None:
    needs("ray")
    job = submit(nodes, tmp_path, "ray", STUDIES["ray"], "--size", "tiny")
    made, deadline = tmp_path / "made.txt", time.monotonic() + END_SECONDS
    while not (made.exists() and (Path(made.read_text().strip()) / "ray").is_dir()):
        assert time.monotonic() < deadline, job[1].read_text()
        time.sleep(0.1)
    call(nodes, "scancel", "--batch", "--signal", "TERM", job[0])
    assert end_of(nodes, job) == ("FAILED", 143)


def test_a_study_without_that_engine_is_wrong_usage(nodes: dict[str, str], tmp_path: Path) -> None:
    job = submit(nodes, tmp_path, "dask", "twitter-pagerank")
    assert end_of(nodes, job) == ("FAILED", 2)
    said = job[1].read_text()
    found = re.fullmatch("error: dask: expected one of (.*), found 'twitter-pagerank'\n", said)
    assert found, said
    launchers = (ROOT / "apps").glob("*/launch/dask.sh")
    assert set(found[1].split()) == {launcher.parts[-3] for launcher in launchers}


def test_uneven_nodes_give_as_many_workers_as_they_have_cores(tmp_path: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "scontrol").write_text("#!/bin/sh\nprintf 'n1\\nn2\\nn7\\n'\n")
    launch = tmp_path / "apps/study/launch/ray.sh"
    launch.parent.mkdir(parents=True)
    launch.write_text('#!/bin/sh\ncat "$2"\nshift 2\necho "$@"\nexit 7\n')
    shutil.copytree(ROOT / "infra/slurm", tmp_path / "infra/slurm")
    for script in (commands / "scontrol", launch):
        script.chmod(0o755)
    done = subprocess.run(
        ["bash", tmp_path / "infra/slurm/job.sh", "ray", "study", "--size", "1 gb"],
        env={
            "PATH": f"{commands}:{os.environ['PATH']}",
            "SLURM_JOB_CPUS_PER_NODE": "16(x2),4",
            "SLURM_JOB_NODELIST": "n[1-2,7]",
        },
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.splitlines() == ["n1:16", "n2:16", "n7:4", "--size 1 gb"]
