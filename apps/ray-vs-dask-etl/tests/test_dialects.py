"""The same rows written in every way that is taken: the same answer, and it passes its check.

The oracle reads by means of its own, so a way that it does not take would end in exit 3. Runs read
a folder of files, because a run takes longer than its files.
"""

import bz2
import gzip
import lzma
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from case import CASE, REGRESSION
from hypothesis import given, settings
from hypothesis import strategies as st
from studytest.contract.of_study import OfStudy
from tables import random_rows

ROWS = random_rows(40, seed=21)
FILES = 8
"""Of a folder, each with all of `ROWS` in a dialect of its own."""
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes, "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip
BLANK_LINES = ("", " ", "\t", " \t  ")
NUMBERS = ("{}", " {}", "{} ", '"{}"', "+{}", "{}e0", "{}E+00", '" {}"', '\t"{}"', '"{}" ')
EXTRA = ("", "plain", '"quoted, with a comma"', '"a ""quote"""', ' "a, ""b"" ,c" ', "é", "7")


@st.composite
def files(draw) -> bytes:
    """All of `ROWS` as the bytes of a file."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    blank = st.lists(st.sampled_from(BLANK_LINES), max_size=2)
    order = draw(st.permutations(["id", "x", "y", "category", "note", "other"]))
    padding = draw(st.sampled_from(["{}", " {}", '"{}"', "{} ", ' "{}"\t']))
    lines = [*draw(blank), ",".join(padding.format(name) for name in order)]
    for number, x, y, category in ROWS:
        kind = draw(st.sampled_from(NUMBERS)) if draw(st.booleans()) else "{}"
        kind = kind.replace("+", "") if x.startswith("-") else kind
        kind = kind if "e" not in x else "{}"
        fields = {
            "id": draw(st.sampled_from(["{}", " {}", '"{}"', "00{}"])).format(number),
            "x": kind.format(x),
            "y": y,
            "category": draw(st.sampled_from(["{}", '"{}"', ' "{}" '])).format(category),
            "note": draw(st.sampled_from(EXTRA)),
            "other": draw(st.sampled_from(EXTRA)),
        }
        lines += [",".join(fields[name] for name in order), *draw(blank)]
    text = draw(st.sampled_from(["", "\ufeff"])) + end.join(lines)
    text += draw(st.sampled_from(["", end, end + end + " " + end]))
    return COMPRESSIONS[draw(st.sampled_from(list(COMPRESSIONS)))](text.encode())


FOLDERS = st.lists(files(), min_size=FILES, max_size=FILES)


def put(folder: Path, texts: list[bytes]) -> Path:
    place = folder / "rows"
    place.mkdir()
    for number, text in enumerate(texts):
        (place / f"{number}.csv").write_bytes(text)
    return place


class TestDialects(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def right(self, tmp_path_factory):
        """options → what the record says of a folder of these rows, written plainly."""
        plain = "id,x,y,category\n" + "".join(f"{','.join(map(str, row))}\n" for row in ROWS)
        folder = put(tmp_path_factory.mktemp("plain"), [plain.encode()] * FILES)
        return {argv: self.answer("plain", folder, *argv) for argv in ((), FIT)}

    def answer(self, engine, folder, *argv):
        record = self.called(
            engine, "--data", folder, "--workers", 1, *argv, "--results", folder.parent / "results"
        )
        assert record["check"]["passed"] is True
        return record["quality"]

    @settings(max_examples=8, deadline=None)
    @given(texts=FOLDERS, split_size=st.sampled_from(["100", "1kb", "1mb"]))
    def test_the_table_in_every_dialect(self, right, texts, split_size):
        with tempfile.TemporaryDirectory() as folder:
            found = self.answer("plain", put(Path(folder), texts), "--split-size", split_size)
        assert found["groups"] == right[()]["groups"]

    @settings(max_examples=3, deadline=None)
    @given(texts=FOLDERS)
    def test_the_fit_in_every_dialect(self, right, texts):
        with tempfile.TemporaryDirectory() as folder:
            found = self.answer("plain", put(Path(folder), texts), *FIT)
        CASE.same(found, right[FIT])

    @pytest.mark.parametrize("engine", CASE.frameworks)
    def test_a_dialect_on_every_engine(self, engine, right, joining, tmp_path):
        lines = [f'\t{number}, {x} ,"{y}",{c},"a, note"\r\n \r\n' for number, x, y, c in ROWS]
        text = ("\ufeff\r\n id ,x,y,category,note\r\n" + "".join(lines)).encode()
        folder = put(tmp_path, [gzip.compress(text)] * FILES)
        assert self.answer(engine, folder, *joining(engine))["groups"] == right[()]["groups"]


FIT = (*REGRESSION, "--l2", "1")
