"""How a file of trips is laid out: which of its columns are the eight that the study needs."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError
from studykit.text.dialects import Dialect, WrongLine, fields_of, is_header

from taxi_clustering import clean_rows

DELIMITERS = (",", "\t", ";", "|")
SHOWN_CHARACTERS = 300
"""Of a header, in a message: what the city's own has."""

ROLES: dict[str, tuple[str, ...]] = {
    "pickup time": ("tpep_pickup_datetime", "pickup_datetime", "Trip_Pickup_DateTime"),
    "dropoff time": ("tpep_dropoff_datetime", "dropoff_datetime", "Trip_Dropoff_DateTime"),
    "trip distance": ("trip_distance",),
    "pickup longitude": ("pickup_longitude", "Start_Lon"),
    "pickup latitude": ("pickup_latitude", "Start_Lat"),
    "dropoff longitude": ("dropoff_longitude", "End_Lon"),
    "dropoff latitude": ("dropoff_latitude", "End_Lat"),
    "total amount": ("total_amount", "Total_Amt"),
}
"""{what is needed: its names over the years}, compared without case and by letters alone."""
LOCATION_IDS = ("PULocationID", "DOLocationID")


@dataclass(frozen=True)
class TripFormat:
    """Of one file: the names of its columns, which of them play the ROLES, where its rows begin.

    And what becomes of rows that lack a value or cannot be read: the run ends, or they are counted.
    """

    names: list[str]
    columns: list[int]
    body: int
    delimiter: str = ","
    count_missing: bool = False
    skip_bad: bool = False

    @cached_property
    def roles(self) -> npt.NDArray[np.int64]:
        """For each column the number of its role, or that it is skipped."""
        roles = np.full(len(self.names), clean_rows.SKIPPED, np.int64)
        roles[self.columns] = np.arange(len(self.columns))
        return roles

    @cached_property
    def plain(self) -> npt.NDArray[np.bool_]:
        """Bytes that `clean_rows.parse` may skip."""
        return clean_rows.plain_bytes(self.delimiter)

    @property
    def wanted(self) -> list[str]:
        """The names of the eight columns, in the order of the ROLES."""
        return [self.names[column] for column in self.columns]


def columns_of(header: bytes) -> tuple[list[str], list[int], str]:
    """A header → (all names, the places of the ROLES, the delimiter between them). DataError."""
    names, delimiter = _split(header.decode("utf-8", "replace"))
    return names, places_of(names), delimiter


def places_of(names: list[str], uri: str | None = None) -> list[int]:
    """Where the columns are that play the ROLES, in their order. DataError where one is not."""
    plain = [_plain(name) for name in names]
    places = {
        role: [place for place, name in enumerate(plain) if name in map(_plain, known)]
        for role, known in ROLES.items()
    }
    missing = [role for role, found in places.items() if not found]
    if len(missing) == len(ROLES) and not is_header(names):
        raise DataError("no header: the first line must name the columns", uri=uri)
    if missing and any(name in map(_plain, LOCATION_IDS) for name in plain):
        raise DataError(
            "no coordinates: since July 2016 trips have location ids (PULocationID) instead;"
            " take a month up to June 2016",
            uri=uri,
        )
    text = ", ".join(names)
    shown = "".join(letter if letter.isprintable() else "·" for letter in text)[:SHOWN_CHARACTERS]
    if missing:
        known = " or ".join(ROLES[missing[0]])
        reason = f"no column for the {missing[0]}: name it {known}; the file has: {shown}"
        raise DataError(reason, uri=uri)
    for role, found in places.items():
        if len(found) > 1:
            both = " and ".join(names[place] for place in found)
            reason = f"two columns for the {role} ({both}): rename one; the file has: {shown}"
            raise DataError(reason, uri=uri)
    return [found[0] for found in places.values()]


def _split(text: str) -> tuple[list[str], str]:
    """The names, and the delimiter: the one that finds most of the ROLES."""
    known = {_plain(name) for names in ROLES.values() for name in names}
    best: tuple[list[str], str] | None = None
    problem = WrongLine()
    for delimiter in DELIMITERS:
        try:
            names = [name.strip() for name in fields_of(text, Dialect(delimiter))]
        except WrongLine as wrong:
            problem = wrong
            continue
        if best is None or _found(names, known) > _found(best[0], known):
            best = names, delimiter
    if best is None:
        raise DataError(f"the header: {problem}")
    return best


def _found(names: list[str], known: set[str]) -> int:
    return sum(_plain(name) in known for name in names)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
