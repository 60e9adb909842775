"""Servers and networks that fail while PageRank reads or writes: the right answer, or exit 5.

Every cell of engine × store × fault ends in the ranks of a local run, or in one line that names
the URI; nothing half-written is read back as complete, and no secret is said or written down.

Where the server is started again each engine is started as its user does, with the pauses that a
user waits for. Elsewhere its entry point is called in this process and Ray is one that is there.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import servers
from proxy import Proxy, proxy
from servers import Server
from study_data import copying, follower_graph, stores
from studykit import storage
from studykit.storage import failures
from studytest import clusters, ports, running

ENGINES = ["plain", "ray", "torch"]
READING = (
    "--workers", 2, "--oversubscribe", "--json", "--split-size", "200kb",
    "--timeout", running.LIMIT_SECONDS,
)  # fmt: skip
SECRETS = ("X-Amz-Signature=", "X-Amz-Credential=", "Authorization:")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    return Path(stores.locate(follower_graph.DATASET, "tiny", str(folder)).uri)


@pytest.fixture(scope="module")
def top(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The answer: what a local run ranks highest."""
    results = tmp_path_factory.mktemp("results")
    done = running.call(
        "twitter_pagerank.run_plain", "--data", graph, "--json", "--results", results
    )
    return done.record["quality"]["top"]


@pytest.fixture(scope="module")
def readonly() -> Iterator[Server]:
    with servers.s3(VGW_READ_ONLY="true") as server:
        yield server


@pytest.fixture(scope="module")
def network(own_s3: Server) -> Iterator[Proxy]:
    with proxy(own_s3.variables["AWS_ENDPOINT_URL"]) as between:
        yield between


@pytest.fixture
def between(network: Proxy) -> Proxy:
    """What lies between the engines and `s3`."""
    network.ask_for()
    return network


@pytest.fixture(scope="module")
def s3(own_s3: Server, network: Proxy) -> Server:
    """One's own, because it is started again, behind a network that can fail."""
    variables = {**own_s3.variables, "AWS_ENDPOINT_URL": network.endpoint}
    return Server(own_s3.uri, variables, own_s3.folder, own_s3.port)


@pytest.fixture(scope="module")
def object_uri(s3: Server, graph: Path) -> str:
    return upload(graph, f"{s3.uri}/edges.csv", s3)


@pytest.fixture(scope="module")
def hdfs_uri(own_hdfs: Server, graph: Path) -> str:
    return upload(graph, f"{own_hdfs.uri}/edges.csv", own_hdfs)


@pytest.fixture(scope="module")
def held_ray(s3: Server) -> Iterator[str]:
    """The address of a Ray whose workers have access to S3."""
    with mock.patch.dict(os.environ, s3.variables), clusters.held_ray(2, "1gb") as (address, _):
        yield address


@pytest.fixture
def joining(engine: str, request: pytest.FixtureRequest) -> tuple[object, ...]:
    """The options with which an engine needs no start of its own, where it can."""
    return ("--address", request.getfixturevalue("held_ray")) if engine == "ray" else ()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries, with pauses of half a second in all, in this process."""
    monkeypatch.setattr(failures, "FIRST_PAUSE_SECONDS", failures.FIRST_PAUSE_SECONDS / 25)


def upload(source: Path, target: str, server: Server) -> str:
    code = f"import sys, {copying.__name__} as copying; copying.copy(*sys.argv[1:])"
    done = running.finish(running.start_python("-c", code, source, target, **server.variables))
    assert done.code == 0, done.stderr
    return target


def call(engine: str, uri: str, results: Path, *more: object, **variables: str) -> running.Finished:
    return running.call(*asked(engine, uri, results, *more), **variables)


def asked(engine: str, uri: str, results: Path, *more: object) -> tuple[Any, ...]:
    module = f"twitter_pagerank.run_{engine}"
    return module, "--data", uri, "--results", results, *READING, *more


def assert_right(done: running.Finished, top: Any) -> None:
    assert done.code == 0, done.stderr
    assert done.record["quality"]["top"] == top


def assert_refused(done: running.Finished, uri: str, results: Path, server: Server) -> str:
    """Exit 5, one line with the URI, and no secret in it, in the log or in the record."""
    assert done.code == 5, done.stderr
    assert uri in done.error
    assert "Traceback" not in done.stderr
    written = [path.read_text() for path in results.rglob("*") if path.is_file()]
    secrets = [value for name, value in server.variables.items() if "KEY" in name]
    for text in (done.stdout, done.stderr, *written):
        for secret in (*secrets, *SECRETS):
            assert secret not in text
    return done.error


@pytest.mark.parametrize("fault", ["500", "503", "reset", "truncated", "slow"])
def test_plain_reads_on_after(fault, s3, between, object_uri, top, tmp_path):
    between.ask_for(fault, fault)
    assert_right(call("plain", object_uri, tmp_path, **s3.variables), top)
    assert between.met == [fault, fault]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_an_engine_reads_on_after_all_faults_of_s3(
    engine, joining, s3, between, object_uri, top, tmp_path
):
    faults = ["500", "503", "reset", "truncated", "slow"]
    between.ask_for(*faults)
    assert_right(call(engine, object_uri, tmp_path, *joining, **s3.variables), top)
    assert between.met == faults


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.usefixtures("impatient")
def test_s3_that_stays_out_of_order(engine, joining, s3, between, object_uri, tmp_path):
    between.ask_for(always="503")
    done = call(engine, object_uri, tmp_path, *joining, **s3.variables)
    assert_refused(done, object_uri, tmp_path, s3)
    # One of two torch ranks may be ended by the other's failure before it has tried as often.
    readers = 2 if engine == "torch" else 1
    assert failures.ATTEMPTS <= len(between.met) <= readers * failures.ATTEMPTS


@pytest.mark.parametrize("engine", ENGINES)
def test_s3_restarted_during_the_read(engine, s3, between, object_uri, top, tmp_path):
    between.ask_for("hold")
    process = running.start(
        f"twitter_pagerank.run_{engine}", "--data", object_uri, "--results", tmp_path, *READING,
        **s3.variables,
    )  # fmt: skip
    assert between.held.wait(running.LIMIT_SECONDS)
    servers.run("s3/s3", "stop", s3.folder, s3.port)
    between.go_on.set()
    time.sleep(1)
    servers.run("s3/s3", "start", s3.folder, s3.port)
    assert_right(running.finish(process), top)


@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_s3_credentials(engine, joining, s3, object_uri, tmp_path):
    variables = {**s3.variables, "AWS_SECRET_ACCESS_KEY": "wrong" * 8}
    done = call(engine, object_uri, tmp_path, *joining, **variables)
    assert_refused(done, object_uri, tmp_path, Server(s3.uri, variables))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_bucket(engine, joining, s3, tmp_path):
    uri = "s3://no-such-bucket/edges.csv"
    done = call(engine, uri, tmp_path, *joining, **s3.variables)
    assert_refused(done, uri, tmp_path, s3)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_into_a_read_only_bucket(engine, joining, readonly, graph, tmp_path):
    uri = f"{readonly.uri}/ranks.csv"
    done = call(engine, str(graph), tmp_path, "--out", uri, *joining, **readonly.variables)
    assert_refused(done, uri, tmp_path, readonly)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_data_node_killed_during_the_read(engine, joining, own_hdfs, hdfs_uri, top, tmp_path):
    """One of two hangs, so that reads wait for it, and is then killed."""
    # Ranks fork, and must not have connections of this process, which its client keeps for 3 s.
    run = running.run if engine == "torch" else running.call
    # So many splits that some are surely read from that one.
    with servers.hanging_then_killed(own_hdfs, "datanode-1"):
        done = run(*asked(engine, hdfs_uri, tmp_path, "--split-size", "40kb", *joining))
    assert_right(done, top)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.usefixtures("impatient")
def test_a_name_node_that_is_down(engine, joining, tmp_path):
    uri = f"hdfs://127.0.0.1:{ports.free()[0]}/edges.csv"
    assert_refused(call(engine, uri, tmp_path, *joining), uri, tmp_path, Server(uri, {}))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_is_full(engine, joining, graph, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk: a full one is not tried")
    try:
        results, uri = tmp_path / "results", str(small / "ranks.csv")
        done = call(engine, str(graph), results, "--out", uri, *joining)
        assert "the disk is full" in assert_refused(done, uri, results, Server("", {}))
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_an_interrupted_upload_is_no_object(own_s3, tmp_path, monkeypatch):
    """A writer that is killed in the middle of a large object."""
    uri = f"{own_s3.uri}/half.bin"
    code = (
        "import sys; from studykit import storage; from studykit.storage import writing;"
        "file = storage.write_atomic(sys.argv[1]).__enter__();"
        "file.write(bytes(2 * writing.PART_BYTES));"
        "print('half', file=sys.stderr, flush=True); sys.stdin.read()"
    )
    process = running.start_python("-c", code, uri, **own_s3.variables)
    running.wait_for_line(process, "half")
    process.kill()
    process.communicate()
    for name, value in own_s3.variables.items():
        monkeypatch.setenv(name, value)
    assert not storage.exists(uri)
