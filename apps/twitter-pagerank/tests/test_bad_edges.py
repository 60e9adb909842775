"""Lines that are no edge are left out alike however the file is cut, and the check agrees."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from case import CASE
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from studykit import cutting
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from studykit.text.bad_rows import BadRows
from studytest.contract.of_study import OfStudy
from twitter_pagerank import edges, oracle_edges
from twitter_pagerank.edge_format import Reading
from twitter_pagerank.study import STUDY, Parameters

LENIENT = Reading(skip_bad=True)
GOOD = [(i, 7 * i % 120) for i in range(1, 120)]
ODD = {",": [b'5,"6"', b" 8 , 9 ", b"4294967296,1", b"7.0,3", b"", b"   ", b"# 1,2,3", b"% x"],
       "\t": [b"5\t6", b"7.0\t3", b"4294967296\t1", b"", b"# x"],
       " ": [b"5  6", b"\t8 9 ", b"7.0 3", b"4294967296 1", b"", b"   ", b"# 1 2 3"]}  # fmt: skip
"""Right, and not plain; or no line of data."""
BAD = [b"x,y", b"1,2,3", b"1", b"1,", b"-1,2", b"1,2.5", b"1,0x2", b"9223372036854775808,1",
       b'"1,2', b'1,"2"3', b"1,\x002", b"1\r,2", b"nan,1", b"9007199254740994.0,1"]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    delimiter=st.sampled_from([",", "\t", " "]),
    split_size=st.sampled_from([1 << 20, 200, 30]),
)
def test_bad_lines_are_left_out_and_nothing_else(data, delimiter, split_size):
    sign = delimiter.encode()
    bad_lines = [line.replace(b",", sign) for line in BAD]
    if delimiter != ",":
        bad_lines.remove(b"1,".replace(b",", sign))  # Between blanks there is no empty field.
    inserted = st.tuples(st.integers(3, 119), st.sampled_from(bad_lines + ODD[delimiter]))
    lines = [b"%d%b%d" % (source, sign, destination) for source, destination in GOOD]
    places = data.draw(st.lists(inserted, max_size=25))
    for place, line in sorted(places, key=lambda item: item[0], reverse=True):
        lines.insert(place, line)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edges.txt"
        path.write_bytes(b"\n".join(lines))
        form, bad = edges.sniff(str(path), LENIENT), BadRows()
        chunks = [
            chunk
            for split in cutting.splits(str(path), split_size)
            for chunk in edges.read(split, form, bad)
        ]
        found = [pair for c in chunks for pair in zip(c.sources, c.destinations, strict=True)]
        wrong = [number for number, line in enumerate(lines, start=1) if line in bad_lines]
        filled = [line for line in lines if line.strip() and line[:1] not in b"#%"]
        assert len(found) == len(filled) - len(wrong)
        text = path.read_bytes()
        assert bad.count == len(wrong)
        assert [text[: row.offset].count(b"\n") + 1 for row in bad.first] == wrong[:10]
        dataset = DatasetInfo(name="user", uri=str(path), bytes=len(text))
        run = Run(STUDY, "plain", Options(bad_rows="skip"), Parameters(), dataset, quiet=True)
        blocks = oracle_edges.read_for(run, lambda *ends: ends)
        pairs = [pair for s, d in blocks for pair in zip(s, d, strict=True)]
        assert pairs == found


class TestBadEdges(OfStudy):
    case = CASE

    def answer(self, path, folder, *argv):
        record = self.called(
            "plain", "--data", path, "--workers", 2, "--split-size", 100, "--bad-rows", "skip",
            "--results", folder, *argv,
        )  # fmt: skip
        assert record["check"]["passed"] is True
        return record["quality"]

    def test_a_matrix_may_have_entries_that_are_skipped(self, tmp_path):
        entries = [b"%d %d" % pair for pair in GOOD]
        entries[50:50] = [b"5 500", b"0 7"]
        path = tmp_path / "graph.mtx"
        banner = b"%%MatrixMarket matrix coordinate pattern general\n"
        path.write_bytes(banner + b"\n".join([b"120 120 121", *entries]) + b"\n")
        line = self.refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path / "r")
        assert f"{path}, line 53, column column: id 500 lies outside" in line
        quality = self.answer(path, tmp_path / "r", "--bad-rows-limit", "5%")
        assert [row["line"] for row in quality["bad_rows"]["first"]] == [53, 54]
        assert quality["edges"] + quality["duplicate_edges"] == len(GOOD)

    @pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
    def test_rows_of_parquet_that_are_no_edges_are_skipped(self, kind, tmp_path):
        sources, destinations = (np.array(ends, float) for ends in zip(*GOOD, strict=True))
        wrong = [-1.0, None] if kind == pa.int64() else [1.5, None]
        columns = {"source": [*sources[:60], *wrong, *sources[60:]],
                   "destination": [*destinations[:60], 1.0, 1.0, *destinations[60:]]}  # fmt: skip
        table = pa.table({name: pa.array(ends).cast(kind) for name, ends in columns.items()})
        path = tmp_path / "edges.parquet"
        parquet.write_table(table, path, row_group_size=50)
        quality = self.answer(path, tmp_path / "r", "--bad-rows-limit", "5%")
        assert [row["place"] for row in quality["bad_rows"]["first"]] == [
            "row 61 (row group 1)", "row 62 (row group 1)",
        ]  # fmt: skip
        assert quality["edges"] + quality["duplicate_edges"] == len(GOOD)
