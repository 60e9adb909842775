"""Data by URI, the same on a local disk, in HDFS and in S3: cut, read, list, write.

    for split in storage.splits("s3://bucket/edges.csv", 30_000_000):
        block = storage.read_split(split)        # block.data: uint8 array of whole lines

    with storage.write_atomic("ranks.csv") as file:   # there when complete, or not at all
        file.write(b"vertex,rank\n")

A URI without a scheme is a local path. Whatever fails is a `StorageError` that names the URI.
The parts: `filesystems` (a URI's file system, its failures, retries), `files` (whole files),
`writing` (atomic), `splits` (byte ranges at line ends).
"""

from studykit.files import Entry
from studykit.files import exists
from studykit.files import find
from studykit.files import free_bytes
from studykit.files import list_files
from studykit.files import look
from studykit.files import make_folder
from studykit.files import open_input
from studykit.files import read_bytes
from studykit.files import remove
from studykit.files import size
from studykit.files import version
from studykit.filesystems import absolute
from studykit.filesystems import filesystem
from studykit.filesystems import is_local
from studykit.filesystems import join
from studykit.filesystems import local_path
from studykit.splits import Block
from studykit.splits import Split
from studykit.splits import is_gzip
from studykit.splits import line_number
from studykit.splits import read_blocks
from studykit.splits import read_split
from studykit.splits import reading_ahead
from studykit.splits import splits
from studykit.writing import write_atomic
from studykit.writing import write_bytes

__all__ = [
    "Block",
    "Entry",
    "Split",
    "absolute",
    "exists",
    "filesystem",
    "find",
    "free_bytes",
    "is_gzip",
    "is_local",
    "join",
    "line_number",
    "list_files",
    "local_path",
    "look",
    "make_folder",
    "open_input",
    "read_blocks",
    "read_bytes",
    "read_split",
    "reading_ahead",
    "remove",
    "size",
    "splits",
    "version",
    "write_atomic",
    "write_bytes",
]
