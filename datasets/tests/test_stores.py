"""Locating a data set: made once, verified, never half-written, never silently made again."""

import dataclasses
import hashlib
import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.progress import Progress
from study_data import catalogue, follower_graph, keeping, stores, twitter7
from study_data.dataset import Dataset, Located
from studykit import storage
from studykit.errors import DataError, ResourceError, UsageError
from studytest import running

GRAPH = follower_graph.DATASET
TINY = GRAPH.sizes["tiny"]


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def located(store: Path, seed: int = 0, dataset: Dataset = GRAPH) -> Located:
    return stores.locate(dataset, "tiny", str(store), seed)


def test_first_use_makes_it_and_the_next_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda bar, task, count: moved.append(count))
    found = located(tmp_path)
    content = Path(found.uri).read_bytes()
    rows, digest = content.count(b"\n"), hashlib.sha256(content).hexdigest()
    assert found == Located(GRAPH.name, found.uri, len(content), rows, digest)
    assert (found.rows, found.bytes, found.sha256) == dataclasses.astuple(TINY)
    assert sum(moved) == TINY.bytes
    assert located(tmp_path, dataset=dataclasses.replace(GRAPH, make=None)) == found


def test_a_store_may_be_a_file_uri(tmp_path: Path) -> None:
    found = stores.locate(GRAPH, "tiny", tmp_path.as_uri())
    assert storage.size(found.uri) == TINY.bytes
    assert (tmp_path / GRAPH.name / "tiny.csv").stat().st_size == TINY.bytes


def test_seeds_live_side_by_side(tmp_path: Path) -> None:
    first, other = located(tmp_path), located(tmp_path, seed=7)
    assert first.uri != other.uri and first.sha256 != other.sha256
    assert keeping.verify(GRAPH, "tiny", other.uri, 7) == other
    assert keeping.present(GRAPH, str(tmp_path)) == [("tiny", 7), ("tiny", 0)]
    assert catalogue.present(str(tmp_path)) == [(GRAPH, "tiny", 7), (GRAPH, "tiny", 0)]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RuntimeError, OSError])
def test_an_interrupted_make_leaves_nothing(tmp_path: Path, interrupt: type[BaseException]) -> None:
    def stopped(rows: int, seed: int) -> Generator[memoryview, None, None]:
        yield next(follower_graph.blocks(rows, seed, chunk_rows=1_000))
        raise interrupt

    with pytest.raises(interrupt):
        located(tmp_path, dataset=dataclasses.replace(GRAPH, make=stopped))
    assert files_in(tmp_path) == []
    assert located(tmp_path).sha256 == TINY.sha256


def test_bytes_that_the_catalogue_does_not_expect_are_not_kept(tmp_path: Path) -> None:
    other = dataclasses.replace(
        GRAPH, make=lambda rows, seed: follower_graph.blocks(rows, seed + 1)
    )
    with pytest.raises(DataError, match=TINY.sha256):
        located(tmp_path, dataset=other)
    assert files_in(tmp_path) == []


def test_a_file_of_another_length_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = Path(located(tmp_path).uri)
    with path.open("ab") as file:
        file.write(b"1,2\n")
    with pytest.raises(DataError, match=r"damaged: 2,010,181 bytes.*data remove") as caught:
        located(tmp_path)
    assert caught.value.uri == str(path)
    assert path.stat().st_size == TINY.bytes + 4


def test_verify_finds_a_changed_byte(tmp_path: Path) -> None:
    found = located(tmp_path)
    content = bytearray(Path(found.uri).read_bytes())
    content[1_000] ^= 1
    Path(found.uri).write_bytes(content)
    with pytest.raises(DataError, match="damaged: sha256") as caught:
        keeping.verify(GRAPH, "tiny", found.uri)
    assert caught.value.uri == found.uri


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"bytes": 3}', b"\xff"])
def test_a_file_without_a_true_sidecar_is_refused(tmp_path: Path, content: bytes | None) -> None:
    sidecar = Path(stores.sidecar_of(located(tmp_path).uri))
    if content is None:
        sidecar.unlink()
    else:
        sidecar.write_bytes(content)
    with pytest.raises(DataError, match="data remove follower-graph --size tiny"):
        located(tmp_path)


def test_a_sidecar_of_another_data_set_is_refused(tmp_path: Path) -> None:
    sidecar = Path(stores.sidecar_of(located(tmp_path).uri))
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "seed": 3}))
    with pytest.raises(DataError, match="not the sidecar of follower-graph tiny"):
        located(tmp_path)


def test_a_file_of_another_version_of_the_generator_is_refused(tmp_path: Path) -> None:
    located(tmp_path)
    sizes = {"tiny": dataclasses.replace(TINY, sha256="0" * 64)}
    with pytest.raises(DataError, match="as this version makes it"):
        located(tmp_path, dataset=dataclasses.replace(GRAPH, sizes=sizes))


def test_too_little_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 1_000_000_000)
    with pytest.raises(ResourceError, match=r"needs 2\.53 GB.*1\.00 GB free"):
        stores.locate(GRAPH, "2.5gb", str(tmp_path))
    assert files_in(tmp_path) == []


def test_two_that_make_it_at_once_agree(tmp_path: Path) -> None:
    uri = stores.uri_of(GRAPH, "tiny", str(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: stores.make(GRAPH, "tiny", uri), range(2)))
    assert made[0] == made[1] == keeping.verify(GRAPH, "tiny", uri)
    assert [path.name for path in files_in(tmp_path)] == ["tiny.csv", "tiny.csv.json"]


def test_remove_takes_the_sidecar_along(tmp_path: Path) -> None:
    found = located(tmp_path)
    assert keeping.remove(GRAPH, "tiny", found.uri)
    assert files_in(tmp_path) == []
    assert not keeping.remove(GRAPH, "tiny", found.uri)


@pytest.mark.parametrize(("name", "size"), [("follower", "tiny"), (GRAPH.name, "huge")])
def test_unknown_names_are_answered_with_the_known(name: str, size: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"follower-graph|tiny, 100mb"):
        stores.locate(catalogue.named(name), size, str(tmp_path))


def test_what_is_only_fetched_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="data fetch twitter7"):
        stores.locate(twitter7.DATASET, "full", str(tmp_path))
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("size", [size for size in GRAPH.sizes if size != "tiny"])
def test_sizes_are_what_their_names_say(size: str) -> None:
    unit = 10**9 if size.endswith("gb") else 10**6
    named = float(size[:-2]) * unit
    assert GRAPH.sizes[size].bytes == pytest.approx(named, rel=0.01)


def test_a_store_knows_no_data_set() -> None:
    code = "import sys, study_data.stores; print(*sys.modules)"
    done = running.finish(running.start_python("-c", code))
    loaded = {name for name in done.stdout.split() if name.startswith("study_data.")}
    assert loaded == {f"study_data.{name}" for name in ("dataset", "progress", "stores")}


def test_default_store_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY_STORE", "s3://bucket/sets")
    assert stores.default_store() == "s3://bucket/sets"
    monkeypatch.delenv("STUDY_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert stores.default_store() == "/elsewhere/study-data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert stores.default_store() == "/home/somebody/.cache/study-data"
