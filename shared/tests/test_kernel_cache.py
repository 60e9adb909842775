"""A compiled kernel is found again where its sources are the same, wherever they lie."""

import contextlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from numba.core import caching
from studytest import kernel_cache, running

KERNELS = """
import numba
from things.of_others import STEP

@numba.njit(cache=True)
def further(number):
    return number + STEP
"""
RUN = """
import sys
from things.kernels import further
print(further(1), sum(further.stats.cache_hits.values()), "pytest" in sys.modules)
"""


@pytest.fixture
def run(tmp_path):
    """folder, the step → what a process of these sources gives, and how often it found it made."""

    def of(folder, step):
        package = tmp_path / folder / "things"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "kernels.py").write_text(KERNELS)
        (package / "of_others.py").write_text(f"STEP = {step}")
        path = running.environment()["PYTHONPATH"]
        done = running.finish(
            running.start_python(
                "-c", RUN,
                PYTHONPATH=f"{package.parent}:{path}",
                XDG_CACHE_HOME=str(tmp_path / "cache"),
                NUMBA_CACHE_LOCATOR_CLASSES="studytest.kernel_cache.ByContent",
            )
        )  # fmt: skip
        assert done.code == 0, done.stderr
        number, hits, has_pytest = done.stdout.split()
        assert has_pytest == "False"  # Which a run would have to import.
        return int(number), int(hits)

    return of


def test_the_same_sources_elsewhere_are_not_compiled_again(run):
    assert [run("here", 1), run("there", 1)] == [(2, 0), (2, 1)]


def test_a_change_in_what_is_imported_is_seen(run):
    assert [run("here", 1), run("there", 10)] == [(2, 0), (11, 0)]


def test_imports_are_followed_and_libraries_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_cache, "_sources", lambda: [tmp_path])
    sources = {"a": "import numpy, c", "b": "", "c": "def f():\n    from d import e", "d": ""}
    for name, text in sources.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert {path.stem for path in kernel_cache.reached(tmp_path / "a.py")} == {"a", "c", "d"}


def test_where_libraries_lie_is_not_ours(tmp_path, monkeypatch):
    ours, within_ray, in_pex = (
        tmp_path / place
        for place in ("shared", "lib/site-packages/ray/parts", "wheels/ray-2-py3.whl/ray/parts")
    )
    monkeypatch.setattr(sys, "path", [str(ours), str(within_ray), str(in_pex), *sys.path])
    kernel_cache._sources.cache_clear()
    found = kernel_cache._sources()
    kernel_cache._sources.cache_clear()
    assert ours in found
    assert within_ray not in found and in_pex not in found


def test_two_signatures_compiled_at_once_are_two_files(tmp_path, monkeypatch):
    both_read, read = threading.Barrier(2), caching.IndexDataCacheFile._load_index

    def read_together(self):
        found = read(self)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_read.wait(0.5)  # In vain: the other one waits for its turn.
        return found

    monkeypatch.setattr(caching.IndexDataCacheFile, "_load_index", read_together)
    files = [caching.IndexDataCacheFile(str(tmp_path), "kernel", "stamp") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda file, name: file.save(name, f"of {name}"), files, ["int", "float"]))
    assert [files[0].load(name) for name in ("int", "float")] == ["of int", "of float"]
