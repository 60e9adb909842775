"""Files that are no text of lines: refused for what they are, with what to do about it.

The one idea: a reader of lines would say of them what is true and helps nobody (a NUL byte, no
such column), so the first bytes of a file, inflated where it is compressed, are looked at before.

Sources: the signatures are those of the formats' own documents, as `file` knows them
(https://www.darwinsys.com/file).
"""

import re

from studykit.errors import DataError
from studykit.storage.inflation import compression_of

FEWEST_CONTROLS, CONTROLS_SHARE = 8, 0.05
"""Control characters from which on a beginning is no text: of bytes at random an eighth are some.
Fewer are left to the reader, which names their line."""

_NO_CONTROLS = bytes(byte for byte in range(256) if byte >= 32 or byte in b"\t\n\v\f\r")
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
_WIDE_CODES = (("UTF-32LE", 4, 0), ("UTF-32BE", 4, 3), ("UTF-16LE", 2, 0), ("UTF-16BE", 2, 1))
"""(name, bytes of a character, the one that is not zero where the character is of ASCII)."""

_ZIP = rb"PK\x03\x04.{26}"  # The name of the first file in it follows.
_OF_TEXT = rb"(?i:(?:\xef\xbb\xbf)?\s*"
_NO_TEXT = rb"[\0-\x08\x0e-\x1f\x80-\xff]"
_KINDS: dict[str, dict[str, bytes]] = {
    "save its sheet as CSV (UTF-8)": {
        "an Office document (xlsx)": _ZIP + rb"(\[Content_Types\]\.xml|_rels/|docProps/|xl/)",
        "an Excel workbook (xls)": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an OpenDocument file (ods)": _ZIP + rb"mimetypeapplication/vnd\.oasis",
    },
    "write its table as CSV": {
        "NumPy arrays (npz)": _ZIP + rb"[^\0/]{1,99}\.npy",
        "a NumPy array (npy)": rb"\x93NUMPY",
        "an ORC file": rb"ORC.{0,60}\0",
        "an Arrow file": rb"ARROW1\0\0|FEA1\0\0\0\0|\xff{4}.{2}\0\0",
        "an Avro file": rb"Obj\x01",
        "an HDF5 file": rb"\x89HDF\r\n",
        "a netCDF file": rb"CDF[\x01\x02\x05]",
        "a MATLAB file": rb"MATLAB 5\.0 MAT-file",
        "an R data file": rb"RD[AX][23]\n[XAB]\n|[XB]\n\0\0\0",
        "a SQLite database": rb"SQLite format 3\0",
        "a Python pickle": rb"\x80[\x02-\x05]",
        "an XML document": _OF_TEXT + rb"<(\?xml\s|graphml|gexf|gpx|kml|error>))",
        "JSON": _OF_TEXT + rb"(\{\s*\"|\[\s*[\[{]))",
        "a PDF document": rb"%PDF-",
    },
    "give it neither compressed nor among text": {
        "a Parquet file": rb"PAR[1E]" + _NO_TEXT,
    },
    "unpack it and give what is inside": {
        "a zip archive": rb"PK(\x03\x04|\x05\x06|\x07\x08)",
        "a tar archive": rb".{257}ustar",
        "a 7z archive": rb"7z\xbc\xaf\x27\x1c",
        "a RAR archive": rb"Rar!\x1a\x07",
    },
    "compress it by gzip, bz2, xz or zstd, or not at all": {
        "compressed by lz4": rb"\x04\x22\x4d\x18",
        "compressed by LZMA without xz": rb"\x5d\0\0.{2}(\xff{8}|.{5}\0{3})",
        "compressed by compress": rb"\x1f\x9d",
        "compressed by Snappy": rb"\xff\x06\0\0sNaPpY",
    },
    "what was downloaded is no table: see in a browser what it says": {
        "an HTML page": _OF_TEXT + rb"<(!doctype html|html|head|body|script|title|table)\b)",
    },
    "fetch the file by `git lfs pull`": {
        "a pointer of Git LFS": rb"version https://git-lfs\.github",
    },
    "give a table as CSV": {
        "an image": rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF.{4}WEBP",
    },
}
"""{what to do: {what a file is: how it begins}}."""
_COMPILED = [
    (what, remedy, re.compile(begins, re.DOTALL))
    for remedy, kinds in _KINDS.items()
    for what, begins in kinds.items()
]


def refuse(begin: bytes, uri: str) -> None:
    """DataError where a file with these first bytes, some 64 KB, is no text of lines.

    Of lines are bytes with ASCII's digits and signs where ASCII has them, and LF or CRLF behind
    every line; whether they are UTF-8 is seen when they are read.
    """
    reason = _kind(begin) or _code(begin) or _line_ends(begin) or _binary(begin)
    if reason is not None:
        raise DataError(reason, uri=uri)


def _kind(begin: bytes) -> str | None:
    twice = compression_of(begin)
    if twice is not None:
        return f"is compressed twice, by {twice} within: inflate it once"
    for what, remedy, begins in _COMPILED:
        if begins.match(begin):
            return f"is {what}, not text: {remedy}"
    return None


def _code(begin: bytes) -> str | None:
    marked = (code for mark, code in _BYTE_ORDER_MARKS.items() if begin.startswith(mark))
    code = next(marked, None) or _wide_code(begin[:1024])
    if code is None:
        return None
    return f"is text in {code}, not in UTF-8: convert it, iconv -f {code} -t UTF-8 FILE > NEW"


def _wide_code(begin: bytes) -> str | None:
    """UTF-32 or UTF-16 without a byte order mark: of ASCII text, zeros in the same places."""
    for code, width, place in _WIDE_CODES:
        characters = begin[: len(begin) // width * width]
        filled = characters[place::width]
        zeros = characters.count(0)
        if len(filled) > 1 and 0 not in filled and zeros == len(characters) - len(filled):
            return code
    return None


def _line_ends(begin: bytes) -> str | None:
    if b"\n" in begin or b"\r" not in begin.rstrip(b"\r"):
        return None
    return r"has the line ends of old Macs, CR alone: convert it, tr '\r' '\n' < FILE > NEW"


def _binary(begin: bytes) -> str | None:
    controls = len(begin.translate(None, _NO_CONTROLS))
    if controls < max(FEWEST_CONTROLS, CONTROLS_SHARE * len(begin)):
        return None
    return "is binary data, not text: give a table as CSV"
