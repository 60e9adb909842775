"""synthetic-classifiers: what every engine of this study is asked.

To tell the class of samples from their numbers, by one of five classifiers that was trained on four
fifths of them, or by each of the five.
"""

import csv
import json
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from study_data import stores, synthetic_classes
from study_data.dataset import Dataset
from study_data.synthetic_concepts import PAPERS, Shape
from studykit import cutting, storage
from studykit.cutting import Input
from studykit.errors import DataError, UsageError
from studykit.options import Options, Study, choose
from studykit.records import DatasetInfo
from studykit.run import Run

from synthetic_classifiers import outputs, samples
from synthetic_classifiers.layout import Asked, SampleFormat

ALGORITHMS = ("xgboost", "lightgbm", "logistic-regression", "random-forest", "knn")
ALL = "all"
TAKE_MISSING = ("xgboost", "lightgbm", "random-forest")
"""Trees know what to do with a sample of which a feature is not known."""
NATIVE = ("xgboost", "lightgbm")
EXACT = "exact"
FORESTS = (EXACT, "histogram")
MOST_CLASSES = 1000


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    algorithm: Annotated[str, typer.Option(help=f"{', '.join(ALGORITHMS)} or {ALL}.")] = (
        "logistic-regression"
    )
    label: Annotated[str, typer.Option(help="The column of the classes, whole numbers from 0.")] = (
        "target"
    )
    features: Annotated[
        str, typer.Option(help="Columns of numbers, 'a,b,c'; all but the label where empty.")
    ] = ""
    classes: Annotated[int, typer.Option(help="How many there are.")] = PAPERS.classes
    boosting_rounds: Annotated[int, typer.Option(min=1, help="Of XGBoost and LightGBM.")] = 100
    trees: Annotated[int, typer.Option(min=1, help="Of the forest.")] = 10
    forest: Annotated[
        str, typer.Option(help="exact: scikit-learn's trees; or histogram: XGBoost's.")
    ] = EXACT
    neighbours: Annotated[int, typer.Option(min=1, help="Of kNN.")] = 5
    l2: Annotated[
        float, typer.Option(help="Of logistic regression: weight of half the squared coefficients.")
    ] = 1.0
    max_iterations: Annotated[
        int, typer.Option(min=1, help="Of logistic regression; not converged by then is exit 3.")
    ] = 100
    rounds: Annotated[
        int, typer.Option(min=1, help="Train so often: of small data, a longer measurement.")
    ] = 1
    concept: Annotated[
        str, typer.Option(help="Of made data: one; or published, a new one every 300,000 rows.")
    ] = "one"
    columns: Annotated[int, typer.Option(help="Of made data: its features.")] = PAPERS.features
    informative: Annotated[
        int, typer.Option(help="Of made data: features that tell the class.")
    ] = PAPERS.informative
    redundant: Annotated[int, typer.Option(help="Of made data: combinations of those.")] = (
        PAPERS.redundant
    )
    clusters: Annotated[int, typer.Option(help="Of made data: clusters a class.")] = (
        PAPERS.clusters_per_class
    )
    separation: Annotated[float, typer.Option(help="Of made data: between the classes.")] = (
        PAPERS.separation
    )
    flip: Annotated[float, typer.Option(help="Of made data: share of labels drawn at random.")] = (
        PAPERS.flip
    )

    @property
    def algorithms(self) -> tuple[str, ...]:
        return ALGORITHMS if self.algorithm == ALL else (self.algorithm,)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the classifiers, in the same order: a forest is one of two kinds."""
        forest = "random-forest" if self.forest == EXACT else "histogram-forest"
        return tuple(forest if name == "random-forest" else name for name in self.algorithms)

    @property
    def shape(self) -> Shape:
        """Of made data. UsageError where there is no such."""
        return Shape(
            self.columns, self.informative, self.redundant, self.classes, self.clusters,
            self.separation, self.flip,
        )  # fmt: skip

    @property
    def dataset(self) -> Dataset:
        return synthetic_classes.dataset(self.shape, self.concept)

    @property
    def asked(self) -> Asked:
        """What the reader is to look for."""
        names = next(csv.reader([self.features], skipinitialspace=True), [])
        missing = all(name in TAKE_MISSING for name in self.algorithms)
        return Asked(self.label, tuple(map(str.strip, names)) or None, self.classes, missing)


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own data, or the table of this shape, made if it is not there yet."""
    return stores.input_of(options, parameters.dataset)


MADE = ("concept", "columns", "informative", "redundant", "clusters", "separation", "flip")


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    choose("algorithm", parameters.algorithm, (*ALGORITHMS, ALL))
    if not 2 <= parameters.classes <= MOST_CLASSES:
        raise UsageError(f"--classes {parameters.classes}: from 2 to {MOST_CLASSES}")
    names = parameters.asked.features or ()
    if len(set(names)) < len(names) or not all(names) or parameters.label in names:
        raise UsageError(f"--features {parameters.features}: name each once, and not the label")
    if options.data is None:
        parameters.dataset  # noqa: B018  It raises where there is no such.
    else:
        for name in MADE:
            if getattr(parameters, name) != getattr(Parameters, name):
                raise UsageError(f"--{name} is of made data: it excludes --data")
    choose("forest", parameters.forest, FORESTS)
    if parameters.forest != EXACT and "random-forest" not in parameters.algorithms:
        raise UsageError("--forest is of --algorithm random-forest")
    if not parameters.l2 >= 0:
        raise UsageError("--l2 must be 0 or above")
    if options.method == "native" and parameters.algorithm not in NATIVE:
        raise UsageError(
            f"--method native: Ray has trainers of {' and '.join(NATIVE)}, of no other classifier"
        )
    if options.method == "published" and options.out is not None:
        raise UsageError("--out: the published models are not handed back")
    outputs.require_writable(options.out, parameters.kinds)


STUDY = Study(
    name="synthetic-classifiers",
    package="synthetic_classifiers",
    engines=("plain", "ray", "torch"),
    dataset=synthetic_classes.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    methods=("exact", "native", "published"),
    packages=(
        "numpy", "numba", "pyarrow", "ray", "torch", "xgboost", "lightgbm", "scikit-learn", "scipy",
        "polars",
    ),
)  # fmt: skip


def cut_input(run: Run) -> Input[SampleFormat]:
    """The input in pieces, with the layout of every file."""
    return cutting.cut(run, lambda uris: samples.formats(uris, run.parameters.asked))


def require_described(run: Run, rows: int, classes: npt.NDArray[np.int64]) -> None:
    """DataError where what was read is not what the description beside the data says of it."""
    uri = stores.sidecar_of(run.dataset.uri)
    if not storage.exists(uri):
        return
    try:
        described: dict[str, Any] = json.loads(storage.read_bytes(uri))
    except ValueError as error:
        raise DataError(f"not a description of a data set: {error}", uri=uri) from None
    found = {"rows": rows, "bytes": run.dataset.bytes, "class_counts": [int(n) for n in classes]}
    for name, value in found.items():
        if described.get(name, value) != value:
            reason = f"{name}: {described[name]}, but {run.dataset.uri} has {value}"
            raise DataError(reason, uri=uri)
