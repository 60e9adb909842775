"""The sample study, with engines that are started, or called where that says the same for less."""

import contextlib
import importlib
import io
import os
import sys
import types
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from typing import Any
from unittest import mock

import pytest
from studysweep import children

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
        stderr, code = io.StringIO(), 0
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(sys, "argv", command[2:]),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(stderr),
        ):
            try:
                importlib.import_module(command[2]).main()
            except SystemExit as end:
                code = int(end.code or 0)
        said.write(stderr.getvalue().encode())
        yield types.SimpleNamespace(wait=lambda limit: code)

    monkeypatch.setattr(children, "child", child)
    return sample
