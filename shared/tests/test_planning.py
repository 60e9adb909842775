"""What a sweep plans: its cells, and lists that are refused before anything runs."""

import dataclasses
from pathlib import Path

import pytest
from sample_study.sample import Sample
from sample_study.study import STUDY, Parameters
from studykit import machine
from studykit.errors import StorageError, UsageError
from studysweep import planning

pytest_plugins = "sample_study.fixtures"


def test_a_cell_is_engine_size_workers_split_and_method(sample: Sample) -> None:
    plan = sample.plan(size="tiny,big", split_size="1MB,2MB", methods="exact,published")
    assert len(plan) == 2 * 2 * 2 * 2
    assert len({cell.path for cell in plan}) == len(plan)


def test_a_peer_is_a_cell_of_each_size_and_workers_whatever_the_splits(sample: Sample) -> None:
    plan = sample.plan(split_size="1MB,2MB", peers="quick", workers="1,2", oversubscribe=True)
    peers = [cell for cell in plan if cell.peer]
    assert [cell.options.workers for cell in peers] == [1, 2]
    assert peers[0].command[1:4] == ["-m", "sample_study.peers", "quick"]


def test_stores_are_told_apart_and_file_is_the_default_one(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDY_STORE", raising=False)
    plan = sample.plan(store="file,s3://bucket/data", size="tiny,big")
    stores = [cell.options.store for cell in plan]
    assert stores == [None, None, "s3://bucket/data", "s3://bucket/data"] * 2
    assert len({cell.path for cell in plan}) == len(plan)
    assert [cell.path for cell in plan[:2]] == [cell.path for cell in sample.plan(size="tiny")]
    assert plan[0].label == "round 1: tiny, 1 × 1, plain exact"
    assert plan[2].label == "round 1: tiny in s3://bucket/data, 1 × 1, plain exact"
    assert "s3://bucket/data" in plan[2].command and "--store" not in plan[0].command


def test_a_store_that_the_environment_names_is_the_default(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDY_STORE", raising=False)
    default = [cell.path for cell in sample.plan()]
    monkeypatch.setenv("STUDY_STORE", "/data")
    assert [cell.path for cell in sample.plan(store="/data")] == default
    assert [cell.path for cell in sample.plan(store="/other")] != default


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"engines": "gamma"}, "--engines gamma: this study has plain, alpha"),
        ({"methods": "native"}, "--methods native: this study has exact, published"),
        ({"peers": "slow"}, "--peers slow: this study has quick"),
        ({"workers": "1,none"}, "--workers 1,none: give numbers of workers, as in 1,2,4"),
        ({"size": ","}, "--size: the list is empty"),
        ({"split_size": "1MB,big"}, "'big' is not a size"),
        ({"size": "tiny", "data": "x.csv"}, "--size and --data exclude each other"),
        ({"store": "a,b", "data": "x.csv"}, "--store and --data exclude each other"),
        ({"store": ","}, "--store: the list is empty"),
        ({"device": "gpu"}, "--device gpu: choose auto, cpu, cuda"),
        ({"device": "cuda"}, "--device cuda: on a GPU computes only torch"),
    ],
)
def test_a_wrong_list_is_refused_before_anything_runs(
    sample: Sample, asked: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        sample.plan(**asked)


@pytest.fixture
def hosts(tmp_path: Path) -> str:
    path = tmp_path / "hosts.txt"
    path.write_text("# three\nfirst:2\n\nsecond:3  # more cores\nthird\n")
    return str(path)


def test_hosts_are_taken_from_the_first_on_and_one_process_is_here(
    sample: Sample, hosts: str
) -> None:
    plan = sample.plan(hosts=hosts, nodes="1,3", workers=None, peers="quick")
    cells = [(cell.engine, cell.options.workers, cell.options.nodes) for cell in plan]
    alone = min(2, machine.cores())
    assert cells == [
        ("plain", alone, None),
        ("quick", alone, None),
        ("alpha", 2, 1),
        ("alpha", 6, 3),
    ]
    program, script, *rest = plan[-1].command
    assert (program, script.endswith("/launch/alpha.sh")) == ("bash", True)
    assert rest[:4] == ["--hosts", hosts, "--nodes", "3"] and "--workers" not in rest
    assert len({cell.path for cell in plan}) == len(plan)
    assert plan[-1].label == "round 1: tiny, 6 × 1, nodes 3, alpha exact"
    # All of them, if not said.
    assert sample.plan(hosts=hosts, workers=None)[-1].path == plan[-1].path


def test_the_record_of_a_launched_run_is_found_wherever_its_cluster_was(
    sample: Sample, hosts: str
) -> None:
    cell = sample.plan(hosts=hosts, nodes="2", workers=None)[-1]
    launched = dataclasses.replace(cell.options, address="first:41234")
    assert dataclasses.replace(cell, options=launched).path == cell.path
    alone = dataclasses.replace(cell.options, nodes=None)
    assert dataclasses.replace(cell, options=alone).path != cell.path


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"nodes": "1"}, "--nodes needs --hosts"),
        ({"hosts": "three", "workers": "2"}, "--workers and --hosts exclude each other"),
        ({"hosts": "three", "nodes": "4"}, "--nodes 4: .* has 3 hosts"),
        ({"hosts": "three", "nodes": "0"}, "--nodes 0: .* has 3 hosts"),
        ({"hosts": "three", "nodes": "two"}, "--nodes two: .* has 3 hosts"),
        ({"hosts": "wrong"}, "expected host"),
        ({"hosts": "nowhere"}, "cannot be read"),
    ],
)
def test_wrong_hosts_are_refused_before_anything_runs(
    sample: Sample, hosts: str, tmp_path: Path, asked: dict[str, str], reason: str
) -> None:
    (tmp_path / "wrong").write_text("one two\n")
    files = {"three": hosts, "wrong": str(tmp_path / "wrong"), "nowhere": str(tmp_path / "none")}
    given = {"workers": None, **asked}
    if "hosts" in asked:
        given["hosts"] = files[asked["hosts"]]
    with pytest.raises((UsageError, StorageError), match=reason):
        sample.plan(**given)


def test_the_device_is_that_of_engines_that_have_one(sample: Sample) -> None:
    study = dataclasses.replace(STUDY, engines=("plain", "ray", "torch"))
    asked = planning.SweepOptions(repeats=1, workers="1", device="cuda", peers="quick")
    plan = planning.plan_cells(study, ("quick",), asked, Parameters())
    devices = {cell.engine: cell.options.device for cell in plan}
    assert devices == {"plain": "cpu", "ray": "cpu", "torch": "cuda", "quick": "cpu"}
    assert {cell.options.device for cell in sample.plan()} == {"cpu"}
