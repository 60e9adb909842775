"""Data by URI, the same on a local disk, in HDFS and in S3: cut, read, list, write.

    def work(split):
        for block in storage.read_blocks(split):     # block.data: uint8 array of whole lines
            ...

    cut = storage.splits("s3://bucket/edges.csv", 30_000_000)
    results = storage.map_splits(pool, work, cut)    # by threads; the next splits are fetched ahead

    with storage.write_atomic("ranks.csv") as file:   # there when complete, or not at all
        file.write(b"vertex,rank\n")

A URI without a scheme is a local path. Whatever fails is a `StorageError` that names the URI.
The parts: `filesystems` (a URI's file system), `failures` (retries, errors), `files` (what is
where), `contents` (bytes), `inflation` (those of compressed files), `folders` (files that count
together), `writing` (atomic), `splitting` (byte ranges at line ends), `reading` (their lines).
"""

from studykit.storage.contents import open_input
from studykit.storage.contents import read_bytes
from studykit.storage.files import exists
from studykit.storage.files import free_bytes
from studykit.storage.files import list_files
from studykit.storage.files import list_sizes
from studykit.storage.files import look
from studykit.storage.files import remove
from studykit.storage.files import size
from studykit.storage.filesystems import absolute
from studykit.storage.filesystems import is_local
from studykit.storage.filesystems import join
from studykit.storage.filesystems import local_path
from studykit.storage.inflation import compression
from studykit.storage.inflation import open_inflated
from studykit.storage.reading import line_number
from studykit.storage.reading import map_splits
from studykit.storage.reading import read_blocks
from studykit.storage.splitting import Block
from studykit.storage.splitting import Split
from studykit.storage.splitting import splits
from studykit.storage.writing import write_atomic
from studykit.storage.writing import write_bytes

__all__ = [
    "Block",
    "Split",
    "absolute",
    "compression",
    "exists",
    "free_bytes",
    "is_local",
    "join",
    "line_number",
    "list_files",
    "list_sizes",
    "local_path",
    "look",
    "map_splits",
    "open_inflated",
    "open_input",
    "read_blocks",
    "read_bytes",
    "remove",
    "size",
    "splits",
    "write_atomic",
    "write_bytes",
]
