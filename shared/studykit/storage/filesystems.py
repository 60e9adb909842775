"""From a URI to a file system, and from its failures to one clear `StorageError`.

A URI without a scheme is a local path; `hdfs://host:port/path` and `s3://bucket/key` are remote.
Local files are reached through the operating system, remote ones through `pyarrow.fs`, whose
failures are often transient: every remote operation goes through `retried`, which waits
exponentially longer, with full jitter, so that many workers do not come back at the same moment.

Clients are made when first used and stay open, one for each process and server.
"""

import errno
import os
import random
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any
from typing import TypeVar

import pyarrow as pa
from pyarrow import fs as arrow_fs

from studykit.errors import StorageError
from studykit.errors import StudyError
from studykit.errors import UsageError

T = TypeVar("T")

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 10.0
REQUEST_TIMEOUT_SECONDS = 60.0
ANSWER_SECONDS = 120.0
"""Longest that one operation of HDFS may take, the reading of a whole range included."""
HDFS_SETTINGS = {
    # Its client tries a NameNode that is gone for minutes by itself; `retried` decides that here.
    "dfs.client.failover.max.attempts": "4",
    "dfs.client.failover.sleep.base.millis": "100",
    "dfs.client.failover.sleep.max.millis": "1000",
    "dfs.client.socket-timeout": str(int(REQUEST_TIMEOUT_SECONDS * 1000)),
}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_FINAL_WORDS = re.compile(
    r"ACCESS_DENIED|ACCESS_KEY|SIGNATURE|NO_SUCH_|TOKEN|ALREADY_EXISTS|INVALID|"
    r"AccessControlException|HTTP status (400|401|403|404|405)"
)
_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "is a folder, not a file",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.ENAMETOOLONG: "the name is too long",
}


def scheme(uri: str) -> str:
    """`file`, `hdfs` or `s3`. UsageError for any other, and for credentials inside a URI."""
    match = _SCHEME.match(uri)
    name = match[1].lower() if match else "file"
    if name not in ("file", *CLIENTS):
        known = ", ".join(f"{known}://" for known in ("file", *CLIENTS))
        raise UsageError(f"{redacted(uri)}: unknown scheme {name}://; known: {known}")
    authority = uri.split("://", 1)[-1].partition("/")[0]
    if ("@" in authority and name != "file") or (":" in authority and name == "s3"):
        raise UsageError(
            f"{redacted(uri)}: no user or key in a URI, please: "
            "give them by the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID …, HADOOP_USER_NAME)"
        )
    return name


def is_local(uri: str) -> bool:
    return scheme(uri) == "file"


def local_path(uri: str) -> str:
    """A path or `file://` URI → an absolute path. Only the URI form has %20 and the like."""
    if not uri:
        raise UsageError("an empty path")
    if not _SCHEME.match(uri):
        return os.path.abspath(uri)
    host, slash, path = uri.split("://", 1)[1].partition("/")
    if not slash or host not in ("", "localhost"):
        raise UsageError(f"{uri}: a file:// URI needs an absolute path, as in file:///tmp/data.csv")
    return os.path.abspath("/" + urllib.parse.unquote(path))


def absolute(uri: str) -> str:
    """The same place, said the same way in every process: an absolute path, or a full URI."""
    return local_path(uri) if is_local(uri) else uri.rstrip("/")


def join(uri: str, *parts: str) -> str:
    """A place below another, as an absolute path or a full URI."""
    return "/".join([absolute(uri).rstrip("/"), *(part.strip("/") for part in parts)])


def filesystem(uri: str) -> tuple[arrow_fs.FileSystem, str]:
    """The file system that holds a URI, and the path in it."""
    name = scheme(uri)
    if name == "file":
        return arrow_fs.LocalFileSystem(), local_path(uri)
    authority, _, path = uri.split("://", 1)[1].partition("/")
    if name == "s3":
        if not authority:
            raise UsageError(f"{uri}: no bucket; an example: s3://bucket/folder/data.csv")
        return _client(name, ""), f"{authority}/{path}".rstrip("/")
    return _client(name, authority), "/" + path.rstrip("/")


def uri_of(parent: str, path: str) -> str:
    """The URI of a path that the file system of `parent` has listed."""
    if is_local(parent):
        return path
    if scheme(parent) == "s3":
        return f"s3://{path}"
    return f"{parent.split('://', 1)[0]}://{parent.split('/', 3)[2]}/{path.lstrip('/')}"


_open_clients: dict[tuple[int, str, str], Any] = {}


def _client(name: str, authority: str) -> arrow_fs.FileSystem:
    key = (os.getpid(), name, authority)  # a forked child must not use its parent's connections
    if key not in _open_clients:
        with translated(f"{name}://{authority}"):
            _open_clients[key] = CLIENTS[name](authority)
    return _open_clients[key]


def _s3_client(_: str) -> arrow_fs.FileSystem:
    # Arrow's client does not read the endpoint variables of AWS; credentials it finds by itself.
    endpoint = s3_endpoint()
    place: dict[str, Any] = {
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    }
    if endpoint:
        server = urllib.parse.urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        place |= {"scheme": server.scheme, "endpoint_override": server.netloc}
    return arrow_fs.S3FileSystem(
        connect_timeout=CONNECT_TIMEOUT_SECONDS, request_timeout=REQUEST_TIMEOUT_SECONDS, **place
    )


def _hdfs_client(authority: str) -> arrow_fs.FileSystem:
    try:
        from hdfs_native.fsspec import HdfsFileSystem
    except ImportError:
        raise StorageError("needs the package hdfs-native", uri=f"hdfs://{authority}") from None
    server = urllib.parse.urlsplit(f"hdfs://{authority}")
    client = HdfsFileSystem(host=server.hostname, port=server.port, **HDFS_SETTINGS)
    return arrow_fs.PyFileSystem(arrow_fs.FSSpecHandler(client))


def upload_client() -> Any:
    """A boto3 client, which can abandon an upload; Arrow's can only complete it.

    https://github.com/apache/arrow/issues/40502
    """
    key = (os.getpid(), "upload", "")
    if key not in _open_clients:
        import boto3
        from botocore.config import Config

        # A server of one's own is rarely a name in the DNS for every bucket.
        style = "path" if s3_endpoint() else "auto"
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=REQUEST_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            s3={"addressing_style": style},
        )
        _open_clients[key] = boto3.client("s3", config=config)
    return _open_clients[key]


def s3_endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


CLIENTS: dict[str, Callable[[str], arrow_fs.FileSystem]] = {"hdfs": _hdfs_client, "s3": _s3_client}


def client_errors() -> tuple[type[Exception], ...]:
    """What the operating system and the clients of servers raise."""
    boto = sys.modules.get("botocore.exceptions")  # Imported by the first upload only.
    uploads = () if boto is None else (boto.BotoCoreError, boto.ClientError)
    return (OSError, RuntimeError, pa.ArrowException, *uploads)


def retried(operation: Callable[[], T], uri: str) -> T:
    """Run a remote operation that may be repeated, until it succeeds or there is no hope.

    StorageError at once for what waiting cannot mend (missing, forbidden, an HDFS that hangs), else
    after `ATTEMPTS` tries. Errors of a study's own pass through.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return answered(operation, uri) if scheme(uri) == "hdfs" else operation()
        except StudyError:
            raise
        except client_errors() as error:
            if isinstance(error, _FINAL) or _FINAL_WORDS.search(str(error)):
                raise storage_error(error, uri) from error
            if attempt == ATTEMPTS:
                raise storage_error(error, uri, f" (tried {ATTEMPTS} times)") from error
        longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        time.sleep(random.uniform(0, longest))
    raise AssertionError("the last attempt returns or raises")


def answered(operation: Callable[[], T], uri: str) -> T:
    """Run an operation of HDFS; StorageError where it has not ended in time.

    Its client waits without end for a NameNode that took the connection and then says nothing, and
    hears no Ctrl-C meanwhile; so it waits in a thread that may be left behind.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(operation())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(ANSWER_SECONDS)
    except TimeoutError:
        if outcome.done():
            raise
        raise StorageError(
            f"no answer within {ANSWER_SECONDS:g} s: does the server hang?", uri=redacted(uri)
        ) from None


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """What the operating system or a client raises inside becomes a StorageError of this URI."""
    try:
        yield
    except StudyError:
        raise
    except client_errors() as error:
        raise storage_error(error, uri) from error


def storage_error(error: Exception, uri: str, remark: str = "") -> StorageError:
    code = error.errno if isinstance(error, OSError) else None
    if code is None and isinstance(error, FileNotFoundError):
        code = errno.ENOENT
    reason = _REASONS.get(code or 0) or redacted(str(error)).strip() or type(error).__name__
    return StorageError(reason + remark, uri=redacted(uri))


def redacted(text: str) -> str:
    """One line of text without credentials: no user or key in a URI, no signed query, no secret."""
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        secret = os.environ.get(name)
        if secret:
            text = text.replace(secret, "…")
    text = re.sub(r"://[^/\s]*@", "://", text)
    # A key may hold slashes of its own: s3://KEY:SEC/RET@bucket.
    text = re.sub(r"s3://[^\s@/:]+:[^\s@]*@", "s3://", text)
    text = re.sub(r"((?:X-Amz-)?(?:Signature|Credential|Security-Token)=)[^&\s]+", r"\1…", text)
    return " ".join(text.split())
