"""A data set of many small files, for tests: a table of labels, and the images that it names."""

import zlib

import numpy as np
from pyarrow import fs as arrow_fs
from study_data import stores
from study_data.dataset import Dataset, Located, Size
from study_data.folders import Files, FolderDataset
from studykit import storage
from studykit.storage import filesystems


def image(seed: int, number: int) -> bytes:
    """A PNG of 8 × 8 grey pixels: a small file of bytes that the store looks into no further."""
    pixels = np.random.default_rng([seed, number]).integers(0, 256, (8, 8), np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = b"\0\0\0\x08\0\0\0\x08\x08\0\0\0\0"
    parts = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    file = b"\x89PNG\r\n\x1a\n"
    for kind, content in parts.items():
        length, check = len(content), zlib.crc32(kind + content)
        file += length.to_bytes(4, "big") + kind + content + check.to_bytes(4, "big")
    return file


def images(rows: int, seed: int) -> Files:
    """A table of labels, in pieces as a large one would come, and the images that it names."""
    labels = (b"images/%06d.png,%d\n" % (number, number % 10) for number in range(rows))
    yield "labels.csv", (line for line in (b"name,label\n", *labels))
    for number in range(rows):
        yield f"images/{number:06}.png", image(seed, number)


IMAGES = FolderDataset(
    name="small-images",
    title="images of 8 × 8 pixels in ten classes",
    licence="Apache-2.0",
    source="image_folder.py",
    schema="PNG, and labels.csv: name,label",
    sizes={"tiny": Size(12, 2_000), "small": Size(40, 6_000)},
    make_files=images,
    prefixes=True,
)


def located(store: str, size: str = "tiny", seed: int = 0, dataset: Dataset = IMAGES) -> Located:
    return stores.locate(dataset, size, store, seed)


def everything(place: str) -> list[str]:
    """All files below a place, hidden ones too."""
    if not storage.exists(place):
        return []
    files, path = filesystems.filesystem(place)
    found = files.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    return sorted(info.path for info in found if info.is_file)


def change(uri: str) -> None:
    """Another byte in the middle of a file."""
    content = bytearray(storage.read_bytes(uri))
    content[len(content) // 2] ^= 1
    storage.write_bytes(uri, bytes(content))
