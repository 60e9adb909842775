"""What oracles read of text: whole lines, all of them, whatever is read at a time."""

import io

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
