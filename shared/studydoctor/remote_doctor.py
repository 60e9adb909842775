"""The part of `doctor` that looks at stores: a folder, an HDFS, a bucket."""

import datetime
import email.utils
import os
import shutil
import socket
import tempfile
import urllib.parse
from collections.abc import Iterator

from studykit import storage
from studykit.errors import StudyError
from studykit.storage import failures, filesystems
from studykit.storage.folders import find

from studydoctor.finding import Finding, bad, good, warning

LARGEST_SKEW_SECONDS = 300
"""S3 refuses requests whose time is further from its own than 15 minutes."""


def examine(uri: str) -> Iterator[Finding]:
    """Is this store reachable, with these credentials, and does it hold what it should?"""
    try:
        kind = filesystems.scheme(uri)
        name = failures.redacted(uri)
        yield from {"file": _folder, "hdfs": _hdfs, "s3": _bucket}[kind](uri, name)
    except StudyError as error:
        yield bad(failures.redacted(uri), str(error), "correct the URI, or start its server")


def tools() -> Iterator[Finding]:
    """What only the servers of infra/ need."""
    for program, server in (("java", "infra/hdfs/hdfs"), ("go", "infra/s3/s3")):
        found = shutil.which(program)
        if found:
            yield good(program, found)
        else:
            fix = f"only {server} needs it, to start a server on this machine: install {program}"
            yield warning(program, "not on PATH", fix)


def _folder(uri: str, name: str) -> Iterator[Finding]:
    path = filesystems.local_path(uri)
    if os.path.isdir(path):
        try:
            with tempfile.TemporaryFile(dir=path):
                yield good(name, "a folder that can be written")
        except OSError as error:
            yield bad(name, str(error), "choose another folder, or ask for the right to write it")
    elif os.path.exists(path):
        yield good(name, f"a file of {storage.size(uri):,} bytes")
    else:
        yield warning(name, "not there", "it is made when something is written to it")


def _hdfs(uri: str, name: str) -> Iterator[Finding]:
    server = urllib.parse.urlsplit(uri)
    configured = os.environ.get("HADOOP_CONF_DIR")
    if server.port is not None:
        try:
            socket.create_connection((server.hostname or "", server.port), timeout=3).close()
        except OSError as error:
            fix = "is the NameNode up (infra/hdfs/hdfs status), and the port its RPC port?"
            yield bad(f"NameNode of {name}", str(error), fix)
            return
        yield good(f"NameNode of {name}", "reachable")
    elif configured is None:
        fix = "give a port, as in hdfs://namenode:9000, or set HADOOP_CONF_DIR"
        yield bad(name, "no port, and no HADOOP_CONF_DIR that says where it is", fix)
        return
    yield _listed(name, f"{uri.split('://')[0]}://{server.netloc}/", "is HADOOP_USER_NAME right?")


def _bucket(uri: str, name: str) -> Iterator[Finding]:
    import boto3

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        fix = (
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run aws configure"
        )
        yield bad("S3 credentials", "none found", fix)
        return
    yield good("S3 credentials", f"from {credentials.method}")
    client = filesystems.upload_client()
    bucket = filesystems.filesystem(uri)[1].partition("/")[0]
    where = filesystems.s3_endpoint() or "AWS"
    try:
        answer = client.head_bucket(Bucket=bucket)["ResponseMetadata"]
    except failures.client_errors() as error:
        answer = getattr(error, "response", {}).get("ResponseMetadata", {})
        yield from _skew(answer)
        fix = {
            403: "these credentials may not use it, or are wrong",
            404: f"make it: aws s3 mb s3://{bucket}",
        }.get(answer.get("HTTPStatusCode", 0), "is the server up, and AWS_ENDPOINT_URL right?")
        yield bad(f"bucket {bucket} at {where}", failures.redacted(str(error)), fix)
        return
    yield from _skew(answer)
    yield _listed(f"bucket {bucket} at {where}", f"s3://{bucket}", "may these credentials list?")


def _skew(answer: dict[str, dict[str, str]]) -> Iterator[Finding]:
    stated = answer.get("HTTPHeaders", {}).get("date")
    if stated is None:
        return
    skew = datetime.datetime.now(datetime.UTC) - email.utils.parsedate_to_datetime(stated)
    seconds = abs(skew.total_seconds())
    if seconds <= LARGEST_SKEW_SECONDS:
        yield good("clock", f"within {seconds:.0f} s of the server's")
    else:
        yield bad("clock", f"{seconds:.0f} s from the server's", "set it: timedatectl set-ntp true")


def _listed(name: str, uri: str, fix: str) -> Finding:
    try:
        find(uri, recursive=False)
    except StudyError as error:
        return bad(name, str(error), fix)
    return good(name, "can be listed")
