"""Text for oracles: a file's lines, some megabytes at a time.

No reader of the engines uses this, so that an oracle stays independent of them. What a line holds
is not looked at.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO


def pieces(file: BinaryIO, read_bytes: int) -> Iterator[bytes]:
    """Whole lines, about `read_bytes` of them at a time; of a smaller file all of them."""
    piece = b""
    while data := file.read(read_bytes):
        end = piece.rfind(b"\n") + 1
        if end:
            yield piece[:end]
        piece = piece[end:] + data
    if piece:
        yield piece


def header(piece: bytes) -> tuple[str, bytes]:
    """Of a file's first piece the first line that is not blank, and what is behind it."""
    text = re.sub(rb"\A(?:[ \t\r]*\n)*", b"", piece.removeprefix(b"\xef\xbb\xbf"))
    line, _, rest = text.partition(b"\n")
    return line.decode("utf-8", "replace").rstrip("\r"), rest
