"""Colour pictures of 32 × 32 pixels in ten classes, in CIFAR-10's files: generated, with a signal.

The one idea: row r of a batch is a pure function of (seed, batch, r), so the files have the same
bytes whatever the number of threads, and those of a smaller size are the beginnings of those of a
larger one.

What tells the classes apart: a disc of stripes, in one of five directions, fine or coarse. Where it
is and how large, which colours and how much contrast it has, at which phase the stripes begin and
by how much they are turned is drawn for each picture, so that neither single pixels nor a mean
colour tell the class: stripes have to be found wherever they are. All around lie fainter stripes of
some class, and noise is on all of it, so that some pictures are hard.

Files as Krizhevsky's (2009, "Learning Multiple Layers of Features from Tiny Images"): five batches
to train on and one to test, a row of 3,073 bytes for each picture: its label, then 1,024 bytes each
of red, green and blue; and the names of the classes. Every ten rows have every class once. Only
additions, multiplications, roundings and absolute values of single floats are used, each by itself,
which every machine rounds the same.
"""

import numpy as np
import numpy.typing as npt
from studykit import machine
from studykit.storage.ahead import in_turn

from study_data.dataset import Size
from study_data.folders import Files, FolderDataset

SIDE = 32
ROW_BYTES = 1 + 3 * SIDE * SIDE
BATCHES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
NAMES_FILE = "batches.meta.txt"
DIRECTIONS = ((1.0, 0.0), (0.809, 0.588), (0.309, 0.951), (-0.309, 0.951), (-0.809, 0.588))
"""Across the stripes, turned by 36 degrees each."""
PERIODS = (("fine", 5.0), ("coarse", 9.0))
"""Pixels from one stripe to the next."""
CLASSES = tuple(
    f"{name} stripes at {36 * place} degrees" for name, _ in PERIODS for place in range(5)
)
JITTER = 0.28
"""By how much stripes are turned at most either way, in radians; half of what lies between two
directions is 0.314."""
STRETCH = 0.15
"""By what share of a period one may be longer or shorter."""
RADII = (10.0, 18.0)
CONTRASTS = (0.5, 1.0)
AROUND = 0.2
"""Contrast of the stripes around, of that of the disc's."""
NOISE = 32
"""How much brighter than another a pixel may be by chance, of 255."""
DRAWN = 24
"""Words of a picture but for its noise."""
CHUNK_ROWS = 500

Floats = npt.NDArray[np.float32]


def _words(seed: int, kind: int, number: int, count: int) -> npt.NDArray[np.uint64]:
    """Random bits that NumPy promises never to change, as it does of no distribution."""
    return np.random.PCG64([seed, kind, number]).random_raw(count)  # type: ignore[return-value]


def labels(seed: int, batch: int, rows: int) -> npt.NDArray[np.uint8]:
    """uint8[rows]: each ten of them have every class once, in an order that is drawn."""
    tens = -(-rows // len(CLASSES))
    drawn = [
        np.argsort(_words(seed, 2 * batch, ten, len(CLASSES)), kind="stable") for ten in range(tens)
    ]
    return np.concatenate(drawn).astype(np.uint8)[:rows]


def _wave(across: Floats) -> Floats:
    """-1 … 1, once for every whole number; of straight lines, where a sine would be rounded."""
    return np.float32(4) * np.abs(across - np.floor(across + np.float32(0.5))) - np.float32(1)


def _stripes(classes: npt.NDArray[np.int64], drawn: Floats) -> Floats:
    """float32[n, 32, 32] of -1 … 1; `drawn` [n, 3] are turn, stretch and phase, each 0 … 1."""
    directions = np.array(DIRECTIONS, np.float32)[classes % len(DIRECTIONS)]
    periods = np.array([period for _, period in PERIODS], np.float32)[classes // len(DIRECTIONS)]
    turn = np.float32(JITTER) * (np.float32(2) * drawn[:, 0] - np.float32(1))
    longer = np.float32(1) + np.float32(STRETCH) * (np.float32(2) * drawn[:, 1] - np.float32(1))
    # The tangent instead of the angle: close enough, and no matter for what is drawn.
    frequency = np.float32(1) / (periods * longer)
    x = frequency * (directions[:, 0] - turn * directions[:, 1])
    y = frequency * (directions[:, 1] + turn * directions[:, 0])
    place = np.arange(SIDE, dtype=np.float32)
    across = x[:, None, None] * place + y[:, None, None] * place[:, None]
    return _wave(np.asarray(across + drawn[:, 2][:, None, None], np.float32))


def pixels(classes: npt.NDArray[np.uint8], words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """uint8[n, 3, 32, 32] of the classes [n] and words [n, DRAWN + 384] of each picture."""
    drawn = ((words[:, :DRAWN] >> np.uint64(40)).astype(np.float32)) * np.float32(2.0**-24)
    own = classes.astype(np.int64)
    other = (words[:, DRAWN - 1] >> np.uint64(8)).astype(np.int64) % len(CLASSES)
    shown, around = _stripes(own, drawn[:, 0:3]), _stripes(other, drawn[:, 3:6])
    middle = np.float32(SIDE / 2) + np.float32(12) * (drawn[:, 6:8] - np.float32(0.5))
    radius = np.float32(RADII[0]) + np.float32(RADII[1] - RADII[0]) * drawn[:, 8]
    place = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    down = place[:, None] - middle[:, 0][:, None, None]
    right = place - middle[:, 1][:, None, None]
    square = (radius * radius)[:, None, None]
    # 1 inside, 0 outside, and a soft edge between.
    inside = np.clip(np.float32(3) * (np.float32(1) - (down * down + right * right) / square), 0, 1)
    disc = shown * inside + np.float32(AROUND) * around * (np.float32(1) - inside)
    contrast = np.float32(CONTRASTS[0]) + np.float32(CONTRASTS[1] - CONTRASTS[0]) * drawn[:, 9]
    # Every colour of stripes by its own sign and strength, on a ground of any colour.
    colours = np.float32(25) + np.float32(45) * drawn[:, 10:13]
    ground = np.float32(75) + np.float32(105) * drawn[:, 13:16]
    wave = (contrast[:, None, None] * disc)[:, None] * colours[:, :, None, None]
    noise = words[:, DRAWN:].view(np.uint8).reshape(-1, 3, SIDE, SIDE)
    grain = (noise.astype(np.float32) - np.float32(128)) * np.float32(NOISE / 256)
    return np.clip(ground[:, :, None, None] + wave + grain, 0, 255).astype(np.uint8)


def rows_of(seed: int, batch: int, start: int, classes: npt.NDArray[np.uint8]) -> memoryview:
    """The bytes of the rows of a batch from `start` on, of these classes."""
    count = DRAWN + 3 * SIDE * SIDE // 8
    words = np.stack(
        [_words(seed, 2 * batch + 1, start + row, count) for row in range(len(classes))]
    )
    text = np.empty((len(classes), ROW_BYTES), np.uint8)
    text[:, 0] = classes
    text[:, 1:] = pixels(classes, words).reshape(len(classes), -1)
    return text.reshape(-1).data


def files(rows: int, seed: int = 0, *, threads: int = 0) -> Files:
    """The names of the classes, and six batches of a sixth of the rows each."""
    yield NAMES_FILE, "".join(f"{name}\n" for name in CLASSES).encode()
    each = rows // len(BATCHES)
    for batch, name in enumerate(BATCHES):
        drawn = labels(seed, batch, each)

        def piece(
            start: int, batch: int = batch, drawn: npt.NDArray[np.uint8] = drawn
        ) -> memoryview:
            return rows_of(seed, batch, start, drawn[start : start + CHUNK_ROWS])

        yield name, in_turn(range(0, each, CHUNK_ROWS), piece, threads or machine.cores())


DATASET = FolderDataset(
    name="cifar-like",
    title="stripes in ten classes, colour pictures of 32 × 32 pixels in CIFAR-10's files",
    licence="Apache-2.0",
    source="study_data/cifar_like.py",
    schema=f"{NAMES_FILE}; {', '.join(BATCHES)}: rows of 1 + 3,072 bytes",
    sizes={
        "tiny": Size(
            2_400, 7_375_482, "92fe92e469dbaccea2a5e85b4cfa9f14a8d2722ad46480eba17cc4bb4b728960"
        ),
        "5k": Size(
            6_000, 18_438_282, "bc85d236226b3faf38916494f7ef0a65bd50f3612d71f730f8e561f49ed6ba04"
        ),
        "full": Size(
            60_000, 184_380_282, "bd61b1824c2054d95816aaa5e489bc9b8254f62806c6603e21aa4c7d875ed747"
        ),
    },
    make_files=files,
    prefixes=True,
)
