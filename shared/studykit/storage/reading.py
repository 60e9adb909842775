"""The lines of splits: a local file's as views of its pages, a server's fetched ahead.

The one idea: a server answers late and slowly to one request and well to several, so whoever
reads from one asks for what comes next before it is needed. `map_splits` knows the splits that
come next and fetches those; who reads a single split (a task of Ray or Dask, which knows no
next one) has it fetched in pieces. At most `READS_AT_ONCE` of either wait in memory.
"""

import mmap
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import numpy as np

from studykit.errors import DataError
from studykit.storage import contents, files, filesystems
from studykit.storage.ahead import Ahead, in_turn
from studykit.storage.failures import retried, translated
from studykit.storage.inflation import INFLATED_BYTES, inflate, open_inflated
from studykit.storage.splitting import Block, Bytes, Split, changed, require_version

Result = TypeVar("Result")

TAIL_BYTES = 1 << 16  # read with a split, so that its last line is nearly always complete
LONGEST_LINE_BYTES = 1 << 26  # beyond, this is no text of lines, and searching on would not end
READS_AT_ONCE = 3  # of one reader from a server
PIECE_BYTES = 1 << 23  # of a split on a server, where the next split is not known
BLOCK_BYTES = 1 << 25  # of a compressed file

_of_this_thread = threading.local()


def map_splits(
    pool: ThreadPoolExecutor, work: Callable[[Split], Result], splits: Sequence[Split]
) -> list[Result]:
    """`work` on every split by the threads of a pool, in their order; the next ones are fetched.

    What `work` reads by `read_blocks` of a split on a server is then, as a rule, already there.
    Local splits are pages of their file and need no help, nor does a compressed file, which is
    read a block at a time; splits that are no lines (Parquet) are fetched by who reads them. Raises
    what `work` raises.
    """
    remote = [
        split
        for split in splits
        if type(split) is Split
        and split.compression is None
        and not filesystems.is_local(split.uri)
    ]
    if not remote:
        return list(pool.map(work, splits))

    def work_ahead(split: Split) -> Result:
        _of_this_thread.ahead = ahead
        try:
            return work(split)
        finally:
            del _of_this_thread.ahead

    with closing(Ahead(remote, _fetch, READS_AT_ONCE)) as ahead:
        return list(pool.map(work_ahead, splits))


def read_blocks(split: Split, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of a split, in blocks: memory is bounded, however large its file is.

    Of a local file one block, a view of its pages without a copy; of a compressed one, blocks of
    about `block_bytes`. Blocks may be empty, where no line begins in them. StorageError where the
    file is missing or no longer the one that was cut; DataError where a compressed one is damaged.
    """
    if split.compression is not None:
        yield from _inflated(split, split.compression, block_bytes)
    elif filesystems.is_local(split.uri):
        with translated(split.uri):
            block = _read_local(split)
        yield block
    elif hasattr(_of_this_thread, "ahead"):
        yield _of_this_thread.ahead.take(split)
    else:
        yield from _in_pieces(split)


def _in_pieces(split: Split) -> Iterator[Block]:
    pieces = split.cut(PIECE_BYTES)
    if len(pieces) == 1:
        yield _fetch(split)
    else:
        yield from in_turn(pieces, _fetch, READS_AT_ONCE)


def _fetch(split: Split) -> Block:
    block = retried(lambda: _read_remote(split), split.uri)
    require_version(split)
    return block


def _inflated(split: Split, compression: str, block_bytes: int) -> Iterator[Block]:
    try:
        yield from _whole_lines(split, compression, block_bytes)
    except DataError:
        require_version(split)  # One that changes meanwhile looks damaged.
        raise
    require_version(split)


def _whole_lines(split: Split, compression: str, block_bytes: int) -> Iterator[Block]:
    offset, size, limit = 0, 0, block_bytes
    waiting: list[bytes] = []
    for piece in inflate(split.uri, compression, min(block_bytes, INFLATED_BYTES)):
        if size + len(piece) > limit:
            data = b"".join(waiting)
            end = data.rfind(b"\n") + 1
            if end:
                yield Block(np.frombuffer(data, np.uint8)[:end], offset)
            elif size > LONGEST_LINE_BYTES:
                raise _no_line_end(split.uri, offset)
            waiting = [data[end:]]
            offset, size = offset + end, size - end
            limit = size + block_bytes
        waiting.append(piece)
        size += len(piece)
    if size:
        yield Block(np.frombuffer(b"".join(waiting), np.uint8), offset)


def line_numbers(uri: str, offsets: Sequence[int]) -> list[int]:
    """The lines, counted from 1, that hold some bytes, in ascending order: reads the file once."""
    numbers: list[int] = []
    line, position = 1, 0
    for piece in _pieces(uri):
        end = position + len(piece)
        while len(numbers) < len(offsets) and offsets[len(numbers)] <= end:
            numbers.append(line + piece[: offsets[len(numbers)] - position].count(b"\n"))
        if len(numbers) == len(offsets):
            break
        line, position = line + piece.count(b"\n"), end
    return numbers + [line] * (len(offsets) - len(numbers))


def _pieces(uri: str) -> Iterator[bytes]:
    with translated(uri), open_inflated(uri) as file:
        # As far as one step goes: a wrong line is named, whatever damage comes behind it.
        while piece := file.read1(BLOCK_BYTES):
            yield piece


def _read_local(split: Split) -> Block:
    with contents.open_input(split.uri) as file:
        require_version(split)

        def read(start: int, stop: int) -> Bytes:
            # Mapped for this split alone: its pages leave memory with its last view.
            page = start - start % mmap.ALLOCATIONGRANULARITY
            mapped = mmap.mmap(file.fileno(), stop - page, access=mmap.ACCESS_READ, offset=page)
            return np.frombuffer(mapped, np.uint8)[start - page :]

        return _cut_lines(split, read)


def _read_remote(split: Split) -> Block:
    read_range = contents.range_reader(split.uri)

    def read(start: int, stop: int) -> Bytes:
        data = read_range(start, stop - start)
        if len(data) < stop - start:
            if files.entry_at(split.uri).version != split.version:
                raise changed(split)
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


def _no_line_end(uri: str, offset: int) -> DataError:
    return DataError(f"no line end within {LONGEST_LINE_BYTES} bytes from byte {offset}", uri=uri)
