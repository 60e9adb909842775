"""The sample study, with engines that are started, or called where that says the same for less."""

import contextlib
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pytest
from studysweep import children
from studytest import running

from sample_study.sample import Sample


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    monkeypatch.setenv("SAMPLE_HOME", str(tmp_path))
    return Sample(tmp_path)


@pytest.fixture
def called(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """Its cells are called in this process: the same command line, environment, exit code, last
    words and record as of a child, for what a sweep makes of them."""

    @contextlib.contextmanager
    def child(
        command: Sequence[str], environment: Mapping[str, str], said: IO[bytes]
    ) -> Iterator[Any]:
        finished = running.call(command[2], *command[3:], **environment)
        said.write(finished.stderr.encode())
        yield types.SimpleNamespace(wait=lambda limit: finished.code)

    monkeypatch.setattr(children, "child", child)
    return sample
