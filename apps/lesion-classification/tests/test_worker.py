"""A worker: the same features whatever its threads, broken images named, few images at once."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from lesion_classification import decoding, parts, resnet
from lesion_classification.inference import Extractor
from lesion_classification.worker import Job, Worker
from pictures_made import decode, pixels, write
from studykit import storage
from studykit.errors import DataError, StorageError
from studytest import fake_stores

store = fake_stores.folder

COUNT = parts.PART + 11
SEED = 3


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    paths = write(folder, pixels(COUNT, seed=8, side=160))
    return folder, paths


@pytest.fixture(scope="module")
def right(images):
    """Image after image decoded, eight at a time computed, with no thread beside."""
    folder, paths = images
    extract = Extractor(resnet.load("random", SEED), "auto", "cpu")
    decoded = np.stack([decode((folder / path).read_bytes(), path) for path in paths])
    return np.concatenate([extract(decoded[start : start + 8]) for start in range(0, COUNT, 8)])


def job(folder, paths, **more):
    return Job(str(folder), paths, decode, weights="random", seed=SEED, device="cpu", **more)


def computed(given, numbers):
    worker = Worker(given)
    try:
        return list(worker.features_of(numbers))
    finally:
        worker.close()


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_have_the_same_features_whatever_the_threads(images, right, threads):
    folder, paths = images
    found = computed(job(folder, paths, threads=threads), [1, 0])
    assert [part.number for part in found] == [1, 0]
    for part in found:
        assert list(part.numbers) == list(parts.ranges(COUNT)[part.number])
        np.testing.assert_array_equal(part.features, right[list(part.numbers)])
        assert part.bytes_read == sum((folder / paths[n]).stat().st_size for n in part.numbers)
        assert part.inference_seconds > 0
        assert part.decode_seconds > 0


@pytest.fixture
def damaged(images, tmp_path):
    """Image 3 is half, image 5 is text, image 9 is missing, and the last part is all text."""
    folder, paths = images
    for number, path in enumerate(paths):
        content = (folder / path).read_bytes()
        if number == 3:
            content = content[: len(content) // 2]
        if number == 5 or number >= parts.PART:
            content = b"a web page"
        if number != 9:
            storage.write_bytes(str(tmp_path / path), content)
    return tmp_path, paths


def test_broken_images_are_left_out_and_named(damaged, right):
    folder, paths = damaged
    first, last = computed(job(folder, paths, skip_broken=True), [0, 1])
    whole = [number for number in range(parts.PART) if number not in (3, 5, 9)]
    assert list(first.numbers) == whole
    np.testing.assert_array_equal(first.features, right[whole])
    assert [(one.number, one.path, one.reason) for one in first.broken] == [
        (3, paths[3], "is no image"),
        (5, paths[5], "is no image"),
        (9, paths[9], "this image is missing"),
    ]
    assert last.features.shape == (0, 2048)
    assert len(last.broken) == 11


@pytest.mark.parametrize("mended,named,said", [((), 3, "no image"), ((3, 5), 9, "is missing")])
def test_the_first_broken_image_ends_the_work(images, damaged, mended, named, said):
    folder, paths = damaged
    for number in mended:
        content = (images[0] / paths[number]).read_bytes()
        (folder / paths[number]).write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        computed(job(folder, paths, threads=2), [0])
    assert caught.value.uri == str(folder / paths[named])


def test_a_store_that_fails_is_no_broken_image(images, monkeypatch):
    def fail(uri):
        raise StorageError("permission denied", uri=uri)

    monkeypatch.setattr(storage, "read_bytes", fail)
    with pytest.raises(StorageError, match="permission denied"):
        computed(job(*images, skip_broken=True), [0])


def test_images_come_from_every_store(store, images, right):
    folder, paths = images
    for path in paths:
        storage.write_bytes(storage.join(store, path), (folder / path).read_bytes())
    found = computed(job(store, paths), [1])[0]
    np.testing.assert_array_equal(found.features, right[parts.PART :])


def test_a_path_may_be_a_uri_of_its_own(images, right):
    folder, paths = images
    absolute = [str(folder / path) for path in paths]
    found = computed(job("/nowhere", absolute), [1])[0]
    np.testing.assert_array_equal(found.features, right[parts.PART :])


def test_a_worker_goes_on_after_a_caller_that_stopped_early(images, right):
    worker = Worker(job(*images, threads=2))
    first = worker.features_of([0, 1])
    next(first)
    first.close()
    found = next(worker.features_of([1]))
    worker.close()
    np.testing.assert_array_equal(found.features, right[parts.PART :])


@pytest.mark.parametrize("threads", [1, 3])
def test_few_images_are_in_memory_however_many_there_are(monkeypatch, threads):
    held, most, lock = 0, 0, threading.Lock()

    def fetch(uri):
        nonlocal held, most
        with lock:
            held += 1
            most = max(most, held)
        return uri.encode()

    monkeypatch.setattr(storage, "read_bytes", fetch)
    pipeline = decoding.Pipeline(
        "/data",
        [f"{number}.jpg" for number in range(4000)],
        lambda content, name: np.zeros((1, 1, 3), np.uint8),
        threads,
        lambda batch: batch.numbers,
        lambda: None,
        skip_broken=False,
    )
    found: list[int] = []
    for numbers in pipeline.over([range(start, start + 8) for start in range(0, 4000, 8)]):
        found += numbers
        with lock:
            held -= len(numbers)
    pipeline.close()
    assert found == list(range(4000))
    assert most <= 8 * (threads + 3)


def test_threads_that_compute_compute_alone(images, monkeypatch):
    seen = set()

    def look(self, batch):
        seen.add((threading.current_thread().name, torch.get_num_threads()))
        return np.zeros((len(batch), 2048), np.float32)

    monkeypatch.setattr(Extractor, "__call__", look)
    before = torch.get_num_threads()
    computed(replace(job(*images), threads=2), [0, 1])
    assert {threads for _, threads in seen} == {1}
    assert threading.current_thread().name not in {name for name, _ in seen}
    assert torch.get_num_threads() == before
