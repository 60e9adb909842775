"""Text in every compressed form, and files that are no text, made of given bytes."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from studykit.text.dialects import Dialect, fields_of, is_header, text_of

from studytest.columns import as_parquet


def zstd(content: bytes) -> bytes:
    """One frame, as `zstd` writes it of a file."""
    return pa.compress(content, codec="zstd", asbytes=True)  # type: ignore[no-any-return]


COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def two_members(content: bytes) -> bytes:
    """As `cat a.gz b.gz` makes it, cut within a line."""
    half = len(content) // 2
    return gzip.compress(content[:half]) + gzip.compress(content[half:])


NAMED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain text named .gz": ("table.csv.gz", bytes),
    "gzip named .csv": ("table.csv", gzip.compress),
    "gzip of two members named .GZ": ("table.csv.GZ", two_members),
    "bz2": ("table.csv.bz2", bz2.compress),
    "xz named .bz2": ("table.bz2", lzma.compress),
    "zstd without an ending": ("table", zstd),
    "Parquet named .csv": ("table.csv", as_parquet),
}
"""{form: (a name that may say something else, what makes it of a table of text)}."""


def zipped(content: bytes) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return stored.getvalue()


FOREIGN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "zip": (zipped, "zip archive"),
    "UTF-16": (lambda content: content.decode().encode("utf-16"), "UTF-16"),
    "CR": (lambda content: content.replace(b"\n", b"\r"), "old Macs"),
    "steering a terminal": (lambda content: b"\x1b[2J\x07" * 9 + content[:99], "binary data"),
}
"""{form: (what makes it of text, what its refusal says)}."""


def in_parts(content: bytes, folder: Path) -> Path:
    """Text as a folder of files in folders below: its first half as it is, then a part in each
    compressed form, under names that say nothing of it. A header stands in each."""
    lines = content.splitlines(keepends=True)
    header = lines[:1] if is_header(fields_of(text_of(lines[0]), Dialect())) else []
    rows = lines[len(header) :]
    forms = {"plain": bytes, **COMPRESSED}
    half, step = len(rows) // 2, len(rows) // 2 // len(COMPRESSED)
    cuts = [0, half, *(half + step * part for part in range(1, len(COMPRESSED))), len(rows)]
    for number, (form, start, stop) in enumerate(zip(forms, cuts, cuts[1:], strict=False)):
        path = folder / f"part={number}" / f"{form}.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(forms[form](b"".join([*header, *rows[start:stop]])))
    return folder
