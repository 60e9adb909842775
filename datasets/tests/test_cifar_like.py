"""The striped pictures: the same bytes however they are made, sizes that begin with one another, a
signal that neither single pixels nor a mean colour have."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from study_data import cifar_like, keeping, nesting, stores

TRAIN, TEST = cifar_like.BATCHES[:5], cifar_like.BATCHES[5:]


def made(rows, seed=0, threads=1):
    """{file: its bytes}."""
    return {
        name: content if isinstance(content, bytes) else b"".join(content)
        for name, content in cifar_like.files(rows, seed, threads=threads)
    }


def pictures(files, names):
    """(pixels [n, 3, 32, 32], labels [n]) as CIFAR-10's description says that they lie."""
    rows = np.frombuffer(b"".join(files[name] for name in names), np.uint8).reshape(-1, 3073)
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


def test_tiny_is_what_the_catalogue_expects_and_the_next_begins_with_it(tmp_path):
    dataset = cifar_like.DATASET
    found = [stores.locate(dataset, size, str(tmp_path)) for size in ("tiny", "5k")]
    for size, located in zip(("tiny", "5k"), found, strict=True):
        assert located.sha256 == dataset.sizes[size].sha256 is not None
        assert keeping.verify(dataset, size, located.uri) == located
    nesting.check(dataset, found)


@pytest.mark.parametrize("size", cifar_like.DATASET.sizes)
def test_a_size_has_the_bytes_of_its_rows(size):
    known = cifar_like.DATASET.sizes[size]
    names = sum(len(name) + 1 for name in cifar_like.CLASSES)
    assert known.rows % (6 * 10) == 0 and known.sha256 is not None
    assert known.bytes == 3073 * known.rows + names


@pytest.mark.parametrize("threads", [2, 5])
def test_bytes_do_not_depend_on_threads_or_chunks(threads, monkeypatch):
    one = made(300)
    monkeypatch.setattr(cifar_like, "CHUNK_ROWS", 7)
    assert made(300, threads=threads) == one
    assert list(one) == ["batches.meta.txt", *TRAIN, *TEST]


def test_another_seed_is_other_pictures_and_no_picture_comes_twice():
    one, other = (made(300, seed) for seed in (0, 1))
    rows = [
        files[name][3073 * row + 1 : 3073 * (row + 1)]
        for files in (one, other)
        for name in cifar_like.BATCHES
        for row in range(50)
    ]
    assert len(set(rows)) == 600


def test_every_ten_rows_have_every_class_once():
    labels = pictures(made(1200), cifar_like.BATCHES)[1].reshape(-1, 10)
    np.testing.assert_array_equal(np.sort(labels), np.tile(np.arange(10), (120, 1)))
    assert len({tuple(ten) for ten in labels.tolist()}) > 100


@pytest.fixture(scope="module")
def parts():
    files = made(2400)
    return pictures(files, TRAIN), pictures(files, TEST)


def test_neither_mean_colours_nor_single_pixels_tell_the_class(parts):
    (train, labels), (test, right) = parts
    colours = [part.mean(axis=(2, 3)) / 255 for part in (train, test)]
    by_colour = LogisticRegression(max_iter=500).fit(colours[0], labels).score(colours[1], right)
    assert by_colour < 0.2
    grey = [part.mean(axis=1).reshape(len(part), -1) / 255 for part in (train, test)]
    by_pixel = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5).fit(grey[0], labels)
    assert by_pixel.score(grey[1], right) < 0.45


def test_stripes_tell_the_class_wherever_they_are(parts):
    """By how strong each frequency is, which does not know where; not of all, for some are hard."""

    def spectrum(pixels):
        grey = pixels.mean(axis=1)
        grey = grey - grey.mean(axis=(1, 2), keepdims=True)
        return np.log1p(np.abs(np.fft.rfft2(grey))).reshape(len(pixels), -1)

    (train, labels), (test, right) = parts
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5).fit(spectrum(train), labels)
    assert 0.85 < model.score(spectrum(test), right) < 1
    shuffled = np.random.default_rng(1).permutation(labels)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5).fit(spectrum(train), shuffled)
    assert model.score(spectrum(test), right) < 0.2


def test_a_wave_is_the_straight_line_between_its_ends():
    found = cifar_like._wave(np.array([0, 0.25, 0.5, 0.75, 1, 1.25, -0.25], np.float32))
    np.testing.assert_array_equal(found, np.array([-1, 0, 1, 0, -1, 0, 0], np.float32))
