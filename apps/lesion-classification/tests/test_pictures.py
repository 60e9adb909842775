"""A picture becomes the square that torchvision would make of it, or is said to be none."""

import io
import zlib

import numpy as np
import pytest
from lesion_classification import pictures
from pictures_made import pixels, real_lesions
from PIL import Image, features
from study_data import lesion_images
from studykit.errors import DataError
from torchvision.transforms import InterpolationMode, v2

ON_AVERAGE, AT_MOST = pictures.TOLERANCE


def stored(image, kind="JPEG", **asked):
    written = io.BytesIO()
    image.save(written, kind, **asked)
    return written.getvalue()


def whole(content, side=224):
    """As the paper has it: decoded whole, and reduced by torchvision."""
    with Image.open(io.BytesIO(content)) as image:
        squash = v2.Resize((side, side), InterpolationMode.BILINEAR, antialias=True)
        return np.asarray(squash(image.convert("RGB")))


def distance(one, other):
    apart = np.abs(one.astype(int) - other.astype(int))
    return apart.mean(), apart.max()


def enlarged(image, sides):
    return Image.fromarray(image).resize(sides, Image.Resampling.BICUBIC)


SIDES = [(224, 224), (200, 150), (895, 700), (600, 1200), (33, 500)]


@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_that_are_not_scaled_are_to_the_bit_what_torchvision_makes_of_them(sides, kind):
    content = stored(enlarged(pixels(1)[0], sides), kind)
    found = pictures.decode(content, "x")
    assert found.shape == (224, 224, 3) and found.dtype == np.uint8
    np.testing.assert_array_equal(found, whole(content))


def test_of_a_large_png_nothing_is_lost():
    content = stored(enlarged(pixels(1)[0], (2000, 1500)), "PNG")
    np.testing.assert_array_equal(pictures.decode(content, "x"), whole(content))


def made():
    """Of the generator, of their full size."""
    for lesion, number, _ in lesion_images.places(lesion_images.SMALL + 3, 0)[-3:]:
        yield lesion_images.picture(lesion_images.lesion(0, lesion), 0, number)


def noise():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (1200, 1600, 3), dtype=np.uint8)
    yield stored(Image.fromarray(image), quality=92)


def of_sides():
    for sides in ((900, 900), (1600, 1200), (3000, 2250), (4001, 1801), (1200, 3000)):
        yield stored(enlarged(pixels(2)[1], sides), quality=92)


@pytest.mark.parametrize("content", [made, noise, of_sides], ids=lambda kind: kind.__name__)
def test_scaling_while_decoding_stays_within_the_tolerance(content):
    lost = []
    for one in content():
        found = distance(pictures.decode(one, "x"), whole(one))
        assert found[0] <= ON_AVERAGE and found[1] <= AT_MOST
        lost.append(found[0])
    assert max(lost) > 0, "no picture was scaled while it was decoded: nothing was tested"


def test_an_edge_that_is_no_whole_pixel_when_scaled_stays_where_it_is():
    """A quarter of 2250 is 562.5 pixels, of which the decoder makes 563: nothing may be moved."""
    image = np.zeros((2250, 3000, 3), np.uint8)
    image[1125:] = 255
    content = stored(Image.fromarray(image), quality=95)
    found, right = pictures.decode(content, "x"), whole(content)
    assert distance(found[100:124], right[100:124])[1] <= AT_MOST
    assert right[111].mean() < 100 < 150 < right[112].mean()


def test_real_pictures_too():
    for path in sorted((real_lesions() / "images").iterdir())[::6]:
        content = path.read_bytes()
        np.testing.assert_array_equal(pictures.decode(content, str(path)), whole(content))
        with Image.open(path) as image:
            large = image.convert("RGB").resize((3000, 2250), Image.Resampling.BICUBIC)
        content = stored(large, quality=92)
        average, most = distance(pictures.decode(content, str(path)), whole(content))
        assert 0 < average <= ON_AVERAGE and most <= AT_MOST


def test_another_side_is_another_square():
    content = next(made())
    found = pictures.decode(content, "x", side=32)
    assert found.shape == (32, 32, 3)
    assert distance(found, whole(content, 32))[0] <= ON_AVERAGE


MODES = {"L": "JPEG", "CMYK": "JPEG", "P": "PNG", "RGBA": "PNG", "1": "PNG", "LA": "PNG"}


@pytest.mark.parametrize("mode", MODES)
def test_every_kind_of_colour_becomes_three(mode):
    content = stored(Image.fromarray(pixels(1)[0]).convert(mode), MODES[mode])
    np.testing.assert_array_equal(pictures.decode(content, "x"), whole(content))


GOOD = stored(Image.fromarray(pixels(1)[0]))
PNG = stored(Image.fromarray(pixels(1)[0]), "PNG")
BROKEN = {
    "empty": (b"", "this picture is empty"),
    "text": (b"not found\n", r"this is no picture \(JPEG or PNG\)"),
    "a web page": (b"<!doctype html><html></html>", "this is no picture"),
    "another kind": (stored(Image.fromarray(pixels(1)[0]), "GIF"), "this is no picture"),
    "noise": (bytes(range(256)) * 8, "this is no picture"),
    "a PNG cut short": (PNG[: len(PNG) // 2], "this picture is cut short"),
    "a PNG that is damaged": (PNG[:60] + b"\0" * 40 + PNG[100:], "this picture"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_picture_is_named(name):
    content, said = BROKEN[name]
    with pytest.raises(DataError, match=said) as caught:
        pictures.decode(content, "s3://bucket/a.jpg")
    assert caught.value.uri == "s3://bucket/a.jpg"


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("content", [GOOD, next(made())], ids=["small", "scaled"])
def test_one_cut_short_is_named_wherever_it_ends(content, share):
    with pytest.raises(DataError, match=r"cut short|is no picture|cannot be read"):
        pictures.decode(content[: int(share * len(content))], "x")


def test_one_too_large_to_be_one_is_refused():
    """A few bytes that claim to be a gigapixel."""
    header = PNG[:16] + (1 << 16).to_bytes(4, "big") + (1 << 15).to_bytes(4, "big")
    check = zlib.crc32(header[12:] + PNG[24:29]).to_bytes(4, "big")
    with pytest.raises(DataError, match="this picture is too large"):
        pictures.decode(header + PNG[24:29] + check + PNG[33:], "x")


def test_the_decoder_is_the_one_whose_scaling_was_measured():
    assert features.check_feature("libjpeg_turbo")
