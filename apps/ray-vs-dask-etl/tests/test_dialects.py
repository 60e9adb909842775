"""The same rows written in every way that is taken: the same answer, and it passes its check.

The oracle reads by means of its own, so a way that it does not take would end in exit 3.
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
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes, "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip
BLANK_LINES = ("", " ", "\t", " \t  ")
NUMBERS = ("{}", " {}", "{} ", '"{}"', "+{}", "{}e0", "{}E+00", '" {}"')
EXTRA = ("", "plain", '"quoted, with a comma"', '"a ""quote"""', "é", "7")


@st.composite
def files(draw) -> bytes:
    """All of `ROWS` as the bytes of a file."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    blank = st.lists(st.sampled_from(BLANK_LINES), max_size=2)
    order = draw(st.permutations(["id", "x", "y", "category", "note", "other"]))
    padding = draw(st.sampled_from(["{}", " {}", '"{}"', "{} "]))
    lines = [*draw(blank), ",".join(padding.format(name) for name in order)]
    for number, x, y, category in ROWS:
        kind = draw(st.sampled_from(NUMBERS)) if draw(st.booleans()) else "{}"
        kind = kind.replace("+", "") if x.startswith("-") else kind
        kind = kind if "e" not in x else "{}"
        fields = {
            "id": draw(st.sampled_from(["{}", " {}", '"{}"', "00{}"])).format(number),
            "x": kind.format(x),
            "y": y,
            "category": draw(st.sampled_from(["{}", '"{}"'])).format(category),
            "note": draw(st.sampled_from(EXTRA)),
            "other": draw(st.sampled_from(EXTRA)),
        }
        lines += [",".join(fields[name] for name in order), *draw(blank)]
    text = draw(st.sampled_from(["", "\ufeff"])) + end.join(lines)
    text += draw(st.sampled_from(["", end, end + end + " " + end]))
    return COMPRESSIONS[draw(st.sampled_from(list(COMPRESSIONS)))](text.encode())


class TestDialects(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def right(self, tmp_path_factory):
        """options → what the record says of these rows, written plainly."""
        folder = tmp_path_factory.mktemp("plain")
        path = folder / "rows.csv"
        path.write_text("id,x,y,category\n" + "".join(f"{','.join(map(str, r))}\n" for r in ROWS))
        return {argv: self.answer("plain", path, *argv) for argv in ((), FIT)}

    def answer(self, engine, path, *argv):
        record = self.called(
            engine, "--data", path, "--workers", 1, *argv, "--results", path.parent / "results"
        )
        assert record["check"]["passed"] is True
        return record["quality"]

    @settings(max_examples=60, deadline=None)
    @given(text=files(), split_size=st.sampled_from(["100", "1kb", "1mb"]))
    def test_the_table_in_every_dialect(self, right, text, split_size):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_bytes(text)
            found = self.answer("plain", path, "--split-size", split_size)
        assert found["groups"] == right[()]["groups"]

    @settings(max_examples=15, deadline=None)
    @given(text=files())
    def test_the_fit_in_every_dialect(self, right, text):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.csv"
            path.write_bytes(text)
            found = self.answer("plain", path, *FIT)
        CASE.same(found, right[FIT])

    @pytest.mark.parametrize("engine", CASE.frameworks)
    def test_a_dialect_on_every_engine(self, engine, right, joining, tmp_path):
        lines = [f'\t{number}, {x} ,"{y}",{c},"a, note"\r\n \r\n' for number, x, y, c in ROWS]
        path = tmp_path / "rows.csv"
        path.write_bytes(
            gzip.compress(("\ufeff\r\n id ,x,y,category,note\r\n" + "".join(lines)).encode())
        )
        assert self.answer(engine, path, *joining(engine))["groups"] == right[()]["groups"]


FIT = (*REGRESSION, "--l2", "1")
