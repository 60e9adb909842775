"""A sheet of the test pictures that were misread, each with what was read and what it is."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from digits_knn_cnn.layout import Labels, Pixels
from digits_knn_cnn.nearest import Places

MOST = 60
COLUMNS = 10
SIDE, MARGIN = 128, 32
"""Pixels of the sheet, which is shown at half of its size, as charts are. A digit is drawn SIDE
high and wide, whatever its resolution."""
CAPTION, TITLE = 76, 84
INK = "black"


def which(labels: Labels, predicted: Labels) -> Places:
    """int64[m]: the rows that were misread, ascending."""
    return np.flatnonzero(predicted != labels)


def title(misread: int, rows: int, by: str) -> str:
    """What the sheet shows; `by` the model."""
    many = f"{misread:,} of {rows:,} test pictures are misread by {by}"
    if misread <= 1:
        many = f"{('None', 'One')[misread]} of {rows:,} test pictures is misread by {by}"
    return many if misread <= MOST else f"{many}: the first {MOST}"


def caption(read: int, label: int) -> str:
    return f"read {read}, is {label}"


def sheet(
    pixels: Pixels, labels: Labels, predicted: Labels, places: Places, by: str
) -> Image.Image:
    """Of pixels [n, side²], labels, predictions and places in the test part [n]; at most MOST."""
    wrong = which(labels, predicted)
    shown = wrong[:MOST]
    lines = math.ceil(len(shown) / COLUMNS)
    heading, font = title(len(wrong), len(labels), by), _font(30)
    columns = min(len(shown), COLUMNS)
    width = max(columns * (SIDE + MARGIN) + MARGIN, math.ceil(font.getlength(heading)) + 2 * MARGIN)
    drawn = Image.new("L", (width, TITLE + lines * (SIDE + CAPTION) + MARGIN), "white")
    pen = ImageDraw.Draw(drawn)
    pen.text((MARGIN, 24), heading, INK, font)
    largest = max(float(pixels.max(initial=0)), 1.0)
    for number, row in enumerate(shown):
        line, column = divmod(number, COLUMNS)
        x, y = MARGIN + column * (SIDE + MARGIN), TITLE + line * (SIDE + CAPTION)
        drawn.paste(picture(pixels[row], largest), (x, y))
        pen.rectangle((x - 1, y - 1, x + SIDE, y + SIDE), outline="#999999")
        pen.text((x, y + SIDE + 4), caption(predicted[row], labels[row]), INK, _font(23))
        pen.text((x, y + SIDE + 33), f"row {places[row]}", "#555555", _font(19))
    return drawn


def picture(pixels: Pixels, largest: float) -> Image.Image:
    """One digit [side²], dark on white, `largest` black; its pixels stay squares."""
    side = math.isqrt(len(pixels))
    shades = 255 - np.round(pixels * (255 / largest)).astype(np.uint8)
    return Image.fromarray(shades.reshape(side, side)).resize(
        (SIDE, SIDE), Image.Resampling.NEAREST
    )


def _font(size: int) -> FreeTypeFont:
    """Pillow's own, so that a sheet looks the same on every machine."""
    font = ImageFont.load_default(size)
    assert isinstance(font, FreeTypeFont)
    return font
