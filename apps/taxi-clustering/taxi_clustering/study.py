"""taxi-clustering: what every engine of this study is asked.

Pickups of the trips that pass the ETL, in metres around the city's centre; k-means over all of
them; clusters in the order of their trips, the busiest first.
"""

from dataclasses import dataclass
from typing import Annotated

import typer
from study_data import stores, yellow_trips
from studykit import cutting, tables
from studykit.cutting import Input
from studykit.errors import UsageError
from studykit.options import BAD_ROWS_SKIP, Options, Study
from studykit.records import DatasetInfo
from studykit.run import Run

from taxi_clustering import trips
from taxi_clustering.columns import TripFormat
from taxi_clustering.sample import SAMPLE_SIZE

ENDINGS = (".csv", ".geojson", ".html", ".png")
"""Of --out, for one file; without an ending it is a folder, for all of them (see `maps`)."""


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    clusters: Annotated[int, typer.Option(min=1, max=SAMPLE_SIZE, help="k of k-means.")] = 40
    restarts: Annotated[
        int, typer.Option(min=1, help="Seedings tried; the lowest inertia is the answer.")
    ] = 1
    tolerance: Annotated[
        float, typer.Option(metavar="METRES", help="Stop when no centre moves as far as this.")
    ] = 1.0
    max_iterations: Annotated[int, typer.Option(min=1, help="Not converged by then is exit 3.")] = (
        1000
    )
    missing: Annotated[
        str, typer.Option(help="Trips that lack a value: refuse the file, or count them.")
    ] = trips.REFUSE


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own data, or the trips of the catalogue, made if they are not there yet."""
    return stores.input_of(options, yellow_trips.DATASET)


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    if not parameters.tolerance > 0:
        raise UsageError(f"--tolerance {parameters.tolerance:g}: must be above 0")
    if parameters.missing not in trips.MISSING_VALUES:
        raise UsageError(
            f"--missing {parameters.missing}: choose {' or '.join(trips.MISSING_VALUES)}"
        )
    tables.require_ending(options.out, ENDINGS, or_folder=True)


STUDY = Study(
    name="taxi-clustering",
    package="taxi_clustering",
    engines=("plain", "ray", "torch"),
    dataset=yellow_trips.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    methods=("exact", "published"),
    skips_bad_rows=True,
    packages=("numpy", "numba", "pyarrow", "ray", "torch", "scikit-learn", "polars"),
)


def cut_input(run: Run, split_bytes: int | None = None) -> Input[TripFormat]:
    """The input in pieces, with the formats of the files; `split_bytes` as in `cutting.cut`."""
    count_missing = run.parameters.missing == trips.COUNT
    skip_bad = run.options.bad_rows == BAD_ROWS_SKIP
    return cutting.cut(run, lambda uris: trips.formats(uris, count_missing, skip_bad), split_bytes)
