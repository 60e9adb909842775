"""Reading a folder of pictures, PNG or JPEG, in a folder for each label: 0/….png … 9/….png.

The one idea: a store makes one wait for every small file, so a split is many pictures, which are
fetched several at once. All pictures together are one table, in the order of their paths.
"""

import io
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from studykit import storage
from studykit.errors import DataError
from studykit.storage import Split
from studykit.storage.ahead import in_turn

from digits_knn_cnn.layout import Labels, Pixels

ENDINGS = (".png", ".jpg", ".jpeg")
AT_ONCE = 24
"""As `study_data.folders` has it, for the same reason."""
_LABEL = re.compile("[0-9]")


@dataclass(frozen=True)
class Pictures(Split):
    """Some pictures of a folder, `uri`; before them there are `first` others."""

    files: tuple[str, ...] = ()
    first: int = 0


def is_picture(uri: str) -> bool:
    return uri.lower().endswith(ENDINGS)


def splits(sizes: Mapping[str, int], size: int) -> Iterator[Pictures]:
    """{picture: its bytes} → splits of about `size` bytes, and of one picture at least."""
    folder = _folder_of(next(iter(sizes)))
    for file in sizes:
        if not is_picture(file):
            raise DataError("is no picture (.png, .jpg, .jpeg), and lies among such", uri=file)
        if not _LABEL.fullmatch(_label_of(file)) or _folder_of(file) != folder:
            raise DataError(
                f"lies in a folder {_label_of(file)!r}: pictures lie in one named after their"
                f" label, {folder}/0 … {folder}/9",
                uri=file,
            )
    total, start, stop, first = sum(sizes.values()), 0, 0, 0
    files: list[str] = []
    for file, length in sizes.items():
        if files and stop - start + length > size:
            yield Pictures(folder, start, stop, total, "", files=tuple(files), first=first)
            start, first, files = stop, first + len(files), []
        files.append(file)
        stop += length
    yield Pictures(folder, start, stop, total, "", files=tuple(files), first=first)


def _label_of(file: str) -> str:
    return file.rsplit("/", 2)[-2]


def _folder_of(file: str) -> str:
    return file.rsplit("/", 2)[0]


def read(split: Pictures, side: int) -> tuple[Pixels, Labels]:
    """Grey pixels uint8[n, side²], 0 … 255, and labels uint8[n]."""
    local = storage.is_local(split.uri)
    contents = (
        map(storage.read_bytes, split.files)
        if local
        else in_turn(split.files, storage.read_bytes, AT_ONCE)
    )
    pixels = np.empty((len(split.files), side * side), np.uint8)
    for place, (file, content) in enumerate(zip(split.files, contents, strict=True)):
        pixels[place] = decoded(content, file, side)
    return pixels, np.array([int(_label_of(file)) for file in split.files], np.uint8)


def decoded(content: bytes, uri: str, side: int) -> Pixels:
    """The grey pixels of one picture, uint8[side²]. DataError where it cannot be read, or where
    its grey is not clear: transparent, or of more than 8 bits."""
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            grey = _grey(ImageOps.exif_transpose(image), uri)
    except (
        OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        raise DataError("is no picture that can be read: PNG or JPEG, whole", uri=uri) from error
    if grey.size != (side, side):
        grey = grey.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(grey, np.uint8).reshape(-1)


def _grey(image: Any, uri: str) -> Any:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise DataError("has more than 8 bits a pixel: save it with 8", uri=uri)
    if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
        raise DataError("has transparent pixels: save it on a plain ground", uri=uri)
    return image.convert("L")
