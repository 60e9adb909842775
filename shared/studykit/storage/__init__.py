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
together), `writing` (atomic), `splitting` (byte ranges at line ends), `reading` (their lines),
`whole_lines` (for oracles).
Each name is said `as` itself: it is for others (PEP 484).
"""

from studykit.storage.contents import open_input as open_input
from studykit.storage.contents import read_bytes as read_bytes
from studykit.storage.files import exists as exists
from studykit.storage.files import free_bytes as free_bytes
from studykit.storage.files import list_files as list_files
from studykit.storage.files import list_sizes as list_sizes
from studykit.storage.files import look as look
from studykit.storage.files import remove as remove
from studykit.storage.files import size as size
from studykit.storage.filesystems import absolute as absolute
from studykit.storage.filesystems import is_local as is_local
from studykit.storage.filesystems import join as join
from studykit.storage.filesystems import local_path as local_path
from studykit.storage.inflation import compression as compression
from studykit.storage.inflation import open_inflated as open_inflated
from studykit.storage.reading import line_numbers as line_numbers
from studykit.storage.reading import map_splits as map_splits
from studykit.storage.reading import read_blocks as read_blocks
from studykit.storage.splitting import Block as Block
from studykit.storage.splitting import Split as Split
from studykit.storage.splitting import splits as splits
from studykit.storage.writing import write_atomic as write_atomic
from studykit.storage.writing import write_bytes as write_bytes
