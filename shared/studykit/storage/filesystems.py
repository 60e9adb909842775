"""From a URI to a file system.

A URI without a scheme is a local path; `hdfs://host:port/path` and `s3://bucket/key` are remote.
Local files are reached through the operating system, remote ones through `pyarrow.fs`.

Clients are made when first used and stay open, one for each process and server. They try once:
`failures.retried` is who tries again.
"""

import os
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from pyarrow import fs as arrow_fs

from studykit.errors import StorageError, UsageError
from studykit.storage.failures import redacted, translated

CONNECT_TIMEOUT_SECONDS = 10.0
REQUEST_TIMEOUT_SECONDS = 60.0
UPLOAD_ATTEMPTS = 5  # with pauses of 7 s on average, by boto3
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


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
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        request_timeout=REQUEST_TIMEOUT_SECONDS,
        retry_strategy=arrow_fs.AwsStandardS3RetryStrategy(max_attempts=1),
        **place,
    )


def _hdfs_client(authority: str) -> arrow_fs.FileSystem:
    try:
        from hdfs_native.fsspec import HdfsFileSystem
    except ImportError:
        raise StorageError("needs the package hdfs-native", uri=f"hdfs://{authority}") from None
    server = urllib.parse.urlsplit(f"hdfs://{authority}")
    settings = {
        # By itself it tries for minutes. One more than once only where a name may stand for two
        # NameNodes, of which one stands by.
        "dfs.client.failover.max.attempts": "0" if server.port else "1",
        "dfs.client.failover.sleep.base.millis": "100",
        "dfs.client.failover.sleep.max.millis": "1000",
        "dfs.client.socket-timeout": str(int(REQUEST_TIMEOUT_SECONDS * 1000)),
    }
    client = HdfsFileSystem(host=server.hostname, port=server.port, **settings)
    return arrow_fs.PyFileSystem(arrow_fs.FSSpecHandler(client))


def upload_client() -> Any:
    """A boto3 client, which can abandon an upload; Arrow's can only complete it.

    Its calls are not `retried`: it tries again by itself, because it can rewind what it sends.
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
            retries={"mode": "standard", "total_max_attempts": UPLOAD_ATTEMPTS},
            s3={"addressing_style": style},
            max_pool_connections=32,  # As many threads may write without waiting for each other.
        )
        # The default session may not make two clients at once; threads may ask for one.
        _open_clients[key] = boto3.Session().client("s3", config=config)
    return _open_clients[key]


def s3_endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


CLIENTS: dict[str, Callable[[str], arrow_fs.FileSystem]] = {"hdfs": _hdfs_client, "s3": _s3_client}
