"""The lesions: the same bytes however they are made, sizes that begin with one another, a signal in
picture and table, and a look of each lesion by which it could be known again."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from study_data import keeping, lesion_images, nesting, stores
from study_data.dataset import Size
from studykit import storage

PICTURES = 600
SMALL_SIDES = (64, 48)


def made(pictures, seed=0, threads=1):
    """{file: its bytes}, of small pictures."""
    return {
        name: content if isinstance(content, bytes) else b"".join(content)
        for name, content in lesion_images.files(pictures, seed, threads=threads)
    }


def table(text):
    return list(csv.DictReader(io.StringIO(text.decode())))


def test_tiny_is_what_the_catalogue_expects(tmp_path):
    """Its bytes and hash, which making it compares; a second time it is found as it is."""
    dataset = lesion_images.DATASET
    size = dataset.sizes["tiny"]
    assert size.sha256 is not None
    found = stores.locate(dataset, "tiny", str(tmp_path))
    assert (found.rows, found.bytes, found.sha256) == (120, size.bytes, size.sha256)
    assert keeping.verify(dataset, "tiny", found.uri) == found
    images = storage.list_files(storage.join(found.uri, "images"))
    assert len(images) == 120
    rows = table(storage.read_bytes(storage.join(found.uri, "metadata.csv")))
    assert [row["image"] for row in rows] == [image.rpartition("/")[2] for image in images]


@pytest.mark.parametrize(
    ("name", "wanted"), [("data_1", 1.05e9), ("data_2", 2.16e9), ("data_3", 3.37e9)]
)
def test_sizes_are_those_of_the_paper(name, wanted):
    size = lesion_images.DATASET.sizes[name]
    assert size.bytes == pytest.approx(wanted, rel=0.01)
    assert size.sha256 is not None


@pytest.mark.parametrize("threads", [2, 5])
def test_bytes_do_not_depend_on_threads(threads):
    one, other = made(10), made(10, threads=threads)
    assert list(one) == list(other) == ["metadata.csv", *(f"images/{n:06}.jpg" for n in range(10))]
    assert one == other


def test_a_smaller_size_is_the_beginning_of_a_larger_one(tmp_path):
    """Also where it ends within a lesion."""
    places = lesion_images.places(12, 7)
    assert places[8][0] == places[7][0], "a lesion whose pictures are divided by the size 8"
    smaller, larger = made(8, seed=7), made(12, seed=7)
    assert len(larger) == 13
    assert larger["metadata.csv"].startswith(smaller["metadata.csv"])
    for name in list(smaller)[1:]:
        assert larger[name] == smaller[name]
    dataset = dataclasses.replace(
        lesion_images.DATASET,
        sizes={"few": Size(8, sum(map(len, smaller.values()))), "more": Size(12, 220_000)},
    )
    found = [stores.locate(dataset, size, str(tmp_path), 7) for size in ("few", "more")]
    nesting.check(dataset, found)


def test_another_seed_is_other_lesions():
    one, other = made(6), made(6, seed=1)
    assert list(one) == list(other)
    assert all(one[name] != other[name] for name in one)


def test_pictures_are_small_at_first_and_then_as_a_camera_has_them():
    first = lesion_images.SMALL
    lengths = []
    for lesion, number, _ in lesion_images.places(first + 2, 0)[first - 1 :]:
        content = lesion_images.picture(lesion_images.lesion(0, lesion), 0, number)
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            assert image.size == ((200, 150) if number < first else (1600, 1200))
        lengths.append(len(content))
    assert lengths[0] < 30_000
    assert lengths[1:] == pytest.approx([1e6, 1e6], rel=0.03)


@pytest.fixture(scope="module")
def known():
    """(columns of the table, mean colours of 8 × 6 parts of the picture, labels, lesions)."""
    numbers, colours, labels, lesions = [], [], [], []
    for lesion, picture, _ in lesion_images.places(PICTURES, 0):
        shown = lesion_images.lesion(0, lesion)
        pixels = Image.fromarray(lesion_images.drawing(shown, 0, picture, SMALL_SIDES))
        numbers.append([shown.age, shown.length_mm, shown.width_mm])
        colours.append(np.asarray(pixels.resize((8, 6), Image.Resampling.BOX)).ravel() / 255)
        labels.append(shown.malignant)
        lesions.append(lesion)
    return np.array(numbers), np.array(colours), np.array(labels), np.array(lesions)


def area(columns, labels, lesions):
    """The area under the curve of a regression that has not seen the lesions it is asked of."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    scores = cross_val_predict(
        model, columns, labels, groups=lesions, cv=GroupKFold(5), method="predict_proba"
    )
    return roc_auc_score(labels, scores[:, 1])


def test_table_and_picture_tell_something_and_neither_all(known):
    numbers, colours, labels, lesions = known
    by_table, by_picture = area(numbers, labels, lesions), area(colours, labels, lesions)
    assert 0.7 < by_table < 0.95
    assert 0.8 < by_picture < 0.99
    both = area(np.hstack([numbers, colours]), labels, lesions)
    assert both > max(by_table, by_picture) and both >= 0.9


def test_shuffled_labels_cannot_be_told(known):
    numbers, colours, labels, lesions = known
    of_lesion = dict(zip(lesions, labels, strict=True))
    names = np.array(list(of_lesion))
    shuffled = np.random.default_rng(1).permutation([of_lesion[name] for name in names])
    other = dict(zip(names, shuffled, strict=True))
    drawn = np.array([other[name] for name in lesions])
    assert area(np.hstack([numbers, colours]), drawn, lesions) == pytest.approx(0.5, abs=0.1)


def test_a_picture_is_nearest_to_another_of_its_lesion(known):
    """Which is what leaks where pictures are divided, not lesions."""
    _, colours, _, lesions = known
    apart = pairwise_distances(colours)
    np.fill_diagonal(apart, np.inf)
    counts = np.bincount(lesions)[lesions]
    repeated = counts > 1
    again = (lesions[apart.argmin(axis=1)] == lesions)[repeated].mean()
    by_chance = ((counts - 1) / (len(lesions) - 1))[repeated].mean()
    assert by_chance < 0.01
    assert again > 0.5


def test_lesions_have_one_to_five_pictures_that_lie_together_and_half_are_malignant():
    places = lesion_images.places(3000, 0)
    lesions = np.array([lesion for lesion, _, _ in places])
    assert (np.diff(lesions) >= 0).all() and set(np.diff(lesions)) == {0, 1}
    counts = np.bincount(np.bincount(lesions)[:-1], minlength=6)
    assert counts[0] == 0 and (counts[1:] > 120).all() and counts.sum() == lesions.max()
    malignant = np.mean([lesion_images.lesion(0, lesion).malignant for lesion in range(1000)])
    assert malignant == pytest.approx(0.5, abs=0.05)


def test_a_line_says_what_is_drawn():
    place = (17, 40, 1)
    shown = lesion_images.lesion(0, 17)
    names = lesion_images.HEADER.strip().split(",")
    row = dict(zip(names, lesion_images.row(0, place).strip().split(","), strict=True))
    assert row == {
        "lesion_id": "lesion_000017", "image": "000040.jpg", "malignant": str(int(shown.malignant)),
        "age": str(shown.age), "sex": shown.sex, "location": shown.location, "distance": "6in",
        "length_mm": str(shown.length_mm), "width_mm": str(shown.width_mm),
    }  # fmt: skip
    for lesion in range(300):
        one = lesion_images.lesion(0, lesion)
        assert 5 <= one.age <= 95 and 0 < one.width_mm <= one.length_mm <= 15
