"""A file's first lines, and where lines end: what every reader of text asks before it parses."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from studykit.storage.failures import translated
from studykit.storage.inflation import open_inflated
from studykit.storage.reading import LONGEST_LINE_BYTES, read_blocks
from studykit.storage.splitting import Block, Bytes, Split
from studykit.text import foreign

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEAD_BYTES = 1 << 16

_NEWLINE = ord("\n")


@dataclass(frozen=True)
class Line:
    """A line, the `number`-th from 1, without its end; its bytes in the file are [start, stop)."""

    number: int
    start: int
    stop: int
    text: bytes


def head(uri: str, size: int = HEAD_BYTES) -> list[Line]:
    """The first lines of a file, some `size` bytes of them, without a byte order mark.

    DataError where the file is no text, and of a compressed one that is damaged there.
    """
    with translated(uri), open_inflated(uri, 2 * size) as file:
        data = file.read(size)
        foreign.refuse(data, uri)
        if len(data) == size and not data.endswith(b"\n"):
            data += file.readline(LONGEST_LINE_BYTES)
    start = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0
    lines = []
    for number, text in enumerate(io.BytesIO(data[start:]), start=1):
        lines.append(Line(number, start, start + len(text), text.rstrip(b"\r\n")))
        start += len(text)
    return lines


def first_filled(uri: str) -> Line | None:
    """The first line of a file's head that is not blank: its header, where it has one."""
    return next((line for line in head(uri) if line.text.strip()), None)


def blocks_from(split: Split, body: int) -> Iterator[Block]:
    """The blocks of a split without what stands before byte `body` of the file: its header."""
    for block in read_blocks(split):
        before = max(body - block.offset, 0)
        if before < len(block.data):
            yield Block(block.data[before:], block.offset + before)


def line_end(data: Bytes, position: int, lines: int = 1) -> int:
    """Behind the line that holds byte `position`, or behind that many lines from there on."""
    step, found = 4096, 0
    while position < len(data):
        ends = np.flatnonzero(data[position : position + step] == _NEWLINE)
        if found + len(ends) >= lines:
            return position + int(ends[lines - found - 1]) + 1
        found, position, step = found + len(ends), position + step, 2 * step
    return len(data)
