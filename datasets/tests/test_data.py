"""The command line: exit codes, one line per error, nothing on standard output but JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from study_data import data, follower_graph
from studykit import storage
from typer.testing import CliRunner, Result

TINY = follower_graph.DATASET.sizes["tiny"]
STARTED_WITHIN_SECONDS = 60


def run(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(data.app, arguments, env={"STUDY_STORE": str(store)})


def test_make_then_list_then_verify_then_remove(tmp_path: Path) -> None:
    made = run(tmp_path, "make", "follower-graph", "--size", "tiny", "--json")
    assert made.exit_code == 0
    assert json.loads(made.stdout) == {
        "name": "follower-graph",
        "uri": str(tmp_path / "follower-graph" / "tiny.csv"),
        "bytes": TINY.bytes,
        "rows": TINY.rows,
        "sha256": TINY.sha256,
    }
    listed = json.loads(run(tmp_path, "list", "--json").stdout)
    in_store = {
        (dataset["name"], size): entry["seeds_in_store"]
        for dataset in listed
        for size, entry in dataset["sizes"].items()
    }
    assert in_store.pop(("follower-graph", "tiny")) == [0]
    assert in_store and not any(in_store.values())
    verified = run(tmp_path, "verify", "--json")
    assert (verified.exit_code, len(json.loads(verified.stdout)["good"])) == (0, 1)
    assert run(tmp_path, "remove", "follower-graph", "--size", "tiny").exit_code == 0
    assert list((tmp_path / "follower-graph").iterdir()) == []


def test_list_shows_licence_source_and_schema(tmp_path: Path) -> None:
    shown = run(tmp_path, "list")
    assert shown.exit_code == 0 and shown.stdout == ""
    for word in ("24.66gb", "Apache-2.0", "source,destination", "graphs-snap-twitter7"):
        assert word in shown.stderr


def test_make_to_another_folder_leaves_the_store_alone(tmp_path: Path) -> None:
    store, other = tmp_path / "store", tmp_path / "other"
    made = run(store, "make", "follower-graph", "--size", "tiny", "--to", str(other))
    assert made.exit_code == 0
    assert (other / "follower-graph" / "tiny.csv").stat().st_size == TINY.bytes
    assert not store.exists()


def test_damaged_data_is_refused_by_name(tmp_path: Path) -> None:
    run(tmp_path, "make", "follower-graph", "--size", "tiny")
    path = tmp_path / "follower-graph" / "tiny.csv"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    verified = run(tmp_path, "verify", "--json")
    assert verified.exit_code == 2
    assert [entry["uri"] for entry in json.loads(verified.stdout)["damaged"]] == [str(path)]
    path.write_bytes(path.read_bytes()[:-1])
    again = run(tmp_path, "make", "follower-graph", "--size", "tiny")
    assert again.exit_code == 2
    assert str(path) in again.stderr and "data remove" in again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_too_little_disk_is_exit_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 1_000)
    result = run(tmp_path, "make", "follower-graph", "--size", "tiny")
    assert result.exit_code == 4
    assert "0.00 GB free" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_store_that_cannot_be_written_is_exit_5(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    result = run(tmp_path / "file", "make", "follower-graph", "--size", "tiny")
    assert result.exit_code == 5
    assert str(tmp_path / "file") in result.stderr and len(result.stderr.splitlines()) == 1


def test_verifying_what_is_missing_is_exit_5(tmp_path: Path) -> None:
    result = run(tmp_path, "verify", "follower-graph", "--size", "tiny")
    assert result.exit_code == 5
    assert "tiny.csv" in result.stderr


def test_fetch_without_the_client_is_exit_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # type: ignore[misc]
    result = run(tmp_path, "fetch", "twitter7")
    assert result.exit_code == 4
    assert "kagglehub" in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("make", "follower-graph"),
        ("make", "follower-graph", "--size", "huge"),
        ("make", "nothing", "--size", "tiny"),
        ("make", "follower-graph", "--size", "tiny", "--to", "edges.csv"),
        ("make", "follower-graph", "--size", "tiny", "--data-seed", "-1"),
        ("make", "twitter7", "--size", "full"),
        ("verify", "--size", "tiny"),
        ("verify", "nothing"),
        ("remove", "follower-graph", "--size", "huge"),
        ("fetch", "follower-graph"),
        ("mend",),
    ],
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run(tmp_path, *arguments).exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["list", "make", "verify", "remove", "fetch"])
def test_help_has_an_example(tmp_path: Path, command: str) -> None:
    shown = run(tmp_path, command, "--help")
    assert shown.exit_code == 0
    assert f"Example: {command}" in shown.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "study_data.data", "make", "follower-graph", "--size", "5gb"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "STUDY_STORE": str(tmp_path)},
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for_bytes(tmp_path, child)
        child.send_signal(number)
        child.communicate(timeout=STARTED_WITHIN_SECONDS)
    finally:
        child.kill()
    assert child.returncode == code
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _wait_for_bytes(folder: Path, child: subprocess.Popen[bytes]) -> None:
    """Until the child has begun to write."""
    for _ in range(STARTED_WITHIN_SECONDS * 20):
        if any(path.is_file() for path in folder.rglob("*")):
            return
        assert child.poll() is None
        time.sleep(0.05)
    pytest.fail("the child wrote nothing")
