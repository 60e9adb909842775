"""What the parts of the contract have in common: a study's case, its input, its runs."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from studykit.records import PLAIN

from studytest import clusters, joined_ray, running
from studytest.case import StudyCase
from studytest.running import Finished

Joining = Callable[..., tuple[object, ...]]

RAY_CORES = 6
"""For three workers of two threads."""
RAY_MEMORY = "500MB"
DASK_WORKERS, DASK_THREADS = 3, 2


class OfStudy:
    """A test's arguments may name a kind of engine; it then runs with each that the study has."""

    case: ClassVar[StudyCase]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        case = self.case
        kinds = {
            "engine": case.engines,
            "framework": case.frameworks,
            "joinable": [name for name in case.engines if name in ("ray", "dask")],
            "surviving": [name for name in case.engines if name in ("ray", "dask")],
            "ray": [name for name in case.engines if name == "ray"],
            "torch": [name for name in case.engines if name == "torch"],
            "scripted": case.scripted,
            "skipping": case.engines if case.study.skips_bad_rows else [],
            "lenient": [PLAIN] if case.study.skips_bad_rows else [],
            **{name: case.modules(name) for name in ("compare", "peers")},
            "damage": list(case.damages),
            "unconverged": [] if case.unconverged is None else [case.unconverged],
            "wrong_usage": range(len(case.wrong_usage)),
        }
        # A test that names its own engines has those.
        marks = metafunc.definition.iter_markers("parametrize")
        given = {name for mark in marks for name in _names(mark.args[0])}
        for kind in (kinds.keys() & set(metafunc.fixturenames)) - given:
            # Tests of one engine after each other, where they share what they join: pytest 7 sorts
            # by what a fixture is given, not by an argument.
            if kind == "engine" and "joined" in metafunc.fixturenames:
                metafunc.parametrize(kind, kinds[kind], scope="class", indirect=True)
            else:
                metafunc.parametrize(kind, kinds[kind])

    @pytest.fixture(scope="class")
    def data(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Valid input."""
        return self.case.write(tmp_path_factory.mktemp("data"))

    @pytest.fixture(scope="class")
    def engine(self, request: Any) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    def held_ray(self, request: pytest.FixtureRequest) -> tuple[str, int]:
        """A Ray for the tests that do not try its start: its address, its object store's bytes."""
        return clusters.of_all_tests(request, clusters.held_ray, RAY_CORES, RAY_MEMORY)

    @pytest.fixture(scope="class")
    def held_dask(self, request: pytest.FixtureRequest) -> str:
        """The address of a Dask for the tests that do not try its start."""
        return clusters.of_all_tests(request, clusters.held_dask, DASK_WORKERS, DASK_THREADS)

    @pytest.fixture(scope="class")
    def joining(self, request: pytest.FixtureRequest) -> Joining:
        """(engine, workers, where their number counts) → the options with which it needs no start
        of its own, where it can. A Dask that is joined works with all its workers."""

        def options(engine: str, workers: int | None = None) -> tuple[object, ...]:
            if engine == "ray":
                return "--address", request.getfixturevalue("held_ray")[0]
            if engine == "dask" and workers in (None, DASK_WORKERS):
                return "--address", request.getfixturevalue("held_dask")
            return ()

        return options

    @pytest.fixture(scope="class")
    def joined(self, engine: str, request: pytest.FixtureRequest) -> Iterator[tuple[object, ...]]:
        """The options with which many small runs on one engine cost least, after each other."""
        if engine != "ray":
            yield request.getfixturevalue("joining")(engine)
            return
        with joined_ray.joined(request.getfixturevalue("held_ray")[0]):
            yield ()

    def call(self, engine: str, *argv: object, **variables: str) -> Finished:
        return running.call(self.case.module(engine), *argv, **variables)

    def refused(self, engine: str, code: int, *argv: object, **variables: str) -> str:
        """The error of a run that is refused."""
        finished = self.call(engine, *argv, **variables)
        assert finished.code == code, finished.stderr
        assert "Traceback" not in finished.stderr
        return finished.error

    def called(self, engine: str, *argv: object) -> dict[str, Any]:
        """The record of a run that is done, called in this process."""
        finished = self.call(
            engine, *argv, "--json", "--oversubscribe", "--timeout", running.LIMIT_SECONDS
        )
        assert finished.code == 0, finished.stderr
        return finished.record


def _names(given: str | Sequence[str]) -> list[str]:
    """The arguments that a mark names: in one text, or one by one."""
    return [name.strip() for name in given.split(",")] if isinstance(given, str) else list(given)
