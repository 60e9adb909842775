"""Cut a CSV with a header into two halves of as many rows, each with the header.

    first, second = halves.split("large_data.csv", "large_data")

makes large_data/half1.csv and large_data/half2.csv. The one idea: the halves are byte ranges, so
it is enough to count lines until half of them are passed, and the rest is copying.
"""

from collections.abc import Iterator
from typing import BinaryIO

from studykit import storage
from studykit.errors import DataError
from studykit.text import lines

BLOCK_BYTES = 1 << 24


def split(uri: str, folder: str) -> tuple[str, str]:
    """The URIs of both halves; of an odd number of rows the first has one more.

    DataError where there are fewer than two rows or what is there is no plain text, StorageError
    where the file is missing.
    """
    by = storage.compression(uri)
    if by is not None:
        raise DataError(f"is compressed by {by}: inflate it first", uri=storage.absolute(uri))
    lines.head(uri)  # Refuses what is no text.
    header, rows = _count(uri)
    if rows < 2:
        raise DataError(f"{rows} rows: two halves need two or more", uri=storage.absolute(uri))
    cut = _position(uri, 1 + (rows + 1) // 2)
    found = (storage.join(folder, "half1.csv"), storage.join(folder, "half2.csv"))
    with storage.open_input(uri) as file:
        for target, head, start, stop in (
            (found[0], b"", 0, cut),
            (found[1], header, cut, storage.size(uri)),
        ):
            file.seek(start)
            with storage.write_atomic(target) as half:
                half.write(head)
                for block in _blocks(file, stop - start):
                    half.write(block)
    return found


def _count(uri: str) -> tuple[bytes, int]:
    """The header with its line end, and the rows below it."""
    ends, last, header = 0, b"\n", b""
    with storage.open_input(uri) as file:
        for block in _blocks(file, storage.size(uri)):
            if ends == 0:
                header += block[: block.find(b"\n") + 1] if b"\n" in block else block
            ends += block.count(b"\n")
            last = block[-1:]
    return header, ends + (last != b"\n") - 1


def _position(uri: str, count: int) -> int:
    """The first byte behind so many lines."""
    position = 0
    with storage.open_input(uri) as file:
        for block in _blocks(file, storage.size(uri)):
            inside = block.count(b"\n")
            if inside >= count:
                start = 0
                for _ in range(count):
                    start = block.index(b"\n", start) + 1
                return position + start
            count -= inside
            position += len(block)
    return position


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
        length -= len(block)
        yield block
