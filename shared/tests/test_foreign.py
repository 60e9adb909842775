"""Files that are no text are refused for what they are; text that begins like them is not."""

import io
import pickle
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, ipc, orc, parquet
from studykit import errors
from studykit.errors import DataError
from studykit.text import foreign, lines
from studytest.forms import COMPRESSED

TEXT = "source,destination\n" + "".join(f"{n},{n * n}\n" for n in range(500))
TABLE = pa.table({"source": [1, 2], "destination": [2, 3]})


def zipped(**files: str) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stored.getvalue()


def tarred() -> bytes:
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        member = tarfile.TarInfo("graph/graph.mtx")
        member.size = len(TEXT)
        archive.addfile(member, io.BytesIO(TEXT.encode()))
    return stored.getvalue()


def written(write: Callable[[io.BytesIO], object]) -> bytes:
    stored = io.BytesIO()
    write(stored)
    return stored.getvalue()


def arrow_stream(stored: io.BytesIO) -> None:
    with ipc.new_stream(stored, TABLE.schema) as writer:
        writer.write_table(TABLE)


def database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table edges (source, destination)")
        return connection.serialize()


KINDS: dict[str, bytes] = {
    "a zip archive": zipped(**{"e.csv": TEXT}),
    "an Office document (xlsx)": zipped(**{"[Content_Types].xml": "", "xl/workbook.xml": ""}),
    "an OpenDocument file (ods)": written(
        lambda stored: zipfile.ZipFile(stored, "w").writestr(
            "mimetype", "application/vnd.oasis.opendocument.spreadsheet"
        )
    ),
    "an Excel workbook (xls)": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "NumPy arrays (npz)": written(lambda stored: np.savez(stored, edges=np.arange(9))),
    "a NumPy array (npy)": written(lambda stored: np.save(stored, np.arange(9))),
    "a tar archive": tarred(),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(30),
    "a RAR archive": b"Rar!\x1a\x07\x01\0",
    "compressed by lz4": pa.compress(TEXT.encode(), codec="lz4", asbytes=True),
    "compressed by LZMA without xz": bytes.fromhex("5d00008000ffffffffffffffff00"),
    "compressed by compress": b"\x1f\x9d\x90abc",
    "a Parquet file": written(lambda stored: parquet.write_table(TABLE, stored)),
    "an ORC file": written(lambda stored: orc.write_table(TABLE, stored)),
    "an Arrow file": written(lambda stored: feather.write_feather(TABLE, stored)),
    "an Arrow stream": written(arrow_stream),
    "a SQLite database": database(),
    "a Python pickle": pickle.dumps({"source": [1, 2]}),
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(30),
    "an R data file": b"RDX3\nX\n\0\0\0\3",
    "a MATLAB file": b"MATLAB 5.0 MAT-file, Platform: GLNXA64\n",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "an image": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "an HTML page": b"\n<!DOCTYPE html>\n<html><body>Please log in</body></html>",
    "an XML document": b'\xef\xbb\xbf<?xml version="1.0"?>\n<graphml></graphml>',
    "JSON": b'[\n  {"source": 1, "destination": 2}\n]\n',
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "compressed twice, by gzip": COMPRESSED["gzip"](TEXT.encode()),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16LE": TEXT.encode("utf-16-le"),
    "UTF-16BE": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "UTF-32LE": TEXT.encode("utf-32-le"),
    "UTF-32BE": TEXT.encode("utf-32-be"),
    "old Macs": TEXT.replace("\n", "\r").encode(),
    "binary data": random.Random(7).randbytes(5000),
}
SAID = {"an Arrow stream": "an Arrow file"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_no_text_is_refused_for_what_it_is(
    tmp_path: Path, kind: str, compressed: bool
) -> None:
    """Also within a compressed file, where the second compression is then one too many."""
    path = tmp_path / "table.csv"
    stored = KINDS[kind]
    if compressed or kind.startswith("compressed twice"):
        stored = COMPRESSED["xz"](stored)
    path.write_bytes(stored)
    with pytest.raises(DataError) as caught:
        lines.head(str(path))
    said = errors.one_line(caught.value)
    assert said.startswith(f"{path}: ")
    what, remedy = said.removeprefix(f"{path}: ").split(": ", 1)
    assert SAID.get(kind, kind) in what
    assert remedy
    assert said.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n", b"1,2\n", b"1,2", b"1,2\r\n", b"a,b\r", b"\xef\xbb\xbfa,b\n1,2\n",
        b"PAR1,PAR2\n1,2\n", b"ORC,a\n1,2\n", b"FEA1,FEA2\n1,2\n", b"ORC\n1\n", b"PK,a\n1,2\n",
        b"<TICKER>,<DATE>\n1,2\n", b"<http://a> <b> <c> .\n", b"%%MatrixMarket matrix\n", b"%\n",
        b"CDF,a\n", b"RIFF,a\n", b"X\n1\n", b"json,a\n", b"{a,b}\n", b"[a],[b]\n1,2\n", b"Obj\n",
        b"version,https\n", b"1,2\n3,\0004\n", b"caf\xe9,b\n1,2\n", b"\xf0\x9f\x98\x80,b\n1,2\n",
    ],
)  # fmt: skip
def test_text_that_begins_like_something_else_is_text(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    assert len(lines.head(str(tmp_path / "a.csv"))) == len(text.splitlines())


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["C"]), max_size=9), min_size=1),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from([",", ";", "\t", " "]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_tables_of_any_words_and_numbers_are_text(
    rows: list[list[str]], delimiter: str, end: str
) -> None:
    text = "1" + "".join(delimiter.join(row) + end for row in rows)
    foreign.refuse(text.encode(), "a.csv")


def test_one_nul_in_a_table_is_left_to_the_reader_which_names_its_line() -> None:
    foreign.refuse((TEXT + "3,\0004\n").encode(), "a.csv")
