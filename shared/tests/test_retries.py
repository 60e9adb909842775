"""How often a server is really asked: the clients try once, and who tries again is one layer."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from studykit import storage
from studykit.errors import StorageError
from studykit.storage import Split, failures, filesystems
from studykit.storage.folders import find
from studytest import fake_hdfs
from studytest.fake_hdfs import Memory

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please slow down.</Message></Error>"
SIZE = 1000


class Store(ThreadingHTTPServer):
    """An S3 that has every object, of lines of `1,2`, and gives 503 to some kinds of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refused: set[str] = set()
        self.asked: Counter[str] = Counter()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked[self.command] += 1
        refused = self.command in self.server.refused
        body = SLOW_DOWN if refused else b"1,2\n" * (SIZE // 4)
        self.send_response(503 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with Store() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            monkeypatch.setenv(name, "nowhere-1")
        monkeypatch.setattr(filesystems, "_open_clients", {})
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    return fake_hdfs.install(monkeypatch)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What retries, boto3's too, would have waited, instead of waiting."""
    waited: list[float] = []
    monkeypatch.setattr("studykit.storage.failures.time.sleep", waited.append)
    return waited


def read_split(uri: str) -> None:
    list(storage.read_blocks(Split(uri, 0, SIZE, SIZE, '"1"')))


OPERATIONS: dict[str, tuple[str, Callable[[str], object]]] = {
    "look": ("HEAD", storage.size),
    "read a split": ("GET", read_split),
    "read a file": ("GET", storage.read_bytes),
    "count lines": ("GET", lambda uri: storage.line_numbers(uri, [500])),
    "list": ("GET", find),
    "remove": ("DELETE", storage.remove),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_s3_that_stays_busy_is_asked_eight_times(
    name: str, store: Store, pauses: list[float]
) -> None:
    method, operation = OPERATIONS[name]
    store.refused = {method}
    with pytest.raises(StorageError, match=r"s3://bucket/a\.csv"):
        operation("s3://bucket/a.csv")
    assert store.asked[method] == failures.ATTEMPTS == 8
    assert len(pauses) == 7


@pytest.mark.parametrize(("method", "size"), [("PUT", 4), ("POST", 33_000_000)])
def test_an_upload_that_stays_refused_is_tried_five_times(
    store: Store, method: str, size: int, pauses: list[float]
) -> None:
    """In one piece, and in parts."""
    store.refused = {method}
    with pytest.raises(StorageError, match=r"s3://bucket/a\.csv"):
        storage.write_bytes("s3://bucket/a.csv", bytes(size))
    assert store.asked[method] == filesystems.UPLOAD_ATTEMPTS == 5
    assert len(pauses) == 4


def test_a_name_node_that_hangs_up_is_asked_eight_times(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    monkeypatch.setattr(filesystems, "_open_clients", {})
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                calls.append(1)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(StorageError, match="tried 8 times"):
            storage.size(f"hdfs://127.0.0.1:{server.getsockname()[1]}/a.csv")
        # Its client repeats by itself, once, what was under way when a connection broke.
        assert 8 <= len(calls) <= 16
        server.shutdown(socket.SHUT_RDWR)
    assert len(pauses) == 7


def test_a_transient_failure_is_tried_again(memory: Memory, pauses: list[float]) -> None:
    storage.write_bytes("hdfs://server/a.csv", b"1\n")
    memory.failures = [OSError("connection reset"), TimeoutError("timed out")]
    assert storage.size("hdfs://server/a.csv") == 2
    assert len(pauses) == 2


def test_pauses_grow_up_to_a_limit(memory: Memory, pauses: list[float], monkeypatch: Any) -> None:
    monkeypatch.setattr("studykit.storage.failures.random.uniform", lambda _, longest: longest)
    monkeypatch.setattr(failures, "ATTEMPTS", 8)
    memory.failures = [OSError("503 SlowDown")] * 8
    with pytest.raises(StorageError, match=r"hdfs://server/a: 503 SlowDown \(tried 8 times\)"):
        storage.size("hdfs://server/a")
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])


def test_a_name_node_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"hdfs://127.0.0.1:{silent.getsockname()[1]}/a.csv"
        with pytest.raises(StorageError, match=f"{uri}: no answer within 0.5 s"):
            storage.size(uri)


def test_what_waiting_cannot_mend_is_not_tried_again(memory: Memory, pauses: list[float]) -> None:
    memory.failures = [OSError("AWS Error ACCESS_DENIED during HeadObject operation")]
    with pytest.raises(StorageError, match="ACCESS_DENIED"):
        storage.size("hdfs://server/a")
    assert pauses == []
