"""Compressed files: read whatever their name, in bounded pieces; damage is named, not left out."""

import bz2
import itertools
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit import storage
from studykit.errors import DataError
from studykit.storage import Split, contents, inflation
from studykit.storage.inflation import inflate
from studytest import fake_stores
from studytest.forms import COMPRESSED

ROWS = "".join(f"{number},{number**3}\n" for number in range(10_000)).encode()
TEXTS = st.lists(st.sampled_from(["", "1,2", "é" * 30, "\r"]), min_size=1, max_size=30).map(
    lambda lines: "\n".join(lines).encode()
)
NAMES = ("a.csv", "a.gz", "a.csv.GZ", "a.bz2", "a.xz", "a.csv.zst", "a")


def text_of(split: Split) -> bytes:
    return b"".join(block.data.tobytes() for block in storage.read_blocks(split))


folder = fake_stores.kept_folder


@pytest.mark.parametrize("form", COMPRESSED)
@settings(deadline=None, max_examples=30)
@given(TEXTS, st.lists(st.integers(0, 100), max_size=3), st.integers(1, 64), st.sampled_from(NAMES))
def test_a_compressed_file_is_one_split_read_in_bounded_pieces(
    folder: str, form: str, text: bytes, cuts: list[int], piece: int, name: str
) -> None:
    """It may be several, one behind the other."""
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    members = [text[start:stop] for start, stop in itertools.pairwise(places)]
    uri = storage.join(folder, name)
    storage.write_bytes(uri, b"".join(map(COMPRESSED[form], members)))
    (split,) = storage.splits(uri, 1)
    assert split.compression == form
    assert text_of(pickle.loads(pickle.dumps(split))) == text
    read = 0
    for block in storage.read_blocks(split, piece):
        assert block.offset == read
        assert not block.data.flags.writeable
        read += len(block.data)
        assert text[:read].endswith(b"\n") or read == len(text)
        assert block.data.tobytes().count(b"\n") <= 1 or len(block.data) <= 62 + piece
    assert read == len(text)
    with storage.open_inflated(uri) as file:
        assert file.read(3) + file.readline() + file.read() == text


@pytest.mark.parametrize("name", NAMES)
def test_plain_text_is_read_as_it_is_whatever_its_name(folder: str, name: str) -> None:
    uri = storage.join(folder, name)
    storage.write_bytes(uri, ROWS)
    cut = storage.splits(uri, 50_000)
    assert len(cut) == -(-len(ROWS) // 50_000)
    assert {split.compression for split in cut} == {None}
    assert b"".join(map(text_of, cut)) == ROWS
    with storage.open_inflated(uri) as file:
        assert file.read() == ROWS


@pytest.mark.parametrize("text", [b"BZh9,1\n", b"PK\n", b"P*M,1\n", b"(1)\n", b"\n", b"x"])
def test_text_that_begins_like_a_compressed_file_is_text(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    (split,) = storage.splits(f"{tmp_path}/a.csv", 100)
    assert (split.compression, text_of(split)) == (None, text)


def test_a_file_is_asked_for_its_compression_once_by_one_small_request(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "b.csv"):
        storage.write_bytes(storage.join(folder, "asked", name), COMPRESSED["xz"](ROWS))
    asked: list[tuple[str, int]] = []
    first_bytes = contents.first_bytes

    def asking(uri: str, count: int) -> bytes:
        asked.append((uri, count))
        return first_bytes(uri, count)

    monkeypatch.setattr(contents, "first_bytes", asking)
    cut = storage.splits(storage.join(folder, "asked"), 100)
    assert [uri for uri, _ in asked] == [split.uri for split in cut]
    assert all(count <= 16 for _, count in asked)
    monkeypatch.setattr(inflation, "compression_of", None)  # Whoever reads does not look again.
    assert [text_of(split) for split in cut] == [ROWS, ROWS]
    assert len(asked) == 2


@pytest.mark.parametrize("form", COMPRESSED)
def test_however_far_a_file_inflates_its_pieces_are_small(tmp_path: Path, form: str) -> None:
    text = (b"0" * 99 + b"\n") * 50_000
    path = tmp_path / "a.csv"
    path.write_bytes(COMPRESSED[form](text))
    assert path.stat().st_size < len(text) / 100
    sizes = [len(piece) for piece in inflate(str(path), form, 10_000)]
    assert sum(sizes) == len(text)
    assert 0 < min(sizes) <= max(sizes) <= 10_000


@pytest.mark.parametrize("form", COMPRESSED)
def test_a_truncated_file_names_the_line_it_ends_in(folder: str, form: str) -> None:
    # As small as its blocks may be, because no part of a block can be inflated.
    compress = (lambda text: bz2.compress(text, 1)) if form == "bz2" else COMPRESSED[form]
    stored = compress(ROWS)
    uri = storage.join(folder, "cut.csv")
    storage.write_bytes(uri, stored[: len(stored) * 9 // 10])
    with pytest.raises(DataError, match=f"truncated {form} file") as caught:
        text_of(storage.splits(uri, 10)[0])
    assert caught.value.uri == uri
    assert caught.value.line is not None
    assert 1000 < caught.value.line < 10_000


SMALL = b"".join(b"%d,%d\n" % (n, n**7) for n in range(60))


def read_or_named(path: Path, stored: bytes) -> bytes | None:
    """The text, or None where the file is refused in the way of a damaged one."""
    path.write_bytes(stored)
    (split,) = storage.splits(str(path), 10_000)
    try:
        return text_of(split) if split.compression else None
    except DataError as error:
        assert error.uri == str(path)
        assert error.line is not None and error.line >= 1
        assert re.search("(damaged|truncated) (gzip|bz2|xz|zstd) file|too much memory", str(error))
        return None


@pytest.mark.parametrize("form", COMPRESSED)
def test_a_file_cut_anywhere_is_named(tmp_path: Path, form: str) -> None:
    stored = COMPRESSED[form](SMALL)
    for length in range(1, len(stored)):
        assert read_or_named(tmp_path / "a.csv", stored[:length]) is None, length
    assert read_or_named(tmp_path / "a.csv", stored) == SMALL


@pytest.mark.parametrize("form", COMPRESSED)
def test_a_file_changed_anywhere_is_read_right_or_named(tmp_path: Path, form: str) -> None:
    stored = COMPRESSED[form](SMALL)
    for place in range(len(stored)):
        changed = bytearray(stored)
        changed[place] ^= 0xFF
        found = read_or_named(tmp_path / "a.csv", bytes(changed))
        # Arrow writes zstd without a checksum; `zstd` itself writes one.
        assert found in (None, SMALL) or form == "zstd", place


BEHIND: dict[str, Callable[[bytes], bytes]] = {
    "a damaged member": lambda stored: b"\x00\x01" + stored[2:],
    "half a member": lambda stored: stored[: len(stored) // 2],
    "text": lambda _: b"1,2\n",
}


@pytest.mark.parametrize("form", COMPRESSED)
@pytest.mark.parametrize("behind", BEHIND)
def test_what_is_wrong_behind_a_member_is_named(tmp_path: Path, form: str, behind: str) -> None:
    stored = COMPRESSED[form](SMALL)
    path = tmp_path / "a.csv"
    path.write_bytes(stored + BEHIND[behind](stored))
    with pytest.raises(DataError, match=r"a\.csv, line \d+: (damaged|truncated)"):
        text_of(storage.splits(str(path), 10)[0])


@pytest.mark.parametrize("form", ["gzip", "bz2", "xz"])
def test_zeros_between_and_behind_members_are_padding(tmp_path: Path, form: str) -> None:
    stored, zeros = COMPRESSED[form](b"1\n"), b"\0" * 10_000
    (tmp_path / "a.csv").write_bytes(stored + zeros + stored + zeros)
    (split,) = storage.splits(f"{tmp_path}/a.csv", 9)
    assert text_of(split) == b"1\n1\n"


def test_frames_of_zstd_that_are_to_be_skipped_are_skipped(tmp_path: Path) -> None:
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"pzst"
    (tmp_path / "a.csv").write_bytes(skipped + COMPRESSED["zstd"](ROWS) + skipped)
    (split,) = storage.splits(f"{tmp_path}/a.csv", 9)
    assert text_of(split) == ROWS


def test_a_window_that_takes_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflation, "MOST_MEMORY", 1 << 20)
    (tmp_path / "a.csv").write_bytes(COMPRESSED["xz"](ROWS))
    (split,) = storage.splits(f"{tmp_path}/a.csv", 9)
    with pytest.raises(DataError, match="too much memory to inflate: compress it again"):
        text_of(split)
