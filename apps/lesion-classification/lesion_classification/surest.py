"""A sheet of the surest mistakes: wrong answers whose scores are farthest from the threshold."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont
from studykit import storage

from lesion_classification import metrics, pictures
from lesion_classification.layout import Labels, Lesions, uri_of

MOST = 40
COLUMNS = 8
SIDE, MARGIN = 224, 24
"""Pixels of the sheet, which is shown at half of its size, as charts are."""
CAPTION, TITLE = 92, 84
INK, FAINT = "black", "#555555"

Pixels = npt.NDArray[np.uint8]


class Mistake(NamedTuple):
    """Of an image: its number in the table, what is said of it."""

    row: int
    lesion: str
    malignant: bool
    score: float


def found(labels: Labels, scores: npt.NDArray[np.float64], lesions: Lesions) -> list[Mistake]:
    """All of them, the surest first; of equally sure ones the first of the table."""
    wrong = np.flatnonzero((scores > metrics.THRESHOLD) != labels)
    order = wrong[np.argsort(-np.abs(scores[wrong] - metrics.THRESHOLD), kind="stable")]
    return [
        Mistake(
            int(row),
            lesions.group_names[lesions.groups[row]],
            bool(labels[row]),
            float(scores[row]),
        )
        for row in order
    ]


def reader(lesions: Lesions) -> Callable[[int], Pixels]:
    """Gives an image's pixels as ResNet50 saw them: uint8[SIDE, SIDE, 3]."""

    def read(row: int) -> Pixels:
        uri = uri_of(lesions.folder, lesions.paths[row])
        return pictures.decode(storage.read_bytes(uri), uri, SIDE)

    return read


def title(mistakes: int, images: int) -> str:
    many = f"{mistakes:,} of {images:,} images are called what they are not"
    if mistakes <= 1:
        many = f"{('None', 'One')[mistakes]} of {images:,} images is called what it is not"
    return many if mistakes <= MOST else f"{many}: the {MOST} surest"


def caption(one: Mistake) -> tuple[str, str]:
    """What it is, and the score that says otherwise."""
    return ("malignant" if one.malignant else "benign"), f"score {one.score:.3f}"


def sheet(mistakes: Sequence[Mistake], images: int, read: Callable[[int], Pixels]) -> Image.Image:
    """At most MOST of the mistakes in so many images, with their lesion, label and score."""
    shown = mistakes[:MOST]
    lines, columns = math.ceil(len(shown) / COLUMNS), min(len(shown), COLUMNS)
    heading, font = title(len(mistakes), images), _font(30)
    width = max(columns * (SIDE + MARGIN) + MARGIN, math.ceil(font.getlength(heading)) + 2 * MARGIN)
    drawn = Image.new("RGB", (width, TITLE + lines * (SIDE + CAPTION) + MARGIN), "white")
    pen = ImageDraw.Draw(drawn)
    pen.text((MARGIN, 24), heading, INK, font)
    for number, one in enumerate(shown):
        line, column = divmod(number, COLUMNS)
        x, y = MARGIN + column * (SIDE + MARGIN), TITLE + line * (SIDE + CAPTION)
        drawn.paste(Image.fromarray(read(one.row)), (x, y))
        label, score = caption(one)
        pen.text((x, y + SIDE + 4), f"{label}, {score}", INK, _font(22))
        pen.text((x, y + SIDE + 34), _fitting(one.lesion, _font(19)), FAINT, _font(19))
    return drawn


def _fitting(text: str, font: FreeTypeFont) -> str:
    """As much of its end as there is room for: there names of one kind differ."""
    if font.getlength(text) <= SIDE:
        return text
    while text and font.getlength("…" + text) > SIDE:
        text = text[1:]
    return "…" + text


def _font(size: int) -> FreeTypeFont:
    """Pillow's own, so that a sheet looks the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, FreeTypeFont)
    return font
