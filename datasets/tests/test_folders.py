"""Data sets of many files: whole or missing, verified by file, nested, copied, on any store."""

import csv
import dataclasses
import hashlib
import io
import json
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import fs as arrow_fs
from pyarrow import parquet
from rich.progress import Progress
from study_data import catalogue, copying, data, folders, keeping, nesting, stores
from study_data.dataset import Blocks, Dataset, Located, Size
from study_data.folders import Content, Files, FolderDataset
from studykit import storage
from studykit.errors import DataError, StorageError, UsageError
from studykit.options import Options
from studykit.storage import filesystems
from studykit.storage.folders import find
from studytest import fake_stores
from typer.testing import CliRunner


def image(seed: int, number: int) -> bytes:
    """A PNG of 8 × 8 grey pixels: a small file of bytes that the store looks into no further."""
    pixels = np.random.default_rng([seed, number]).integers(0, 256, (8, 8), np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = b"\0\0\0\x08\0\0\0\x08\x08\0\0\0\0"
    parts = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    file = b"\x89PNG\r\n\x1a\n"
    for kind, content in parts.items():
        length, check = len(content), zlib.crc32(kind + content)
        file += length.to_bytes(4, "big") + kind + content + check.to_bytes(4, "big")
    return file


def images(rows: int, seed: int) -> Files:
    """A table of labels, in pieces as a large one would come, and the images that it names."""
    labels = (b"images/%06d.png,%d\n" % (number, number % 10) for number in range(rows))
    yield "labels.csv", (line for line in (b"name,label\n", *labels))
    for number in range(rows):
        yield f"images/{number:06}.png", image(seed, number)


IMAGES = FolderDataset(
    name="small-images",
    title="images of 8 × 8 pixels in ten classes",
    licence="Apache-2.0",
    source="test_folders.py",
    schema="PNG, and labels.csv: name,label",
    sizes={"tiny": Size(12, 2_000), "small": Size(40, 6_000)},
    make_files=images,
    prefixes=True,
)

store = fake_stores.folder


def located(store: str, size: str = "tiny", seed: int = 0, dataset: Dataset = IMAGES) -> Located:
    return stores.locate(dataset, size, store, seed)


def everything(place: str) -> list[str]:
    """All files below a place, hidden ones too."""
    if not storage.exists(place):
        return []
    files, path = filesystems.filesystem(place)
    found = files.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    return sorted(info.path for info in found if info.is_file)


def change(uri: str) -> None:
    """Another byte in the middle of a file."""
    content = bytearray(storage.read_bytes(uri))
    content[len(content) // 2] ^= 1
    storage.write_bytes(uri, bytes(content))


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


def test_a_smaller_size_is_the_beginning_of_a_larger_one(store: str) -> None:
    sizes = [located(store, size) for size in IMAGES.sizes]
    nesting.check(IMAGES, sizes)
    smaller, larger = (folders.entries(one.uri, one.sha256) for one in sizes)
    assert smaller[1:] == larger[1 : len(smaller)]
    assert smaller[0].name == larger[0].name and smaller[0].bytes < larger[0].bytes


@pytest.mark.parametrize("name", ["labels.csv", "images/000003.png", "images/000099.png"])
def test_a_size_that_is_no_beginning_is_named(store: str, name: str) -> None:
    def others(rows: int, seed: int) -> Files:
        for place, (file, content) in enumerate(images(rows, seed)):
            if name == "images/000099.png" and place == 4:
                yield name, b"another"
            else:
                yield file, bytes(10_000) if file == name else content

    smaller = located(store)
    larger = located(store, "small", dataset=dataclasses.replace(IMAGES, make_files=others))
    with pytest.raises(DataError, match="does not begin with") as caught:
        nesting.check(IMAGES, [larger, smaller])
    assert caught.value.uri == f"{larger.uri}/{name}"


def test_a_copy_on_another_store_is_a_data_set(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(tmp_path / "here")
    moved: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda bar, task, count: moved.append(count))
    for source, target in ((here, store), (store, f"{tmp_path}/again")):
        made = located(source)
        moved.clear()
        copies = copying.copy(made.uri, stores.uri_of(IMAGES, "tiny", target))
        assert len(copies) == 15
        assert copies[0].endswith("/tiny.json") and copies[-1].endswith("/_manifest.csv")
        assert sum(moved) == 2 * sum(map(storage.size, copies))
        copied = located(target, dataset=dataclasses.replace(IMAGES, make_files=None))
        assert dataclasses.replace(copied, uri=made.uri) == made
        assert keeping.verify(IMAGES, "tiny", copied.uri) == copied


def test_a_copy_that_ends_early_is_no_data_set(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one that was whole before and is written over."""
    made, target = located(str(tmp_path / "here"), seed=7), stores.uri_of(IMAGES, "tiny", store, 7)
    located(store, seed=7)
    written = storage.write_atomic

    def failing(uri: str) -> Any:
        if uri.endswith("000009.png"):
            raise StorageError("no more", uri=uri)
        return written(uri)

    monkeypatch.setattr(storage, "write_atomic", failing)
    with pytest.raises(StorageError, match=r"000009\.png: no more"):
        copying.copy(made.uri, target)
    assert keeping.present(IMAGES, store) == []
    monkeypatch.undo()


def test_a_whole_store_is_copied(store: str, tmp_path: Path) -> None:
    made = [located(store, size) for size in IMAGES.sizes]
    copying.copy(store, f"{tmp_path}/copy")
    for size, one in zip(IMAGES.sizes, made, strict=True):
        uri = stores.uri_of(IMAGES, size, f"{tmp_path}/copy")
        assert keeping.verify(IMAGES, size, uri) == dataclasses.replace(one, uri=uri)


def test_the_users_own_folder_counts_with_what_is_below(store: str) -> None:
    for name in ("labels.csv", "cats/1.png", "cats/deep/2.png", "_SUCCESS", ".cache/a"):
        storage.write_bytes(storage.join(store, "own", name), b"12345")
    own = storage.join(store, "own")
    assert stores.input_of(Options(data=own), IMAGES).bytes == 15
    assert stores.input_of(Options(data=own), _one_file(".csv", b"")).bytes == 15
    assert stores.input_of(Options(data=f"{own}/cats/1.png"), IMAGES).bytes == 5
    found = stores.input_of(Options(size="tiny", store=store), IMAGES)
    assert (found.name, found.rows, found.uri) == ("small-images", 12, f"{store}/small-images/tiny")


@pytest.mark.parametrize("name", ["../up.png", "/a", ".hidden", "a/_b", "a//b", "ä.png", "a,b", ""])
def test_a_name_that_not_every_store_takes_is_refused(tmp_path: Path, name: str) -> None:
    def wrong(rows: int, seed: int) -> Files:
        yield name, b"1"

    with pytest.raises(ValueError, match="no name of a file"):
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, make_files=wrong))
    assert everything(str(tmp_path)) == []


def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    def twice(rows: int, seed: int) -> Files:
        yield from [("a.png", b"1"), ("a.png", b"2")]

    with pytest.raises(ValueError, match="same name"):
        located(str(tmp_path), dataset=dataclasses.replace(IMAGES, make_files=twice))


def _one_file(ending: str, content: bytes) -> Dataset:
    def blocks(rows: int, seed: int) -> Blocks:
        yield memoryview(content)

    described = (IMAGES.title, IMAGES.licence, IMAGES.source, IMAGES.schema, IMAGES.sizes)
    return Dataset("table", *described, make=blocks, ending=ending, prefixes=True)


def _parquet() -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table({"x": [1.0, 2.0]}), sink)
    return sink.getvalue()


def _npz() -> bytes:
    sink = io.BytesIO()
    np.savez(sink, images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("ending", "content"), [(".parquet", _parquet()), (".npz", _npz()), (".xlsx", b"PK\3\4")]
)
def test_a_file_of_any_format_keeps_its_ending(store: str, ending: str, content: bytes) -> None:
    dataset = _one_file(ending, content)
    found = located(store, dataset=dataset)
    assert found.uri == storage.join(store, f"table/tiny{ending}")
    assert storage.read_bytes(found.uri) == content
    assert keeping.verify(dataset, "tiny", found.uri) == found
    assert keeping.present(dataset, store) == [("tiny", 0)]
    assert keeping.remove(dataset, "tiny", found.uri)
    assert everything(store) == []


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


def test_verify_says_where_sizes_are_no_beginnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backwards(rows: int, seed: int) -> Files:
        yield from reversed(list(images(rows, seed)))

    located(str(tmp_path))
    located(str(tmp_path), "small", dataset=dataclasses.replace(IMAGES, make_files=backwards))
    monkeypatch.setitem(catalogue.DATASETS, IMAGES.name, IMAGES)
    verified = CliRunner().invoke(data.app, ["verify", "--store", str(tmp_path)])
    assert verified.exit_code == 2
    assert "does not begin with labels.csv" in verified.stderr


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
