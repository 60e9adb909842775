"""Servers and networks that fail while PageRank reads or writes: the right answer, or exit 5.

Every cell of engine × store × fault ends in the ranks of a local run, or in one line that names
the URI; nothing half-written is read back as complete, and no secret is said or written down.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from proxy import proxy
from servers import Server
from study_data import copying
from study_data import follower_graph
from study_data import stores
from studykit.storage import failures
from studytest import running

ENGINES = ["plain", "ray", "torch"]
READING = ("--workers", 2, "--oversubscribe", "--json", "--split-size", "200kb")
SECRETS = ("X-Amz-Signature=", "X-Amz-Credential=", "Authorization:")


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    return Path(stores.locate(follower_graph.DATASET, "tiny", str(folder)).uri)


@pytest.fixture(scope="module")
def top(graph: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The answer: what a local run ranks highest."""
    done = running.run(
        "twitter_pagerank.run_plain", "--data", graph, "--json",
        "--results", tmp_path_factory.mktemp("results"),
    )  # fmt: skip
    return done.record["quality"]["top"]


@pytest.fixture(scope="module")
def s3() -> Iterator[Server]:
    """Of one's own: these tests restart it."""
    with servers.s3() as server:
        yield server


@pytest.fixture(scope="module")
def hdfs() -> Iterator[Server]:
    with servers.hdfs() as server:
        yield server


@pytest.fixture(scope="module")
def object_uri(s3: Server, graph: Path) -> str:
    return upload(graph, f"{s3.uri}/edges.csv", s3)


@pytest.fixture(scope="module")
def hdfs_uri(hdfs: Server, graph: Path) -> str:
    return upload(graph, f"{hdfs.uri}/edges.csv", hdfs)


def upload(source: Path, target: str, server: Server) -> str:
    code = f"import sys, {copying.__name__} as copying; copying.copy(*sys.argv[1:])"
    done = running.finish(running.start_python("-c", code, source, target, **server.variables))
    assert done.code == 0, done.stderr
    return target


def start(engine: str, uri: str, results: Path, *more: object, **variables: str) -> Any:
    return running.start(
        f"twitter_pagerank.run_{engine}", "--data", uri, "--results", results, *READING, *more,
        **variables,
    )  # fmt: skip


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
def test_plain_reads_on_after(fault, s3, object_uri, top, tmp_path):
    with proxy(s3.variables["AWS_ENDPOINT_URL"], fault, fault) as between:
        variables = {**s3.variables, "AWS_ENDPOINT_URL": between.endpoint}
        done = running.finish(start("plain", object_uri, tmp_path, **variables))
    assert_right(done, top)
    assert between.met == [fault, fault]


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_an_engine_reads_on_after_all_faults_of_s3(engine, s3, object_uri, top, tmp_path):
    faults = ["500", "503", "reset", "truncated", "slow"]
    with proxy(s3.variables["AWS_ENDPOINT_URL"], *faults) as between:
        variables = {**s3.variables, "AWS_ENDPOINT_URL": between.endpoint}
        done = running.finish(start(engine, object_uri, tmp_path, **variables))
    assert_right(done, top)
    assert between.met == faults


@pytest.mark.parametrize("engine", ENGINES)
def test_s3_that_stays_out_of_order(engine, s3, object_uri, tmp_path):
    with proxy(s3.variables["AWS_ENDPOINT_URL"], always="503") as between:
        variables = {**s3.variables, "AWS_ENDPOINT_URL": between.endpoint}
        done = running.finish(start(engine, object_uri, tmp_path, **variables))
    assert_refused(done, object_uri, tmp_path, s3)
    # One of two torch ranks may be ended by the other's failure before it has tried as often.
    readers = 2 if engine == "torch" else 1
    assert failures.ATTEMPTS <= len(between.met) <= readers * failures.ATTEMPTS


@pytest.mark.parametrize("engine", ENGINES)
def test_s3_restarted_during_the_read(engine, s3, object_uri, top, tmp_path):
    with proxy(s3.variables["AWS_ENDPOINT_URL"], "hold") as between:
        variables = {**s3.variables, "AWS_ENDPOINT_URL": between.endpoint}
        process = start(engine, object_uri, tmp_path, **variables)
        assert between.held.wait(running.LIMIT_SECONDS)
        servers.run("s3/s3", "stop", s3.folder, s3.port)
        between.go_on.set()
        time.sleep(1)
        servers.run("s3/s3", "start", s3.folder, s3.port)
        done = running.finish(process)
    assert_right(done, top)


@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_s3_credentials(engine, s3, object_uri, tmp_path):
    variables = {**s3.variables, "AWS_SECRET_ACCESS_KEY": "wrong" * 8}
    done = running.finish(start(engine, object_uri, tmp_path, **variables))
    assert_refused(done, object_uri, tmp_path, Server(s3.uri, variables))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_bucket(engine, s3, tmp_path):
    uri = "s3://no-such-bucket/edges.csv"
    done = running.finish(start(engine, uri, tmp_path, **s3.variables))
    assert_refused(done, uri, tmp_path, s3)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_into_a_read_only_bucket(engine, graph, tmp_path):
    with servers.s3(VGW_READ_ONLY="true") as readonly:
        uri = f"{readonly.uri}/ranks.csv"
        done = running.finish(
            start(engine, str(graph), tmp_path, "--out", uri, **readonly.variables)
        )
        assert_refused(done, uri, tmp_path, readonly)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_data_node_killed_during_the_read(engine, graph, top, tmp_path):
    """One of two hangs, so that reads wait for it, and is then killed."""
    with servers.hdfs() as hdfs:
        uri = upload(graph, f"{hdfs.uri}/edges.csv", hdfs)
        hdfs.signal("datanode-1", signal.SIGSTOP)
        process = start(engine, uri, tmp_path)
        time.sleep(5 if engine == "plain" else 20)
        hdfs.signal("datanode-1", signal.SIGKILL)
        done = running.finish(process)
    assert_right(done, top)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_name_node_that_is_down(engine, tmp_path):
    uri = f"hdfs://127.0.0.1:{servers.free_port()}/edges.csv"
    done = running.finish(start(engine, uri, tmp_path))
    assert_refused(done, uri, tmp_path, Server(uri, {}))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_disk_that_is_full(engine, graph, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk: a full one is not tried")
    try:
        results = tmp_path / "results"
        uri = str(small / "ranks.csv")
        done = running.finish(start(engine, str(graph), results, "--out", uri))
        assert "the disk is full" in assert_refused(done, uri, results, Server("", {}))
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)


def test_an_interrupted_upload_is_no_object(s3, tmp_path):
    """A writer that is killed in the middle of a large object."""
    uri = f"{s3.uri}/half.bin"
    code = (
        "import sys; from studykit import storage; from studykit.storage import writing;"
        "file = storage.write_atomic(sys.argv[1]).__enter__();"
        "file.write(bytes(2 * writing.PART_BYTES));"
        "print('half', file=sys.stderr, flush=True); sys.stdin.read()"
    )
    process = running.start_python("-c", code, uri, **s3.variables)
    running.wait_for_line(process, "half")
    process.kill()
    process.communicate()
    look = "import sys; from studykit import storage; print(storage.exists(sys.argv[1]))"
    done = running.finish(running.start_python("-c", look, uri, **s3.variables))
    assert done.stdout.strip() == "False", done.stderr
