"""Whatever tool has written the trips, the answer is the same, and the check agrees."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import pytest
from case import CASE
from forms import FORMS, Form, text
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from studytest.contract.of_study import OfStudy
from taxi import points_of, read
from taxi_clustering import oracle, oracle_rows

ENRICHED = Form(further=((8, "trip_distance_km", "1.35"), (9, "total_minutes", "27")))
AMERICAN = Form(time="open data site", delimiter=";", end="\r\n", byte_order_mark=True)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "trips.csv"
    path.write_bytes(text(Form()))
    return read(path)


@settings(max_examples=150, deadline=None)
@given(form=FORMS)
@example(form=ENRICHED)
@example(form=Form(delimiter="\t", further=((0, "", "7"),), blank_lines=((0, "  "),)))
@example(form=Form(delimiter="|", quoting=csv.QUOTE_ALL, time="open data site", blanks=True))
def test_reader_and_oracle_read_every_form_alike(expected, form):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trips.csv"
        path.write_bytes(text(form))
        for split_size in (1 << 20, 700):
            found = read(path, split_size)
            assert (found.rows, found.rejects.tolist()) == (40, expected.rejects.tolist())
            assert np.array_equal(points_of(found), points_of(expected))
            keys = np.sort(found.sample.keys)
            assert np.array_equal(keys, np.sort(expected.sample.keys))
        for strict in (False, True):
            batches = list(oracle_rows.batches_for(str(path), strict, False, lambda batch: batch))
            broken = sum(oracle.rules_broken(batch.columns).sum(axis=1) for batch in batches)
            assert [*broken, 0] == expected.rejects.tolist()
            assert sum(batch.rows for batch in batches) == 40
            assert not any(batch.bad for batch in batches)


FILES = 6
"""Of a folder, because a run takes longer than its files."""
FOLDERS = st.lists(FORMS, min_size=FILES, max_size=FILES)
VARIED = [
    AMERICAN,
    ENRICHED,
    Form("2009", "T", "\t", "\r\n"),
    Form("2014", "Z", blank_lines=((0, ""), (7, "  "))),
    Form("camel case", "another offset", "|", quoting=csv.QUOTE_ALL),
    Form("spaced", "pandas", ";", blanks=True, last_end=False),
]


class TestForms(OfStudy):
    case = CASE

    def answer(self, engine, forms, *argv):
        """Of all trips in each of these forms."""
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "trips"
            place.mkdir()
            for number, form in enumerate(forms):
                (place / f"{number}.csv").write_bytes(text(form))
            record = self.called(
                engine, "--data", place, "--clusters", 4, "--workers", 2,
                "--results", Path(folder) / "results", *argv,
            )  # fmt: skip
        assert record["check"]["passed"] is True
        return record["quality"]

    @pytest.fixture(scope="class")
    def right(self):
        return self.answer("plain", [Form()] * FILES)

    @settings(
        max_examples=3, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(forms=FOLDERS)
    @example(forms=VARIED)
    def test_one_process_gives_the_same_checked_answer(self, right, forms):
        assert self.answer("plain", forms)["centres"] == right["centres"]

    def test_so_does_ray(self, right, joining):
        if "ray" not in self.case.engines:
            pytest.skip("no Ray in this copy")
        assert self.answer("ray", VARIED, *joining("ray"))["centres"] == right["centres"]
