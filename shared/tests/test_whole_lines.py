"""What oracles read of text: whole lines, all of them, whatever is read at a time."""

import io
import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studykit.storage import whole_lines


@given(st.text("a\n", max_size=60).map(str.encode), st.integers(1, 70))
def test_pieces_are_the_text_and_end_with_its_lines(text: bytes, read_bytes: int) -> None:
    pieces = list(whole_lines.pieces(io.BytesIO(text), read_bytes))
    assert b"".join(pieces) == text
    assert all(pieces) and all(piece.endswith(b"\n") for piece in pieces[:-1])
    if len(text) <= read_bytes:
        assert len(pieces) == bool(text)
    longest = max(map(len, text.split(b"\n")))
    assert all(len(piece) <= 2 * read_bytes + longest for piece in pieces)


@pytest.mark.parametrize(
    ("piece", "header", "rest"),
    [
        (b"a,b\n1,2\n", "a,b", b"1,2\n"),
        (b"\xef\xbb\xbf \t\r\n\na,b\r\n1,2", "a,b", b"1,2"),
        (b" a,\xff", " a,\N{REPLACEMENT CHARACTER}", b""),
        (b"\n\n", "", b""),
    ],
)
def test_a_header_is_the_first_line_that_is_not_blank(
    piece: bytes, header: str, rest: bytes
) -> None:
    assert whole_lines.header(piece) == (header, rest)


@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_are_worked_on_in_their_order_and_few_wait(threads: int) -> None:
    pieces = itertools.count(1)
    made = whole_lines.over(lambda piece: (piece, threading.get_ident()), pieces, threads)
    found = list(itertools.islice(made, 50))
    assert [piece for piece, _ in found] == list(range(1, 51))
    assert next(pieces) - 1 <= 50 + threads + 1
    assert threading.get_ident() not in {thread for _, thread in found}


def test_what_goes_wrong_with_a_piece_is_raised_in_its_turn() -> None:
    made = whole_lines.over(lambda piece: 1 // piece, [1, 0, 1], 2)
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)
