"""Data sets of many files: whole or missing, verified by file, on any store."""

import csv
import dataclasses
import hashlib
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from image_folder import IMAGES, change, everything, image, images, located
from rich.progress import Progress
from study_data import catalogue, data, folders, keeping, stores
from study_data.dataset import Size
from study_data.folders import Content, Files
from studykit import storage
from studykit.errors import DataError, UsageError
from studykit.storage.folders import find
from studytest import fake_stores
from typer.testing import CliRunner

store = fake_stores.folder


def test_first_use_makes_it_and_the_next_finds_it(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda bar, task, count: moved.append(count))
    found = located(store)
    assert found.uri == storage.join(store, "small-images/tiny")
    assert (found.name, found.rows) == ("small-images", 12)
    pictures = {f"images/{number:06}.png": image(0, number) for number in range(12)}
    for name, content in pictures.items():
        assert storage.read_bytes(storage.join(found.uri, name)) == content
    table = storage.read_bytes(storage.join(found.uri, "labels.csv"))
    assert [row["name"] for row in csv.DictReader(io.StringIO(table.decode()))] == [*pictures]
    assert found.bytes == len(table) + sum(map(len, pictures.values())) == sum(moved)
    names = [*pictures, "labels.csv"]
    assert storage.list_files(found.uri) == [storage.join(found.uri, name) for name in names]
    assert located(store, dataset=dataclasses.replace(IMAGES, make_files=None)) == found
    assert keeping.verify(IMAGES, "tiny", found.uri) == found


def test_the_manifest_has_every_file_in_order_and_its_hash_is_the_data_sets(store: str) -> None:
    found = located(store)
    text = storage.read_bytes(folders.manifest_of(found.uri))
    assert hashlib.sha256(text).hexdigest() == found.sha256
    first, *listed = text.decode().splitlines()
    assert first == "name,bytes,sha256" and len(listed) == 13
    assert [line.split(",")[0] for line in listed] == ["labels.csv", *(
        f"images/{number:06}.png" for number in range(12)
    )]  # fmt: skip
    png = image(0, 3)
    assert listed[4].split(",")[1:] == [str(len(png)), hashlib.sha256(png).hexdigest()]


def test_seeds_and_sizes_live_side_by_side(store: str) -> None:
    first, other, larger = located(store), located(store, seed=7), located(store, "small")
    assert len({first.uri, other.uri, larger.uri}) == 3 and first.sha256 != other.sha256
    assert sorted(keeping.present(IMAGES, store)) == [("small", 0), ("tiny", 0), ("tiny", 7)]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, RuntimeError, OSError])
@pytest.mark.parametrize("within", [False, True])
def test_an_interrupted_making_leaves_nothing(
    store: str, interrupt: type[BaseException], within: bool
) -> None:
    def stopped(rows: int, seed: int) -> Files:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise interrupt

        yield from images(rows, seed)
        if within:
            yield "last.csv", pieces()
        raise interrupt

    with pytest.raises(interrupt):
        located(store, dataset=dataclasses.replace(IMAGES, make_files=stopped))
    assert everything(store) == []
    assert located(store).rows == 12


def test_files_that_the_data_set_does_not_expect_are_not_kept(store: str) -> None:
    sizes = {"tiny": dataclasses.replace(IMAGES.sizes["tiny"], sha256="0" * 64)}
    with pytest.raises(DataError, match="as this version makes it"):
        located(store, dataset=dataclasses.replace(IMAGES, sizes=sizes))
    assert everything(store) == []


def test_what_a_killed_making_left_counts_as_missing(store: str) -> None:
    """In S3 files appear one by one: without the manifest they are none."""
    uri = stores.uri_of(IMAGES, "tiny", store)
    storage.write_bytes(f"{uri}/labels.csv", b"half")
    storage.write_bytes(f"{uri}/images/of-another-version.png", b"half")
    storage.write_bytes(stores.sidecar_of(uri), b"{}")
    assert keeping.present(IMAGES, store) == []
    found = located(store)
    assert keeping.verify(IMAGES, "tiny", uri) == found
    assert len(find(uri)) == 14


def test_two_that_make_it_at_once_agree(store: str) -> None:
    together = threading.Barrier(2, timeout=60)

    def waiting(rows: int, seed: int) -> Files:
        together.wait()
        yield from images(rows, seed)
        together.wait()

    both = dataclasses.replace(IMAGES, make_files=waiting)
    uri = stores.uri_of(IMAGES, "tiny", store)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _: stores.make(both, "tiny", uri), range(2)))
    assert made[0] == made[1] == keeping.verify(IMAGES, "tiny", uri)
    assert len(everything(store)) == 15  # With the manifest and the sidecar; nothing hidden.


def test_verify_names_the_damaged_file(store: str) -> None:
    found = located(store)
    change(f"{found.uri}/images/000005.png")
    with pytest.raises(DataError, match=r"damaged: sha256 .*data remove small-images") as caught:
        keeping.verify(IMAGES, "tiny", found.uri)
    assert caught.value.uri == f"{found.uri}/images/000005.png"
    change(f"{found.uri}/images/000008.png")
    with pytest.raises(DataError, match="2 of 13 files damaged: sha256") as caught:
        keeping.verify(IMAGES, "tiny", found.uri)
    assert caught.value.uri == f"{found.uri}/images/000005.png"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("images/000005.png", None, "is missing"),
        ("images/000005.png", b"short", "5 bytes, the manifest says"),
        ("images/0000055.png", b"new", "is not in the manifest"),
        ("_manifest.csv", b"name,bytes,sha256\n", "sha256"),
    ],
)
def test_a_folder_that_changed_is_refused_and_left_alone(
    store: str, name: str, content: bytes | None, reason: str
) -> None:
    uri = f"{located(store).uri}/{name}"
    if content is None:
        storage.remove(uri)
    else:
        storage.write_bytes(uri, content)
    before = everything(store)
    with pytest.raises(DataError, match=f"damaged.*{reason}.*data remove small-images") as caught:
        located(store)
    assert caught.value.uri == uri
    assert everything(store) == before


def test_a_folder_without_a_sidecar_is_refused(store: str) -> None:
    found = located(store)
    storage.remove(stores.sidecar_of(found.uri))
    with pytest.raises(DataError, match="no readable sidecar"):
        located(store)


def test_remove_takes_all_of_it(store: str) -> None:
    found, other = located(store), located(store, seed=7)
    assert keeping.remove(IMAGES, "tiny", found.uri)
    assert not keeping.remove(IMAGES, "tiny", found.uri)
    assert keeping.present(IMAGES, store) == [("tiny", 7)]
    assert keeping.verify(IMAGES, "tiny", other.uri, 7) == other
    storage.remove(folders.manifest_of(other.uri))
    assert keeping.remove(IMAGES, "tiny", other.uri)
    assert everything(store) == []


def test_remove_takes_what_a_killed_making_left(tmp_path: Path) -> None:
    uri = stores.uri_of(IMAGES, "tiny", str(tmp_path))
    storage.write_bytes(f"{tmp_path}/small-images/.tiny.123-0123abcd.tmp/a.png", b"1")
    assert not keeping.remove(IMAGES, "tiny", uri)
    assert everything(str(tmp_path)) == []


def test_the_command_line_knows_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue.DATASETS, IMAGES.name, IMAGES)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(data.app, arguments, env={"STUDY_STORE": str(tmp_path)})

    for size in IMAGES.sizes:
        assert run("make", IMAGES.name, "--size", size).exit_code == 0
    listed = {entry["name"]: entry for entry in json.loads(run("list", "--json").stdout)}
    assert listed[IMAGES.name]["sizes"]["small"]["seeds_in_store"] == [0]
    assert IMAGES.name in run("list").stderr
    assert run("verify").exit_code == 0
    assert run("copy", f"{tmp_path}/small-images/tiny", f"{tmp_path}/copy/tiny").exit_code == 0
    change(f"{tmp_path}/small-images/tiny/images/000001.png")
    verified = run("verify", "--json")
    assert verified.exit_code == 2
    damaged = json.loads(verified.stdout)["damaged"]
    assert [entry["uri"] for entry in damaged] == [
        f"{tmp_path}/small-images/tiny/images/000001.png"
    ]
    assert run("remove", IMAGES.name, "--size", "tiny").exit_code == 0
    assert not (tmp_path / "small-images" / "tiny").exists()


def test_what_is_only_fetched_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="data fetch small-images"):
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, make_files=None))


def test_small_files_are_written_side_by_side(tmp_path: Path, monkeypatch: Any) -> None:
    """As many as wait for each other here."""
    together = threading.Barrier(folders.AT_ONCE, timeout=60)
    written = folders._write

    def meeting(folder: str, name: str, content: Content, moved: Any) -> folders.Entry:
        if name.endswith(".png"):
            together.wait()
        return written(folder, name, content, moved)

    monkeypatch.setattr(folders, "_write", meeting)
    size = {"tiny": Size(2 * folders.AT_ONCE, 2_000)}
    assert (
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, sizes=size)).rows
        == 2 * folders.AT_ONCE
    )
