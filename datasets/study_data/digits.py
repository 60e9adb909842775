"""Handwritten digits: scikit-learn's 1,797 of 8 × 8 pixels, and seeded deformed copies of them.

The one idea: row r of a part is a pure function of (seed, part, r). A part has n originals; its row
r is copy r // n of original r % n, and copy 0 is the original itself. So any thread can write any
row, the files have the same bytes whatever the number of threads, a smaller scale is the beginning
of a larger one, and a copy of a test image never trains.

The parts are those of scikit-learn's `train_test_split(test_size=0.2, random_state=42)`, in its
order: ×1 is exactly the published split. The digits are those of Alpaydin and Kaynak (1998,
"Optical Recognition of Handwritten Digits", UCI), 16 grey levels and none. A copy is the original
turned by at most 15 degrees, shifted by at most a pixel of the 8 × 8, and deformed elastically as
in Simard, Steinkraus and Platt (2003, "Best Practices for Convolutional Neural Networks"): random
displacements of every pixel, smoothed by a Gaussian. Their 34 pixels at a deviation of 4, of
29 × 29, are here 2.3 at 1, of 8 × 8: neighbours then move by 0.4 pixels, as theirs do by 1.4.

Other resolutions read the same deformed picture at more places, between the 8 × 8 pixels in
proportion (bilinear); what is outside is ground, 0. Pixels are rounded to whole numbers, 0 … 16,
and written as scikit-learn has them ("5.0"). Only additions, multiplications and divisions are
used, which every machine rounds the same.
"""

import functools
import math
import re
from collections.abc import Generator

import numba
import numpy as np
import numpy.typing as npt
from studykit import machine
from studykit.errors import UsageError
from studykit.storage.ahead import in_turn

from study_data.dataset import Size
from study_data.folders import Files, FolderDataset
from study_data.splitmix import mixed, uniform

PARTS = ("train", "test")
ORIGINALS = 1797
SIDE = 8
"""Pixels of an original."""
LARGEST_TURN = math.pi / 12
LARGEST_SHIFT = 1.0
ELASTICITY = 2.3
"""Largest displacement before smoothing; this and the shift in pixels of the 8 × 8."""
WEIGHTS = np.array([1, 4, 6, 4, 1]) / 16
"""Of neighbours, nearly a Gaussian of deviation 1."""
WORDS_PER_ROW = 3 + 2 * SIDE * SIDE
"""A turn, two shifts, two displacements of every pixel."""
CHUNK_BYTES = 1 << 22

Images = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@functools.cache
def originals() -> tuple[tuple[Images, Labels], ...]:
    """(images [n, 8, 8], labels [n]) of the training and of the test part."""
    # Here, because no other data set needs it.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images, tests, labels, test_labels = train_test_split(
        digits.images, digits.target, test_size=0.2, random_state=42
    )
    return (images, labels), (tests, test_labels)


def header(side: int) -> bytes:
    names = [f"pixel_{row}_{column}" for row in range(side) for column in range(side)]
    return ",".join([*names, "target\n"]).encode()


def files(
    rows: int, seed: int = 0, *, side: int = SIDE, threads: int = 0, chunk_bytes: int = CHUNK_BYTES
) -> Files:
    """train.csv and test.csv of so many rows together, a whole number of copies of all digits."""
    for part, (images, labels) in enumerate(originals()):
        count = rows // ORIGINALS * len(labels)
        key = np.uint64(mixed(len(PARTS) * seed + part))
        pieces = _pieces(images, labels, count, key, side, threads, chunk_bytes)
        yield f"{PARTS[part]}.csv", pieces


def _pieces(
    images: Images,
    labels: Labels,
    rows: int,
    key: np.uint64,
    side: int,
    threads: int,
    chunk_bytes: int,
) -> Generator[memoryview, None, None]:
    """A file's bytes in order. Memory stays at a few chunks, whatever the size of the file."""
    yield memoryview(header(side))
    longest = side * side * len("16.0,") + len("9\n")
    step = max(chunk_bytes // longest, 1)

    def piece(start: int) -> memoryview:
        stop = min(start + step, rows)
        text = np.empty((stop - start) * longest, np.uint8)
        return text[: _fill(text, images, labels, start, stop, key, side)].data

    yield from in_turn(range(0, rows, step), piece, threads or machine.cores())


@numba.njit(nogil=True, cache=True)
def _between(image, y, x):  # type: ignore[no-untyped-def]
    """The image at a place between its pixels, in proportion; 0 outside."""
    row, column = int(np.floor(y)), int(np.floor(x))
    down, right = y - row, x - column
    value = 0.0
    for i in range(2):
        for j in range(2):
            if 0 <= row + i < SIDE and 0 <= column + j < SIDE:
                weight = (down if i else 1.0 - down) * (right if j else 1.0 - right)
                value += weight * image[row + i, column + j]
    return value


@numba.njit(nogil=True, cache=True)
def _smooth(field, room):  # type: ignore[no-untyped-def]
    """Weighs neighbours down, and writes what it finds across: twice, and both are done."""
    for row in range(SIDE):
        for column in range(SIDE):
            total = 0.0
            for place in range(max(0, row - 2), min(SIDE, row + 3)):
                total += WEIGHTS[place - row + 2] * field[place, column]
            room[column, row] = total


@numba.njit(nogil=True, cache=True)
def _deformation(key, row, fields, room):  # type: ignore[no-untyped-def]
    """Draws a row's deformation: (turn, shift down, shift right), and into `fields` [2, 8, 8]."""
    counter = np.uint64(row) * np.uint64(WORDS_PER_ROW)
    turn = LARGEST_TURN * (2.0 * uniform(key, counter + np.uint64(1)) - 1.0)
    down = LARGEST_SHIFT * (2.0 * uniform(key, counter + np.uint64(2)) - 1.0)
    right = LARGEST_SHIFT * (2.0 * uniform(key, counter + np.uint64(3)) - 1.0)
    for place in range(2 * SIDE * SIDE):
        drawn = 2.0 * uniform(key, counter + np.uint64(4 + place)) - 1.0
        axis, pixel = divmod(place, SIDE * SIDE)
        fields[axis, pixel // SIDE, pixel % SIDE] = ELASTICITY * drawn
    for axis in range(2):
        _smooth(fields[axis], room)
        _smooth(room, fields[axis])
    return turn, down, right


@numba.njit(nogil=True, cache=True)
def _fill(text, images, labels, start, stop, key, side):  # type: ignore[no-untyped-def]
    """Write the rows start … stop - 1; returns how many bytes they take."""
    fields, room = np.zeros((2, SIDE, SIDE)), np.empty((SIDE, SIDE))
    middle, at = (SIDE - 1) / 2, 0
    for row in range(start, stop):
        original = row % labels.size
        image = images[original]
        turn, down, right = 0.0, 0.0, 0.0
        if row >= labels.size:
            turn, down, right = _deformation(key, row, fields, room)
        # Their series: exact to 1e-7 at 15 degrees, and the same on every machine.
        square = turn * turn
        sine = turn * (1.0 - square / 6.0 * (1.0 - square / 20.0))
        cosine = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0))
        for i in range(side):
            for j in range(side):
                y, x = (i + 0.5) * SIDE / side - 0.5, (j + 0.5) * SIDE / side - 0.5
                from_y = y + _between(fields[0], y, x) - middle
                from_x = x + _between(fields[1], y, x) - middle
                turned_y = cosine * from_y - sine * from_x + middle + down
                turned_x = sine * from_y + cosine * from_x + middle + right
                pixel = int(_between(image, turned_y, turned_x) + 0.5)
                if pixel >= 10:
                    text[at] = 49
                    at, pixel = at + 1, pixel - 10
                text[at], text[at + 1], text[at + 2], text[at + 3] = 48 + pixel, 46, 48, 44
                at += 4
        text[at], text[at + 1] = 48 + labels[original], 10
        at += 2
    return at


SIZES = {
    8: {"tiny": (1, 496_022), "100mb": (204, 99_814_861), "1gb": (2_044, 1_000_038_944)},
    28: {"tiny": (1, 5_986_077), "100mb": (17, 101_209_640), "1gb": (168, 999_884_428)},
    32: {"tiny": (1, 7_816_546), "100mb": (13, 101_082_983), "1gb": (129, 1_002_659_347)},
}
"""{resolution: {size: (copies, bytes)}}, of the whole numbers of copies that come nearest."""
SHA256 = {
    (8, "tiny"): "a61768655f7a4a857812a73d2e3c9211138a00e292c9b9f1c3987c66b524a643",
    (8, "100mb"): "e6792f652421e3f101a71b946313e57195a4c14d403260251f07ad29595ee874",
    (8, "1gb"): "d4b26d1509e7548d38d8645385fc40be1e64252ea972abe986aca2a604edefca",
    (28, "tiny"): "66d2200a2b20fc0a973aa25e54dfaa858f21c307178408aa17237a0ed8974528",
    (28, "100mb"): "6f6b7a25614ee4451dd01b2c13e9bf2b5eb2c5ba02282d488caa321057b914eb",
    (28, "1gb"): "cb6daa964fd80b16814e28ebad8423dc928e87fc353881d1332f2b55151b23ba",
    (32, "tiny"): "913e500444f6551097a961fa9f0710faddcb0a4c75a71398d40a948dad06d0bf",
    (32, "100mb"): "849030ce68d6a957708277e022fdcdf1d0fc0ae1d7a6165578f6eaa691644d79",
    (32, "1gb"): "7f75fbdb4f91d37f1505e7c9afd564fb2c2030e79c1f5be3d7175c01f2f418cb",
}
COPY_BYTES = {8: 489_255, 28: 5_951_473, 32: 7_772_203}
"""Of all digits once, deformed, on average."""


class Scales(dict[str, Size]):
    """The named sizes, and beside them `xN` for every N: all digits N times, about so large."""

    def __init__(self, side: int) -> None:
        super().__init__(
            (name, Size(copies * ORIGINALS, length, SHA256.get((side, name))))
            for name, (copies, length) in SIZES[side].items()
        )
        self._copy_bytes = COPY_BYTES[side]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or re.fullmatch("x[1-9][0-9]*", str(name)) is not None

    def __missing__(self, name: str) -> Size:
        if name not in self:
            raise KeyError(name)
        copies = int(name[1:])
        return Size(copies * ORIGINALS, self["tiny"].bytes + (copies - 1) * self._copy_bytes)


def dataset(resolution: int = SIDE) -> FolderDataset:
    """The digits of so many pixels a side: `digits`, or `digits-28` and `digits-32`."""
    if resolution not in SIZES:
        raise UsageError(f"--resolution {resolution}: choose {', '.join(map(str, SIZES))}")
    last = resolution - 1
    return FolderDataset(
        name="digits" if resolution == SIDE else f"digits-{resolution}",
        title=f"handwritten digits of {resolution} × {resolution} pixels, and deformed copies",
        licence="CC BY 4.0 (digits of Alpaydin and Kaynak, UCI); copies made by this project",
        source="scikit-learn's load_digits, study_data/digits.py",
        schema=f"train.csv, test.csv: pixel_0_0,…,pixel_{last}_{last},target (0.0 … 16.0; 0 … 9)",
        sizes=Scales(resolution),
        make_files=functools.partial(files, side=resolution),
        prefixes=True,
    )


DATASET = dataset()
