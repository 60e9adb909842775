"""Pictures in folders {train,test}/<class>/*.jpg or *.png.

The one idea: a store makes one wait for every small file, so many are fetched at once; those of a
disk are read one after the other. Classes are the names of the folders, in the order of the
alphabet, the same in both parts.
"""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from pyarrow import fs as arrow_fs
from studykit import storage
from studykit.errors import DataError
from studykit.storage import filesystems
from studykit.storage.ahead import in_turn
from studykit.storage.failures import retried

from hyperparameter_tuning.picture_parts import CHANNELS, SIDE, Pictures, Pixels

ENDINGS = (".jpg", ".jpeg", ".png")
PARTS = ("train", "test")
AT_ONCE = 24
"""As `study_data.folders` has it, for the same reason."""


def read(folder: str, sizes: Mapping[str, int]) -> dict[str, Pictures]:
    """{part: its pictures, by class and then by name}; `sizes` are the files below the folder."""
    files = {part: list(_of_part(folder, part, sizes)) for part in PARTS if _is_there(folder, part)}
    if not any(files.values()):
        raise DataError("no pictures: a folder has {train,test}/<class>/*.jpg or *.png", uri=folder)
    classes = sorted(
        {name for part in files.values() for name, _ in part}
        | {name for part in files for name in _folders(storage.join(folder, part))}
    )
    found = {}
    for part, named in files.items():
        labels = np.array([classes.index(name) for name, _ in named], np.int64)
        pixels = _pixels([file for _, file in named], storage.is_local(folder))
        found[part] = Pictures(pixels, labels, classes, part)
    return found


def _of_part(folder: str, part: str, sizes: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """(class, file) of each picture of a part, sorted."""
    base = storage.join(folder, part) + "/"
    for file in sorted(file for file in sizes if file.startswith(base)):
        path = file.removeprefix(base).split("/")
        if path[-1].startswith("_"):
            continue  # Markers of other systems.
        if not file.lower().endswith(ENDINGS):
            raise DataError(f"is no picture ({', '.join(ENDINGS)}), and lies among such", uri=file)
        if len(path) != 2:
            raise DataError(f"lies in no folder of a class: {part}/<class>/<picture>", uri=file)
        yield path[0], file


def _is_there(folder: str, part: str) -> bool:
    return storage.exists(storage.join(folder, part))


def _folders(uri: str) -> list[str]:
    """The folders in one: also those without a file, which S3 has not."""
    files, path = filesystems.filesystem(uri)
    found = retried(lambda: files.get_file_info(arrow_fs.FileSelector(path)), uri)
    return [info.base_name for info in found if not info.is_file and info.base_name[0] not in "._"]


def _pixels(files: Sequence[str], local: bool) -> Pixels:
    pixels = np.empty((len(files), SIDE, SIDE, CHANNELS), np.uint8)
    contents = (
        map(storage.read_bytes, files) if local else in_turn(files, storage.read_bytes, AT_ONCE)
    )
    for place, (file, content) in enumerate(zip(files, contents, strict=True)):
        pixels[place] = decoded(content, file)
    return pixels


def decoded(content: bytes, uri: str) -> Pixels:
    """uint8[32, 32, 3]; grey becomes grey of three colours. DataError where it cannot be read, is
    of another size, or its colours are not clear: transparent, or of more than 8 bits."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.size != (SIDE, SIDE):
                width, height = image.size
                reason = f"is of {width} × {height} pixels: pictures here have {SIDE} × {SIDE}"
                raise DataError(reason, uri=uri)
            return _colours(image, uri)
    except (
        OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        raise DataError("is no picture that can be read: PNG or JPEG, whole", uri=uri) from error


def _colours(image: Any, uri: str) -> Pixels:
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        raise DataError("has more than 8 bits a pixel: save it with 8", uri=uri)
    if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
        raise DataError("has transparent pixels: save it on a plain ground", uri=uri)
    return np.asarray(image.convert("RGB"), np.uint8)
