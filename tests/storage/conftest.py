"""The stores that the tests of this folder share."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import servers
from servers import Server
from studykit.storage import filesystems

S3_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@pytest.fixture(scope="session")
def own_hdfs() -> Iterator[Server]:
    """One that tests may damage, and mend again."""
    with servers.hdfs() as server:
        yield server


@pytest.fixture(scope="session")
def own_s3() -> Iterator[Server]:
    with servers.s3() as server:
        yield server


@pytest.fixture(scope="session")
def hdfs(request: pytest.FixtureRequest) -> Server:
    if "STUDY_HDFS" in os.environ:
        return Server(f"{os.environ['STUDY_HDFS']}/test-{uuid.uuid4().hex}", {})
    own: Server = request.getfixturevalue("own_hdfs")
    return own


@pytest.fixture(scope="session")
def s3(request: pytest.FixtureRequest) -> Server:
    if "STUDY_S3" in os.environ:
        given = {name: os.environ[name] for name in S3_VARIABLES if name in os.environ}
        return Server(f"{os.environ['STUDY_S3']}/test-{uuid.uuid4().hex}", given)
    own: Server = request.getfixturevalue("own_s3")
    return own


@pytest.fixture(autouse=True)
def s3_clients() -> Iterator[None]:
    """Each test's own, because it may have other credentials than the one before.

    Those of HDFS stay open: the last reference to one must not go in a child that is being forked.
    """
    yield
    for key in [key for key in filesystems._open_clients if key[1] != "hdfs"]:
        del filesystems._open_clients[key]


@pytest.fixture
def store(request: Any, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The store that a test is parametrised with, by name; this process has access to it."""
    server: Server = request.getfixturevalue(request.param)
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    return server
