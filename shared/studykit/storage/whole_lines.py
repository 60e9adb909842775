"""Text for oracles: a file's lines, some megabytes at a time, worked on by all cores.

No reader of the engines uses this, so that an oracle stays independent of them. What a line holds
is not looked at.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


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


def over(work: Callable[[Given], Made], pieces: Iterable[Given], threads: int) -> Iterator[Made]:
    """`work` of every piece, in their order.

    No more than threads + 1 pieces, or what was made of them, wait at a time: memory is bounded.
    """
    waiting: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="oracle")
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            del piece  # Or it would wait for the next one.
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
