"""Cut a CSV with a header into two halves of as many rows, each with the header.

    first, second = halves.split("large_data.csv", "large_data")

makes large_data/half1.csv and large_data/half2.csv. The one idea: the halves are byte ranges, so
it is enough to count lines until half of them are passed, and the rest is copying.
"""

from collections.abc import Iterator
from typing import BinaryIO

from studykit import storage
from studykit.errors import DataError

BLOCK_BYTES = 1 << 24


def split(uri: str, folder: str) -> tuple[str, str]:
    """The URIs of both halves; of an odd number of rows the first has one more.

    DataError where there are fewer than two rows, StorageError where the file is missing.
    """
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
    lines, last, header = 0, b"\n", b""
    with storage.open_input(uri) as file:
        for block in _blocks(file, storage.size(uri)):
            if lines == 0:
                header += block[: block.find(b"\n") + 1] if b"\n" in block else block
            lines += block.count(b"\n")
            last = block[-1:]
    return header, lines + (last != b"\n") - 1


def _position(uri: str, lines: int) -> int:
    """The first byte behind so many lines."""
    position = 0
    with storage.open_input(uri) as file:
        for block in _blocks(file, storage.size(uri)):
            inside = block.count(b"\n")
            if inside >= lines:
                start = 0
                for _ in range(lines):
                    start = block.index(b"\n", start) + 1
                return position + start
            lines -= inside
            position += len(block)
    return position


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
        length -= len(block)
        yield block
