"""What a person reads of an error: one line, in which blanks are seen and nothing steers."""

import re

import pytest
from studykit import cli
from studykit.errors import DataError, one_line


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("'  A' is none of A, B", "'  A' is none of A, B"),
        ("a\nb \n  c", "a b c"),
        ("\x1b[31mred\x07\x00\x9b", r"\x1b[31mred\x07\x00\x9b"),
        ("1\xa02\u2028\u202e\udc80", r"1\xa02\u2028\u202e\udc80"),
        ("é€ 日本 … ×", "é€ 日本 … ×"),
        ("a\tb\rc", r"a\tb\rc"),
    ],
)
def test_what_cannot_be_seen_is_escaped(reason: str, said: str) -> None:
    assert one_line(DataError(reason, uri="a.csv", line=3)) == f"a.csv, line 3: {said}"


def test_an_error_without_a_text_is_called_by_its_name() -> None:
    assert one_line(KeyError()) == "KeyError"


@pytest.mark.parametrize(
    ("column", "said"),
    [("x", "column x"), ("", "column ''"), (" x", "column ' x'"), (7, "column 7")],
)
def test_blanks_of_a_column_are_seen(column: int | str, said: str) -> None:
    assert said in str(DataError("wrong", column=column))


def test_a_word_between_colons_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught, cli.manners(debug=False):
        raise DataError("':cat:' [bold]\x1b[2J", uri="a.csv")
    assert caught.value.code == 2
    assert re.sub(r"\s+$", "", capsys.readouterr().err) == r"error: a.csv: ':cat:' [bold]\x1b[2J"
