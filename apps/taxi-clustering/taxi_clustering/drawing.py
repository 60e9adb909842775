"""The city's pickups and the centres as one SVG, which needs nothing from elsewhere.

The picture of where trips begin is a PNG within it, one pixel a cell, the darker the more (by the
logarithm). Circles are the centres, their area the trips; what they stand for is in their title,
which a browser shows as a tooltip.
"""

import base64
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from taxi_clustering import city
from taxi_clustering.city import LATITUDES, LONGITUDES
from taxi_clustering.clustering import Clustering

WIDTH, HEIGHT = 900, 900
"""Pixels; the box is 37.9 km wide and 37.8 km high."""
HEADER = 64
LARGEST_CIRCLE = 13.0
PALE, DARK = (247, 247, 245), (8, 48, 107)
CIRCLE_COLOUR = "#D55E00"


def svg(clustering: Clustering) -> str:
    """The drawing as a document of its own."""
    assert clustering.density is not None
    body = "\n".join(_elements(clustering, clustering.density))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + HEADER}"'
        f' width="{WIDTH}" height="{HEIGHT + HEADER}" font-family="Helvetica, Arial,'
        f" 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n{body}\n</svg>\n"
    )


def _elements(clustering: Clustering, density: npt.NDArray[np.int64]) -> Iterator[str]:
    kept, count = clustering.totals.kept, len(clustering.trips)
    yield '<rect width="100%" height="100%" fill="white"/>'
    title = f"Where {kept:,} taxi trips begin: {count} clusters"
    yield f'<text x="8" y="26" font-size="18">{title}</text>'
    yield (
        '<text x="8" y="48" font-size="12" fill="#555555">Each circle is a centre, its area the'
        " trips that are nearest to it. The darker, the more pickups (logarithmic).</text>"
    )
    picture = base64.b64encode(png(density)).decode()
    yield (
        f'<image y="{HEADER}" width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none"'
        f' image-rendering="pixelated" href="data:image/png;base64,{picture}"/>'
    )
    yield from _circles(clustering)
    yield from _hubs()
    yield from _scale_bar()


def _circles(clustering: Clustering) -> Iterator[str]:
    largest = int(clustering.trips.max())
    # The busiest first, so that small circles lie on top of large ones.
    for place, ((longitude, latitude), count) in enumerate(
        zip(clustering.degrees.tolist(), clustering.trips.tolist(), strict=True), start=1
    ):
        x, y = _position(longitude, latitude)
        radius = max(LARGEST_CIRCLE * (count / largest) ** 0.5, 1.5)
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{CIRCLE_COLOUR}"'
            f' fill-opacity="0.75" stroke="white"><title>{place}. {count:,} trips'
            f" ({count / clustering.totals.kept:.1%})\n{latitude:.5f}, {longitude:.5f}"
            "</title></circle>"
        )


def _hubs() -> Iterator[str]:
    for hub, (longitude, latitude) in city.HUBS.items():
        x, y = _position(longitude, latitude)
        yield f'<path d="M{x - 4:.1f} {y:.1f}h8m-4 -4v8" stroke="black" pointer-events="none"/>'
        # The two stations are near each other: one name to each side.
        side, anchor = (-16, "end") if hub == "Penn Station" else (16, "start")
        yield (
            f'<text x="{x + side:.1f}" y="{y + 4:.1f}" font-size="12" text-anchor="{anchor}"'
            f' pointer-events="none" stroke="white" stroke-width="3" paint-order="stroke">{hub}'
            "</text>"
        )


def _scale_bar(metres: int = 5000) -> Iterator[str]:
    across = (LONGITUDES[1] - LONGITUDES[0]) * city.METRES_PER_LONGITUDE
    length = WIDTH * metres / across
    x, y = WIDTH - 20, HEIGHT + HEADER - 20
    yield f'<path d="M{x - length:.1f} {y - 5}v5h{length:.1f}v-5" fill="none" stroke="black"/>'
    yield (
        f'<text x="{x - length / 2:.1f}" y="{y - 6}" font-size="12" text-anchor="middle">'
        f"{metres // 1000} km</text>"
    )


def _position(longitude: float, latitude: float) -> tuple[float, float]:
    (west, east), (south, north) = LONGITUDES, LATITUDES
    x = WIDTH * (longitude - west) / (east - west)
    return x, HEADER + HEIGHT * (north - latitude) / (north - south)


def png(density: npt.NDArray[np.int64]) -> bytes:
    """Counts int64[rows from the south, columns] → a picture of as many pixels, in a palette."""
    shades = np.log1p(density) / max(np.log1p(density.max()), 1e-9)
    pixels = np.round(255 * shades).astype(np.uint8)[::-1]
    palette = np.round(np.linspace(PALE, DARK, 256)).astype(np.uint8)
    lines = np.concatenate([np.zeros((len(pixels), 1), np.uint8), pixels], axis=1)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 3, 0, 0, 0)
    chunks = {
        b"IHDR": header,
        b"PLTE": palette.tobytes(),
        b"IDAT": zlib.compress(lines.tobytes(), 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks.items()
    )  # fmt: skip
