"""Valid input that is small: a table of generated lesions and pictures of 24 × 18 pixels."""

from pathlib import Path

from pictures_made import jpeg
from study_data import lesion_images


def write_made(folder: Path, pictures: int = 60, seed: int = 0) -> Path:
    """The table; its pictures are named by their paths, wherever it is copied to."""
    images = folder / "images"
    images.mkdir(parents=True)
    lines = [lesion_images.HEADER]
    for place in lesion_images.places(pictures, seed):
        number, picture, _ = place
        shown = lesion_images.lesion(seed, number)
        pixels = lesion_images.drawing(shown, seed, picture, (24, 18))
        path = images / lesion_images.name_of(picture)
        path.write_bytes(jpeg(pixels))
        line = lesion_images.row(seed, place)
        lines.append(line.replace(path.name, str(path)))
    table = folder / "metadata.csv"
    table.write_text("".join(lines))
    return table
