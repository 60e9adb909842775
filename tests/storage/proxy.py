"""An HTTP proxy in front of an S3 server that does to answers what networks and servers do."""

import contextlib
import http.client
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
SLOW_SECONDS = 3
HOP_BY_HOP = ("transfer-encoding", "connection", "keep-alive")


class Proxy(ThreadingHTTPServer):
    """Forwards to `endpoint`, with the faults that were asked for last."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.server = urllib.parse.urlsplit(endpoint).netloc
        self._lock = threading.Lock()
        self.ask_for()

    def ask_for(self, *faults: str, always: str | None = None) -> None:
        """The next requests for data meet `faults`, one each, in order; `met` says which have.

        Faults: 500, 503, reset, truncated, slow, hold (until `go_on`). `always`: all the same one.
        """
        with self._lock:
            self.faults, self.always = list(faults), always
            self.met: list[str] = []
            self.held, self.go_on = threading.Event(), threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def next_fault(self) -> str | None:
        with self._lock:
            fault = self.always or (self.faults.pop(0) if self.faults else None)
            if fault is not None:
                self.met.append(fault)
            return fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of what is tried here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.next_fault() if "Range" in self.headers else None
        if fault in ("500", "503"):
            self._send(int(fault), SLOW_DOWN, {"Content-Type": "application/xml"})
            return
        if fault == "reset":
            # Closing with this option sends a reset instead of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if fault == "hold":
            self.server.held.set()
            self.server.go_on.wait()
        status, headers, data = self._answer(body)
        if fault == "truncated":
            self._send(status, data, headers, cut=len(data) // 2)
            self.close_connection = True
        else:
            self._send(status, data, headers, pause=SLOW_SECONDS if fault == "slow" else 0)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward

    def _answer(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        server = http.client.HTTPConnection(self.server.server, timeout=60)
        with contextlib.closing(server):
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # The host too: it is part of the signature.
                server.putheader(name, value)
            server.endheaders(body)
            answer = server.getresponse()
            headers = {
                name: value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP
            }
            return answer.status, headers, answer.read()

    def _send(
        self,
        status: int,
        data: bytes,
        headers: dict[str, str],
        cut: int | None = None,
        pause: float = 0,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        length = headers.get("Content-Length", len(data)) if self.command == "HEAD" else len(data)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        half = len(data) // 2
        self.wfile.write(data[:half])
        if cut is None:
            time.sleep(pause)
            self.wfile.write(data[half:])

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def proxy(endpoint: str) -> Iterator[Proxy]:
    with Proxy(endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
