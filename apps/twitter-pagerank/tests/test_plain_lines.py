"""Plain lines read two at a time: the same ids, and the same place to stop, as byte by byte."""

import random

import numpy as np
import pytest
from twitter_pagerank import clean_lines, plain_lines
from twitter_pagerank.clean_lines import ANY_BLANKS

LINES = 8000
"""Several windows."""
NARROW, WIDE = 2**32 - 1, 10**18
CANARY = 77


def numbers(seed, most_digits=8, count=LINES):
    choice = random.Random(seed)
    return [
        [choice.randrange(10 ** choice.randint(1, most_digits)) for _ in range(2)]
        for _ in range(count)
    ]


def text(edges, between=b",", end=b"\n"):
    return b"".join(b"%d%s%d%s" % (one, between, other, end) for one, other in edges)


def parsed(parse, data, delimiter, widest=WIDE, values=False):
    """Its result, and the ids; nothing may be written past the room that columns must have."""
    room = len(data) // int(plain_lines.SHORTEST_LINE) + 1
    columns = [np.full(room + 4096, CANARY, np.int64) for _ in range(2)]
    delimiter = np.uint8(delimiter if delimiter == ANY_BLANKS else ord(delimiter))
    views = [column[:room] for column in columns]
    count, stop, largest = parse(np.frombuffer(data, np.uint8), *views, delimiter, values, widest)
    assert all((column[room:] == CANARY).all() for column in columns)
    return np.stack([view[:count] for view in views], axis=1).tolist(), stop, largest


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("between", [b",", b"\t", b";", b" "])
@pytest.mark.parametrize("digits", [1, 8, 9, 16])
def test_plain_lines_of_every_dialect_are_read_whole(between, end, digits):
    edges = numbers(digits, digits)
    data = text(edges, between, end)
    known = ANY_BLANKS if between == b" " else between
    wanted = edges, len(data), max(map(max, edges))
    assert parsed(clean_lines.parse, data, known) == wanted
    cut = data.rstrip()
    assert parsed(clean_lines.parse, cut, known) == (edges, len(cut), wanted[2])


def test_all_but_the_last_windows_are_read_two_at_a_time():
    edges = numbers(1)
    data = text(edges)
    columns = np.empty((2, len(data) // 4 + 1), np.int64)
    stop, count, largest = plain_lines.parse(
        np.frombuffer(data, np.uint8), 0, columns[0], columns[1], 0, np.uint8(ord(",")), WIDE
    )
    assert len(data) - stop < 3 * plain_lines.WINDOW_BYTES and data[stop - 1 : stop] == b"\n"
    assert columns[:, :count].T.tolist() == edges[:count]
    assert largest == max(map(max, edges[:count]))


def test_the_shortest_lines_fill_the_columns_and_no_more():
    edges = numbers(3, 1)
    assert parsed(clean_lines.parse, text(edges), b",")[0] == edges


UNUSUAL = {
    "comment": b"# 1,2\n",
    "blank": b"\n",
    "other end": b"3,4\r\n",
    "float": b"1.0,2.00\n",
    "long zeros": b"0000000000000012,3\n",
    "17 digits": b"12345678901234567,3\n",
    "19 digits": b"3,1234567890123456789\n",
    "too wide": b"3,9999999999\n",
    "signed": b"-1,3\n",
    "missing": b",3\n",
    "missing behind": b"3,\n",
    "three": b"1,2,3\n",
    "blanks": b"1 , 2\n",
    "quoted": b'"1","2"\n',
    "word": b"1,b\n",
    "zero byte": b"1\x002\n",
    "lone return": b"1,2\r3,4\n",
    "other delimiter": b"1\t2\n",
    "past nine": b"1:2\n",
    "not ASCII": b"1,2\xb2\n",
    "long": b"#" * 100_000 + b"\n",
}


@pytest.mark.parametrize("unusual", UNUSUAL.values(), ids=UNUSUAL)
def test_an_unusual_line_is_read_or_stopped_at_wherever_it_stands(unusual):
    for seed in range(12):
        edges = numbers(seed)
        place = random.Random(seed).randrange(LINES) if seed > 1 else seed * (LINES - 1)
        data = text(edges[:place]) + unusual + text(edges[place:])
        wanted = parsed(clean_lines._by_bytes, data, b",", NARROW)
        assert wanted[0][:place] == edges[:place]
        assert parsed(clean_lines.parse, data, b",", NARROW) == wanted


@pytest.mark.parametrize("often", [2, 30, 700])
def test_unusual_lines_among_plain_ones_are_read_in_their_order(often):
    choice, edges = random.Random(often), numbers(often)
    made = [
        choice.choice([b"# so\n", b"%d.0\t%d\n", b"%d  %d \r\n"])
        if not choice.randrange(often)
        else b"%d\t%d\n"
        for _ in edges
    ]
    lines = [
        form % tuple(edge) if b"%" in form else form for form, edge in zip(made, edges, strict=True)
    ]
    wanted = [edge for form, edge in zip(made, edges, strict=True) if b"%" in form]
    data = b"".join(lines)
    found, stop, largest = parsed(clean_lines.parse, data, ANY_BLANKS)
    assert (found, stop, largest) == (wanted, len(data), max(map(max, wanted)))


def test_weights_stand_behind_the_ids():
    edges = numbers(5)
    data = text(edges, b" ", b" 0.5\n")
    assert parsed(clean_lines.parse, data, ANY_BLANKS, values=True)[:2] == (edges, len(data))
    assert parsed(clean_lines.parse, text(edges, b" "), ANY_BLANKS, values=True) == ([], 0, -1)
