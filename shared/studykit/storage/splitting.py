"""Cut files into byte ranges that any worker can read by itself, at line ends.

The one idea: a line belongs to the split that holds its first byte. Cuts are plain positions,
made without reading; whoever reads a split drops the end of a line that began before it and
reads its own last line to the end. So the lines of all splits together are the file, once each,
wherever the cuts fall (the input splits of Hadoop, https://hadoop.apache.org).

A `.gz` cannot be entered in the middle and is one split.
"""

import mmap
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studykit.errors import DataError
from studykit.errors import StorageError
from studykit.errors import UsageError
from studykit.storage import files
from studykit.storage import filesystems
from studykit.storage.ahead import Ahead
from studykit.storage.filesystems import translated
from studykit.storage.inflation import inflate

Bytes = NDArray[np.uint8]

TAIL_BYTES = 1 << 16  # read with a split, so that its last line is nearly always complete
LONGEST_LINE_BYTES = 1 << 26  # beyond, this is no text of lines, and searching on would not end
READS_AT_ONCE = 3  # of a worker from a server
BLOCK_BYTES = 1 << 25  # of a .gz, inflated at a time


@dataclass(frozen=True)
class Split:
    """The lines of a file whose first byte lies in [start, stop); of a .gz, all lines.

    `size` is the size of the file in bytes, `version` what it was when the cuts were made.
    """

    uri: str
    start: int
    stop: int
    size: int
    version: str


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines (the last one of a file perhaps without its end), read-only.

    `offset` is the position of `data[0]` in the file, in the inflated bytes of a `.gz`.
    """

    data: Bytes
    offset: int


def splits(uri: str, split_size: int) -> list[Split]:
    """Cut a file, or all data files of a folder, into ranges of at most `split_size` bytes.

    DataError where there is not one byte of data; StorageError where the URI is missing.
    """
    if split_size < 1:
        raise UsageError(f"a split needs at least 1 byte, not {split_size}")
    cut = []
    for file in files.list_files(uri):
        entry = files.look(file)
        step = max(entry.size, 1) if is_gzip(file) else split_size
        cut += [
            Split(file, start, min(start + step, entry.size), entry.size, entry.version)
            for start in range(0, entry.size, step)
        ]
    if not cut:
        raise DataError("no data: the input is empty", uri=filesystems.absolute(uri))
    return cut


def is_gzip(uri: str) -> bool:
    return uri.endswith(".gz")


def read_split(split: Split) -> Block:
    """The lines of a split: of a local file a view of its pages, without a copy.

    Empty where no line begins in the split. StorageError where the file is missing or no longer
    the one that was cut; DataError where a `.gz` is damaged.
    """
    if is_gzip(split.uri):
        inflated = bytearray()
        for block in read_blocks(split):
            inflated += block.data.data
        return Block(_read_only(inflated), 0)
    if filesystems.is_local(split.uri):
        with translated(split.uri):
            return _read_local(split)
    return _ahead.take(split) if _ahead is not None else _fetch(split)


def _fetch(split: Split) -> Block:
    block = filesystems.retried(lambda: _read_remote(split), split.uri)
    _check_version(split)
    return block


_ahead: Ahead[Split, Block] | None = None


@contextmanager
def reading_ahead(splits: Sequence[Split], at_once: int = READS_AT_ONCE) -> Iterator[None]:
    """While these splits are read in about this order, fetch the next ones of a server before.

    At most `at_once` of them wait in memory. Local splits are pages of the file and need no help;
    nor does a `.gz`, which is read a block at a time. For one reading at a time in a process.
    """
    global _ahead
    remote = [
        split for split in splits if not filesystems.is_local(split.uri) and not is_gzip(split.uri)
    ]
    if not remote:
        yield
        return
    ahead = _ahead = Ahead(remote, _fetch, at_once)
    try:
        yield
    finally:
        _ahead = None
        ahead.close()


def read_blocks(split: Split, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of a split, a block of about `block_bytes` at a time where it is a `.gz`.

    So a `.gz` of any size takes little memory. Other splits come as the one block that they are.
    """
    if not is_gzip(split.uri):
        yield read_split(split)
        return
    offset, rest = 0, b""
    for piece in inflate(split.uri, block_bytes):
        end = piece.rfind(b"\n") + 1
        if end == 0:
            rest += piece
            if len(rest) > LONGEST_LINE_BYTES:
                raise _no_line_end(split.uri, offset)
            continue
        yield Block(_read_only(rest + memoryview(piece)[:end]), offset)
        offset += len(rest) + end
        rest = piece[end:]
    if rest:
        yield Block(_read_only(rest), offset)
    _check_version(split)


def line_number(uri: str, offset: int) -> int:
    """The line, counted from 1, that holds a byte: reads the file up to there."""
    line, position = 1, 0
    for piece in _pieces(uri):
        line += piece[: max(offset - position, 0)].count(b"\n")
        position += len(piece)
        if position >= offset:
            break
    return line


def _pieces(uri: str) -> Iterator[bytes]:
    if is_gzip(uri):
        yield from inflate(uri, BLOCK_BYTES)
        return
    with translated(uri), files.open_input(uri) as file:
        while piece := file.read(BLOCK_BYTES):
            yield piece


def _read_local(split: Split) -> Block:
    with files.open_input(split.uri) as file:
        _check_version(split)

        def read(start: int, stop: int) -> Bytes:
            # Mapped for this split alone: its pages leave memory with its last view.
            page = start - start % mmap.ALLOCATIONGRANULARITY
            mapped = mmap.mmap(file.fileno(), stop - page, access=mmap.ACCESS_READ, offset=page)
            return np.frombuffer(mapped, np.uint8)[start - page :]

        return _cut_lines(split, read)


def _read_remote(split: Split) -> Block:
    read_range = files.range_reader(split.uri)

    def read(start: int, stop: int) -> Bytes:
        data = read_range(start, stop - start)
        if len(data) < stop - start:
            _check_version(split)
            raise OSError("the server sent less than it has")
        return data

    return _cut_lines(split, read)


def _cut_lines(split: Split, read: Callable[[int, int], Bytes]) -> Block:
    """`read(start, stop)` → bytes. One range, and more only where the last line is long."""
    first = max(split.start - 1, 0)  # the byte before tells whether a line begins at the start
    last = split.stop - 1 - first
    stop = min(split.stop + TAIL_BYTES, split.size)
    data = read(first, stop)
    begin = 0 if split.start == 0 else _after_newline(data[:last])
    if begin is None:
        return Block(data[:0], split.start)
    end = _after_newline(data[last:])
    if end is not None:
        return Block(data[begin : last + end], first + begin)
    parts, step = [data], TAIL_BYTES
    while end is None and stop < split.size:
        if stop - split.stop > LONGEST_LINE_BYTES:
            raise _no_line_end(split.uri, split.stop)
        step *= 2
        more = read(stop, min(stop + step, split.size))
        end = _after_newline(more)
        parts.append(more[:end])
        stop += len(more)
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    whole.flags.writeable = False
    return Block(whole[begin:], first + begin)


def _after_newline(data: Bytes) -> int | None:
    """The index behind the first line end; lines are short, so look near before looking far."""
    start, step = 0, 1 << 10
    while start < len(data):
        found = data[start : start + step].tobytes().find(b"\n")
        if found >= 0:
            return start + found + 1
        start, step = start + step, min(step * 2, 1 << 22)
    return None


def _check_version(split: Split) -> None:
    if files.version(split.uri) != split.version:
        raise StorageError("changed while it was being read", uri=split.uri)


def _no_line_end(uri: str, offset: int) -> DataError:
    return DataError(f"no line end within {LONGEST_LINE_BYTES} bytes from byte {offset}", uri=uri)


def _read_only(data: bytes | bytearray) -> Bytes:
    array = np.frombuffer(data, np.uint8)
    array.flags.writeable = False
    return array
