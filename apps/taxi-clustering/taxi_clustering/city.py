"""The city's map: the boxes that trips must lie in, its hubs, and degrees as metres.

Equirectangular around the city's centre: over the 40 km of the box its lengths are wrong by less
than 0.3 %. Metres are kept on a grid of 1/256 m: a multiple of that below 65 km is exact as
float32, and sums of such numbers are exact as float64, in whatever order they are added up. So
the answer does not depend on who added what. The grid is finer than a GPS by a factor of 1,000.

Boxes and bounds: the code of Alexiadis et al. (2025), Comparing Ray and PyTorch; their section V.A
names what is left out, without bounds.
"""

import numpy as np
import numpy.typing as npt

CENTRE_LONGITUDE = -73.93
CENTRE_LATITUDE = 40.75
METRES_PER_LATITUDE = 111_195.08
"""Of one degree: the mean earth radius, 6,371,008.8 m, times π / 180."""
METRES_PER_LONGITUDE = 84_237.50
"""The same times the cosine of the city's latitude."""
GRID = 256.0
"""Steps to the metre."""

LONGITUDES = (-74.15, -73.7004)
LATITUDES = (40.5774, 40.9176)

HUBS = {
    "JFK": (-73.7840, 40.6457),
    "LaGuardia": (-73.8694, 40.7722),
    "Penn Station": (-73.9935, 40.7506),
    "Grand Central": (-73.9772, 40.7527),
}
"""(longitude, latitude)"""

DENSITY_CELLS = 256
"""To the side of the box, for a picture of where trips begin: cells of about 150 m."""

Floats = npt.NDArray[np.float64]


def to_metres(longitudes: Floats, latitudes: Floats) -> Floats:
    """Degrees, float64[n] each → metres east and north of the centre, float64[n, 2]."""
    east = (np.asarray(longitudes) - CENTRE_LONGITUDE) * METRES_PER_LONGITUDE
    north = (np.asarray(latitudes) - CENTRE_LATITUDE) * METRES_PER_LATITUDE
    return np.stack([east, north], axis=-1)


def to_degrees(metres: Floats) -> Floats:
    """Metres, float64[n, 2] → longitude and latitude, float64[n, 2]."""
    scale = np.array([METRES_PER_LONGITUDE, METRES_PER_LATITUDE])
    return metres / scale + np.array([CENTRE_LONGITUDE, CENTRE_LATITUDE])


def hub_distances(centres: Floats) -> dict[str, float]:
    """Centres in metres, float64[k, 2] → metres from each hub to the nearest of them."""
    found = {}
    for hub, (longitude, latitude) in HUBS.items():
        place = to_metres(np.array(longitude), np.array(latitude))
        found[hub] = float(np.hypot(*(centres - place).T).min())
    return found
