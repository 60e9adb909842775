"""Sizes of a data set of many files: a smaller one is the beginning of a larger one."""

import dataclasses
from pathlib import Path

import pytest
from image_folder import IMAGES, images, located
from study_data import catalogue, data, folders, nesting
from study_data.folders import Files
from studykit.errors import DataError
from studytest import fake_stores
from typer.testing import CliRunner

store = fake_stores.folder


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
