"""The stores that the tests of this folder share."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import servers
from servers import Server

S3_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")


@pytest.fixture(scope="session")
def hdfs() -> Iterator[Server]:
    if "STUDY_HDFS" in os.environ:
        yield Server(f"{os.environ['STUDY_HDFS']}/test-{uuid.uuid4().hex}", {})
        return
    with servers.hdfs() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    if "STUDY_S3" in os.environ:
        given = {name: os.environ[name] for name in S3_VARIABLES if name in os.environ}
        yield Server(f"{os.environ['STUDY_S3']}/test-{uuid.uuid4().hex}", given)
        return
    with servers.s3() as server:
        yield server


@pytest.fixture
def store(request: Any) -> Server:
    """The store that a test is parametrised with, by name."""
    server: Server = request.getfixturevalue(request.param)
    return server
