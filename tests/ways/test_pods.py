"""The commands of infra/kubernetes' pods, run here as the processes that they would be there."""

import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # Its types are a package of their own.
from studytest import leftovers, ports, running

FOLDER = Path(__file__).resolve().parents[2] / "infra/kubernetes"
END_SECONDS = 200


def found(name: str, kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((FOLDER / name).read_text())
    (spec,) = [document["spec"] for document in documents if document["kind"] == kind]
    return dict(spec)


def start(
    container: dict[str, Any], place: Path, words: dict[str, str], **variables: str
) -> "subprocess.Popen[str]":
    """A container's command, with other words for what is there and not here."""
    (place / "bin").mkdir(exist_ok=True)
    python = place / "bin/python"
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o755)
    argv = [*container["command"], *container["args"]]
    given = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    for old, new in {**{f"$({name})": value for name, value in variables.items()}, **words}.items():
        argv = [word.replace(old, new) for word in argv]
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        argv,
        env=running.environment(PATH=path, **given, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        cwd=place,
    )


def needs(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not in this environment")


def test_the_pods_of_torch_meet_and_answer(tmp_path: Path) -> None:
    needs("twitter_pagerank")
    (tmp_path / "edges.csv").write_text("1,2\n2,1\n" * 100)
    words = {
        "study-torch-0.study-torch:29400": f"127.0.0.1:{ports.free()[0]}",
        "s3://BUCKET/data/edges.csv": str(tmp_path / "edges.csv"),
        "s3://BUCKET/results": f"{tmp_path}/results --oversubscribe",
    }
    job = found("torch.yaml", "Job")
    (container,) = job["template"]["spec"]["containers"]
    with leftovers.nothing_left():
        pods = [
            start(container, tmp_path, words, JOB_COMPLETION_INDEX=str(index), POD_IP="127.0.0.1")
            for index in reversed(range(job["completions"]))
        ]
        said = [pod.communicate(timeout=END_SECONDS)[0] for pod in pods]
    assert [pod.returncode for pod in pods] == [0, 0], said
    (record,) = tmp_path.glob("results/twitter-pagerank/torch/*.json")
    assert '"workers": 4' in record.read_text()


def test_the_pods_of_dask_meet_and_answer(tmp_path: Path) -> None:
    needs("digits_knn_cnn")
    port = str(ports.free()[0])
    words = {
        "0.0.0.0": "127.0.0.1",
        "8786": port,
        ":8787": "127.0.0.1:0",
        "--store s3://BUCKET/results/store": f"--store {tmp_path}/store --oversubscribe",
        "s3://BUCKET/results": str(tmp_path / "results"),
    }
    address = f"tcp://127.0.0.1:{port}"
    job = found("dask.yaml", "DaskJob")
    scheduler, worker = (job["cluster"]["spec"][name] for name in ("scheduler", "worker"))
    containers = [
        scheduler["spec"]["containers"][0],
        *[worker["spec"]["containers"][0]] * worker["replicas"],
        job["job"]["spec"]["containers"][0],
    ]
    with leftovers.nothing_left():
        pods = [
            start(
                container, tmp_path, words,
                DASK_SCHEDULER_ADDRESS=address, DASK_WORKER_NAME=f"worker-{index}",
                DASK_TEMPORARY_DIRECTORY=str(tmp_path),
            )
            for index, container in enumerate(containers)
        ]  # fmt: skip
        try:
            said = pods[-1].communicate(timeout=END_SECONDS)[0]
        finally:
            for pod in reversed(pods[:-1]):
                pod.terminate()
            others = [pod.communicate(timeout=60)[0] for pod in pods[:-1]]
    assert pods[-1].returncode == 0, (said, others)
    (record,) = tmp_path.glob("results/digits-knn-cnn/dask/*.json")
    assert '"workers": 4' in record.read_text()
