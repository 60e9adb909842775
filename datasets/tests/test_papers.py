"""published.csv against the papers' own tables, number by number and in both directions."""

import csv
from pathlib import Path

import pytest
from paper_tables import SHORTENED, TABLES, UNSIGNED
from paper_text import Key, Numbers, text_of
from study_data import published

SOURCES = {
    1: "alexiadis2025",
    2: "giannouchou2024",
    3: "mpoympalos2025",
    4: "tank2024",
    5: "waldron2024",
}
FILE = Path(published.__file__).with_name("published.csv")
ROWS = list(csv.DictReader(FILE.read_text("utf-8").splitlines()))
NO_RESULTS = {
    2: ("\t1GB\t2GB", "Samples\t", "Features\t"),
    3: ("11\t",),
    5: ("Input\t", "Conv2D\t", "MaxPooling2D\t", "Dense\t"),
}
"""How the other lines with tabs and digits begin: sizes, a broken heading, layers of a network."""


def said(paper: int, place: str) -> Numbers:
    """The file's numbers that stand in a place of a paper."""
    rows = [
        row
        for row in ROWS
        if row["source"].startswith(SOURCES[paper]) and row["stands_in"] == place
    ]
    numbers = {key(row): float(row["value"]) for row in rows}
    assert len(numbers) == len(rows)
    return numbers


def key(row: dict[str, str]) -> Key:
    return (
        row["engine"],
        row["dataset_or_task"],
        float(row["size_gb"]) if row["size_gb"] else None,
        int(row["workers"]) if row["workers"] else None,
        row["metric"],
    )


@pytest.mark.parametrize(("paper", "place"), TABLES)
def test_what_a_table_prints_is_in_the_file_and_nothing_else_is_said_to_be(paper, place):
    printed = TABLES[paper, place].read(text_of(paper))
    assert printed
    assert said(paper, place) == printed


def test_every_table_that_the_file_names_is_compared():
    named = {
        (paper, row["stands_in"])
        for row in ROWS
        for paper, source in SOURCES.items()
        if row["source"].startswith(source)
    }
    others = ("figures ", "section ", "result file")
    assert {(paper, place) for paper, place in named if not place.startswith(others)} == set(TABLES)


@pytest.mark.parametrize("paper", SOURCES)
def test_the_papers_have_no_further_table_of_results(paper):
    text = text_of(paper)
    read = {line for (of, _), table in TABLES.items() if of == paper for line in table.lines(text)}
    left = [
        line
        for line in text.splitlines()
        if "\t" in line and any(map(str.isdigit, line)) and line not in read
    ]
    assert [line for line in left if not line.startswith(NO_RESULTS.get(paper, ()))] == []


def test_the_two_signs_that_the_tables_lost_are_the_only_numbers_of_a_result_file():
    text = text_of(3)
    assert text.count("slight negative") == len(UNSIGNED)
    for (place, cell), value in UNSIGNED.items():
        cells = "\t".join(TABLES[3, place].lines(text)).replace(" ", "").split("\t")
        assert cells.count(cell) == 1
        assert value == -float(cell)
    assert sorted(said(3, "result file").values()) == sorted(UNSIGNED.values())


def test_a_shortened_cell_is_the_beginning_of_its_number():
    for cell, value in SHORTENED.items():
        assert str(value).startswith(cell.replace(",", ""))


@pytest.mark.parametrize("paper", SOURCES)
def test_a_number_of_a_section_stands_in_the_text(paper):
    text = text_of(paper)
    for row in ROWS:
        if row["source"].startswith(SOURCES[paper]) and row["stands_in"].startswith("section "):
            number = row["value"].replace(".", "").isdigit()
            assert not number or row["value"] in text


def test_a_table_is_read_cell_by_cell_wherever_its_text_is():
    text = "Table I\nOF THIS TEST\n\nGB\tNodes\tPyTorch\tRay\n1.99\t3\t0.25\t0.5\n\n7\t7\t7\t7\n"
    taxi = ("nyc-yellow-taxi", 1.99, 3, "silhouette_of_local_clusterings")
    read = TABLES[1, "table I"].read(text)
    assert read == {("torch", *taxi): 0.25, ("ray", *taxi): 0.5}
    assert all(said(1, "table I")[cell] != value for cell, value in read.items())
