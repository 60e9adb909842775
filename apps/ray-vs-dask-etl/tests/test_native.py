"""What the engines' own ways make of compressed files: they go by a file's name."""

import bz2
import gzip
import lzma

import pytest
from case import CASE
from studytest.contract.of_study import OfStudy
from tables import HEADER, random_rows, write_rows

NATIVE = ("--method", "native", "--workers", 1)


class TestNative(OfStudy):
    case = CASE

    @pytest.mark.parametrize(
        ("name", "compress"), [("a.gz", gzip.compress), ("a.bz2", bz2.compress)]
    )
    def test_what_is_named_for_what_it_is_is_inflated(self, name, compress, tmp_path):
        rows = write_rows(tmp_path / "rows.csv", random_rows(100, seed=1)).read_bytes()
        (tmp_path / name).write_bytes(compress(rows))
        record = self.called("plain", "--data", tmp_path / name, *NATIVE, "--results", tmp_path)
        assert record["check"]["passed"] is True

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("a.csv", gzip.compress(HEADER.encode()), "gzip"),
            ("a.gz", HEADER.encode(), "plain"),
            ("a.gz", bz2.compress(HEADER.encode()), "bz2"),
            ("a.xz", lzma.compress(HEADER.encode()), "xz"),
        ],
    )
    def test_what_is_not_is_refused(self, name, content, said, tmp_path):
        (tmp_path / name).write_bytes(content)
        line = self.refused("plain", 2, "--data", tmp_path / name, *NATIVE, "--results", tmp_path)
        assert f"this one is {said}: {tmp_path / name}" in line
