"""Pictures of lesions of the skin with a table of what is known of each: generated, with a signal.

The one idea: a lesion is a pure function of (seed, its number), a picture of (seed, its number). So
any thread can draw any picture, and a smaller size is the beginning of a larger one.

What a classifier can find: a malignant lesion is on average darker, bluer and less round, its owner
older and it longer; each is blurred by chance, so that neither picture nor table tells all.
What it must not learn: each lesion is in one to five pictures, and skin and lesion have a pattern
that is theirs alone. Who trains on some pictures of a lesion and tests on others knows it again.

Table: metadata.csv. Pictures: JPEG as cameras write them, some 1.0 MB of 1600 × 1200 pixels; the
first `SMALL` are of 200 × 150, so that the smallest size is small. A picture is drawn small, made
large by Pillow and given grain. Its bytes are those of the Pillow in the locks and of the
libjpeg-turbo within; another one may round otherwise.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit import machine
from studykit.storage.ahead import in_turn

from study_data.dataset import Size
from study_data.folders import Files, FolderDataset

HEADER = "lesion_id,image,malignant,age,sex,location,distance,length_mm,width_mm\n"
SEXES = ("female", "male")
LOCATIONS = ("back", "chest", "arm", "face", "leg", "abdomen", "hand", "foot", "neck", "scalp")
DISTANCES = ("dscope", "6in", "1ft")
MOST_PICTURES = 5
"""Of a lesion; from one on, each number as often."""
SMALL = 120
SMALL_SIDES, SIDES = (200, 150), (1600, 1200)
QUALITY = 92
"""Of JPEG, as cameras have it."""
SKETCH = (400, 300)
"""Pixels that a picture is drawn of, before it is made as large as it is to be."""
GRAIN = 63
"""How much brighter than others a pixel may be by chance, of 255: what makes a picture 1.0 MB. Its
bits are all ones."""
IN_PICTURE, IN_TABLE = 1.3, 0.6
"""How far each of three properties of a malignant lesion's picture, and each of two of its table,
is from the mean of all, in deviations; a benign one's is as far on the other side."""
GRID = (16, 12)
"""Cells of the pattern of skin and lesion."""


@dataclass(frozen=True)
class Lesion:
    """Colours of 255, lengths as shares of the picture's width."""

    number: int
    malignant: bool
    age: int
    sex: str
    location: str
    length_mm: float
    width_mm: float
    skin: npt.NDArray[np.float64]
    colour: npt.NDArray[np.float64]
    radius: float
    roughness: float
    pattern: npt.NDArray[np.float64]

    @property
    def name(self) -> str:
        return f"lesion_{self.number:06}"


def _words(seed: int, kind: int, number: int, count: int) -> npt.NDArray[np.uint64]:
    """Random bits that NumPy promises never to change, as it does of no distribution."""
    return np.random.PCG64([seed, kind, number]).random_raw(count)  # type: ignore[return-value]


def _uniform(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _pictures_of(seed: int, lesion: int) -> int:
    return 1 + int(_words(seed, 0, lesion, 1)[0] % np.uint64(MOST_PICTURES))


def lesion(seed: int, number: int) -> Lesion:
    drawn = _uniform(_words(seed, 1, number, 40 + 3 * GRID[0] * GRID[1]))
    malignant = bool(drawn[0] < 0.5)
    sign = 1.0 if malignant else -1.0
    # Nearly normal, of deviation 1: sums of six uniform numbers each.
    blurred = [(drawn[1 + 6 * k : 7 + 6 * k].sum() - 3) * 2**0.5 for k in range(4)]
    dark, blue, rough = (IN_PICTURE * sign + one for one in blurred[:3])
    age = int(min(max(55 + 14 * (IN_TABLE * sign + blurred[3]), 5), 95))
    length = round(max(6 + 2.3 * IN_TABLE * sign + 8 * (drawn[26] - 0.5), 1.0), 1)
    skin = np.array([205.0, 160.0, 135.0]) + 50 * (drawn[27:30] - 0.5)
    colour = np.array([130.0, 85.0, 70.0]) + 30 * (drawn[30:33] - 0.5)
    colour += np.array([-14.0, -14.0, -14.0]) * dark + np.array([-6.0, 0.0, 10.0]) * blue
    return Lesion(
        number=number,
        malignant=malignant,
        age=age,
        sex=SEXES[int(drawn[33] * len(SEXES))],
        location=LOCATIONS[int(drawn[34] * len(LOCATIONS))],
        length_mm=float(length),
        width_mm=float(round(length * (0.5 + 0.5 * drawn[35]), 1)),
        skin=skin,
        colour=colour,
        radius=0.16 + 0.1 * float(drawn[36]),
        roughness=max(0.25 + 0.12 * rough, 0.0),
        pattern=drawn[40:].reshape(GRID[1], GRID[0], 3) - 0.5,
    )


def places(pictures: int, seed: int) -> list[tuple[int, int, int]]:
    """(number of the lesion, number of the picture, which one of the lesion's), in order."""
    found: list[tuple[int, int, int]] = []
    number = 0
    while len(found) < pictures:
        found += [(number, len(found) + turn, turn) for turn in range(_pictures_of(seed, number))]
        number += 1
    return found[:pictures]


def name_of(picture: int) -> str:
    return f"{picture:06}.jpg"


def row(seed: int, place: tuple[int, int, int]) -> str:
    """A line of the table."""
    number, picture, turn = place
    shown = lesion(seed, number)
    values = (
        shown.name, name_of(picture), int(shown.malignant), shown.age, shown.sex, shown.location,
        DISTANCES[turn % len(DISTANCES)], shown.length_mm, shown.width_mm,
    )  # fmt: skip
    return ",".join(map(str, values)) + "\n"


def drawing(
    shown: Lesion, seed: int, picture: int, sides: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Pixels uint8[height, width, 3]: skin, the lesion nearly in the middle, and grain."""
    # Here, because no other data set needs it.
    from PIL import Image

    whole = Image.fromarray(_sketch(shown, seed, picture)).resize(sides, Image.Resampling.BILINEAR)
    width, height = sides
    words = _words(seed, 3, picture, (width * height + 7) // 8).view(np.uint8)[: width * height]
    return np.asarray(whole) + (words & np.uint8(GRAIN)).reshape(height, width, 1)


def _sketch(shown: Lesion, seed: int, picture: int) -> npt.NDArray[np.uint8]:
    """The same without grain, for which it leaves room, and of `SKETCH` pixels."""
    from PIL import Image

    width, height = SKETCH
    drawn = _uniform(_words(seed, 2, picture, 4)).astype(np.float32)
    pattern = Image.fromarray((255 * (shown.pattern + 0.5)).astype(np.uint8))
    cells = np.asarray(pattern.resize(SKETCH, Image.Resampling.BICUBIC), np.float32) / 255 - 0.5
    x = (np.arange(width, dtype=np.float32) + 0.5) / width - 0.5 - 0.1 * (drawn[0] - 0.5)
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / width - 0.1 * (drawn[1] - 0.5)
    radius = np.float32(shown.radius) * (0.85 + 0.3 * drawn[2])
    # The edge follows the pattern, the more so the rougher the lesion.
    edge = radius**2 * (1 + np.float32(4 * shown.roughness) * cells[:, :, 0])
    inside = np.clip((edge - (x**2 + (y**2)[:, None])) / (0.3 * radius**2) + 0.5, 0, 1)
    skin = shown.skin.astype(np.float32) + 24 * cells
    colour = shown.colour.astype(np.float32) + 60 * cells[:, :, ::-1]
    light = 1 + 0.15 * (drawn[3] - 0.5)
    pixels = (skin + inside[:, :, None] * (colour - skin)) * light - GRAIN / 2
    return np.clip(pixels, 0, 255 - GRAIN).astype(np.uint8)


def picture(shown: Lesion, seed: int, number: int) -> bytes:
    """As JPEG."""
    from PIL import Image

    pixels = drawing(shown, seed, number, SMALL_SIDES if number < SMALL else SIDES)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def files(rows: int, seed: int = 0, *, threads: int = 0) -> Files:
    """The table, and as many pictures. Memory stays at a few pictures, however many there are."""
    found = places(rows, seed)
    lines = (row(seed, place) for place in found)
    yield "metadata.csv", (line.encode() for line in (HEADER, *lines))

    def drawn(place: tuple[int, int, int]) -> tuple[str, bytes]:
        number, shown, _ = place
        return f"images/{name_of(shown)}", picture(lesion(seed, number), seed, shown)

    yield from in_turn(found, drawn, threads or machine.cores())


DATASET = FolderDataset(
    name="lesion-like",
    title="pictures of lesions with a table, generated",
    licence="Apache-2.0",
    source="study_data/lesion_images.py",
    schema=f"metadata.csv: {HEADER.strip()}; images/*.jpg",
    sizes={
        "tiny": Size(
            SMALL, 2_098_739, "9a63317fff6564038a93b99b57072d4325d536b187d388befdbf6a705b5c361b"
        ),
        "data_1": Size(
            1_175, 1_050_120_893, "38d86baa0ed26e04a960b8fdeb237e4e1d65c0ebe5be044f299c0f41cf04e746"
        ),
        "data_2": Size(
            2_293, 2_160_509_134, "c6c8cbe2f5f334c72d5040884be7e5aaff5286ce2ffbf67f4425a624f2a8aa49"
        ),
        "data_3": Size(
            3_511, 3_370_381_143, "52e1271e59dd9365f68f15da5065344e21cb2f905f8f222d4c490ad52220bf04"
        ),
    },
    make_files=files,
    prefixes=True,
)
