"""A picture's file to the pixels that ResNet50 looks at.

As the paper has it, a picture is squashed to a square, whatever its shape. The one idea: a JPEG is
decoded at an eighth, a quarter or half of its size for a fraction of the time (Pillow's `draft`),
and what is reduced anyway loses little by it: see `TOLERANCE`. Pictures of 1600 × 1200 pixels are
decoded at half, of 3000 × 2250 at a quarter, those below 896 × 896 whole. Nothing turns a picture
that its camera says to turn: the paper does not either.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from studykit.errors import DataError

SIDE = 224
"""Pixels of a side of what ResNet50 was trained on."""
SPARE = 2
"""How much larger than wanted a picture stays before it is reduced."""
TOLERANCE = 1.0, 8
"""What may be lost by it: how far a pixel is from what the whole picture is reduced to, of 255, on
average and at most. Measured of sides from 900 to 6000: 0.38 and 4 of pictures of lesions, 0.98 and
6 of nothing but noise. Hard stripes of black and white, which no skin has, lose 2.4 and 20."""
KINDS = ("JPEG", "PNG")


def decode(
    data: bytes, name: str, side: int = SIDE, *, spare: int = SPARE
) -> npt.NDArray[np.uint8]:
    """uint8[side, side, 3]. DataError, with the name, where it is no picture, or one cut short."""
    try:
        with Image.open(io.BytesIO(data), formats=KINDS) as picture:
            scaled = picture.draft("RGB", (spare * side, spare * side))
            whole = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(_reason(data, error), uri=name) from None
    # A side of 2250 pixels at a quarter is 563, of which the picture fills 562.5.
    box = scaled[1] if scaled else None
    squashed = whole.resize((side, side), Image.Resampling.BILINEAR, box)
    return np.asarray(squashed)


def _reason(data: bytes, error: Exception) -> str:
    if not data:
        return "this picture is empty"
    if isinstance(error, Image.DecompressionBombError):
        return f"this picture is too large: {error}"
    if "truncated" in str(error) or "broken data stream" in str(error):
        return "this picture is cut short"
    if isinstance(error, UnidentifiedImageError):
        return f"this is no picture ({' or '.join(KINDS)})"
    return f"this picture cannot be read: {error}"
