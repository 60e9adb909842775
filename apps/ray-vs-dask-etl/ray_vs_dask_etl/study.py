"""ray-vs-dask-etl: what every engine of this study is asked.

Two tasks on rows `id,x,y,category`: `etl` groups by category, `logistic-regression` fits the
category to the numbers. Standard deviations are the sample's; a row is in the test set where the
hash of its id says so; L2 acts on coefficients that are centred over the categories.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer
from study_data import stores, uniform_rows
from studykit import cutting, storage, tables
from studykit.cutting import Input
from studykit.errors import UsageError
from studykit.options import BAD_ROWS_SKIP, Options, Study, choose
from studykit.records import DatasetInfo
from studykit.run import Methods, Outcome, Run

from ray_vs_dask_etl import rows
from ray_vs_dask_etl.rows import Columns, RowFormat

MOST_CELLS = 1024
"""Categories × columns of the ETL: 82 KB of bins for each, in every thread."""
TASKS = ("etl", "logistic-regression")
SOLVERS = ("auto", "newton", "lbfgs")


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    task: Annotated[str, typer.Option(help="etl or logistic-regression.")] = "etl"
    columns: Annotated[
        str,
        typer.Option(help="The id, the numbers and, last, the category; an unnamed id is empty."),
    ] = "id,x,y,category"
    categories: Annotated[
        str, typer.Option(help="All that may occur; with a comma in it: '\"Paris, FR\",B'.")
    ] = "A,B,C,D"
    signal: Annotated[
        float, typer.Option(help="Of the generated data: share of rows that follow a rule, 0 … 1.")
    ] = 0.0
    solver: Annotated[
        str, typer.Option(help="newton, lbfgs or auto: lbfgs above 200 columns of numbers.")
    ] = "auto"
    l2: Annotated[
        float, typer.Option(help="Weight of half the squared coefficients, intercepts left out.")
    ] = 0.0
    tolerance: Annotated[
        float, typer.Option(help="Stop when the gradient is this small, to that at zero.")
    ] = 1e-8
    max_iterations: Annotated[int, typer.Option(min=1, help="Not converged by then is exit 3.")] = (
        100
    )

    @property
    def read(self) -> Columns:
        """The columns as the reader wants them."""
        names, categories = _listed(self.columns), tuple(_listed(self.categories))
        return Columns(names[0], tuple(names[1:-1]), names[-1], categories)


def _listed(names: str) -> list[str]:
    """`A, "Paris, FR"` is two names. An empty first one is that of an unnamed column."""
    return [name.strip() for name in next(csv.reader([names], skipinitialspace=True), [])]


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own data, or the rows with this signal, made if they are not there yet."""
    return stores.input_of(options, uniform_rows.dataset(parameters.signal))


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    choose("task", parameters.task, TASKS)
    choose("solver", parameters.solver, SOLVERS)
    names = _listed(parameters.columns)
    if len(names) < 3 or len(set(names)) < len(names) or not all(names[1:]):
        raise UsageError(
            f"--columns {parameters.columns}: name the id, one or more numbers and the category,"
            " each once"
        )
    categories = parameters.read.categories
    if len(set(categories)) < len(categories) or not categories or not all(categories):
        raise UsageError(f"--categories {parameters.categories}: name each once")
    if len(categories) > rows.MOST_CATEGORIES:
        raise UsageError(f"--categories: {len(categories)}, at most {rows.MOST_CATEGORIES}")
    cells = len(categories) * (len(names) - 2)
    if parameters.task == "etl" and cells > MOST_CELLS:
        raise UsageError(f"{cells} cells of categories × columns: at most {MOST_CELLS}")
    if not 0 <= parameters.signal <= 1:
        raise UsageError(f"--signal {parameters.signal:g}: must lie between 0 and 1")
    if parameters.signal and options.data is not None:
        raise UsageError("--signal is of generated data: it excludes --data")
    if not parameters.tolerance > 0 or not parameters.l2 >= 0:
        raise UsageError("--tolerance must be above 0, --l2 0 or above")
    if not names[0] and options.method == "published":
        raise UsageError("--method published takes the id for a feature: it has to have a name")
    if parameters.task == "logistic-regression" and options.method == "native":
        raise UsageError(
            "--method native: neither engine brings a regression over several categories;"
            " --method published is what dask-ml and partial_fit make of it"
        )
    if parameters.task == "logistic-regression" and options.method == "published" and options.out:
        raise UsageError("--out: the published regressions have no coefficients to write")
    endings = (".json",) if parameters.task == "logistic-regression" else tables.ENDINGS
    tables.require_ending(options.out, endings)


STUDY = Study(
    name="ray-vs-dask-etl",
    package="ray_vs_dask_etl",
    engines=("plain", "ray", "dask"),
    dataset=uniform_rows.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    task="task",
    methods=("exact", "native", "published"),
    skips_bad_rows=True,
    packages=(
        "numpy", "numba", "pyarrow", "pandas", "ray", "dask", "distributed", "dask-ml",
        "scikit-learn", "polars", "duckdb",
    ),
)  # fmt: skip


def methods(
    etl: Callable[..., Outcome],
    native_etl: Callable[..., Outcome],
    regression: Callable[..., Outcome],
    published_regression: Callable[..., Outcome],
) -> Methods:
    """An engine's functions by task and method.

    The paper's ETL is the engine's own way too, of which it took the means alone.
    """
    return {
        ("etl", "exact"): etl,
        ("etl", "native"): native_etl,
        ("etl", "published"): native_etl,
        ("logistic-regression", "exact"): regression,
        ("logistic-regression", "published"): published_regression,
    }


def cut_input(run: Run) -> Input[RowFormat]:
    """The input in pieces, with the layout of every file."""
    skip_bad = run.options.bad_rows == BAD_ROWS_SKIP
    return cutting.cut(run, lambda uris: rows.formats(uris, run.parameters.read, skip_bad))


INFLATED_BY_NAME = {"gz": "gzip", "bz2": "bz2"}
"""{ending: form} that pandas, Dask and Ray Data inflate, going by the name."""


def require_local(run: Run) -> None:
    """The engines' own ways are given paths of files, as the paper gave them."""
    for uri in storage.list_files(run.dataset.uri):
        if not storage.is_local(uri):
            raise UsageError(f"--method {run.options.method} reads local files only")
        found = storage.compression(uri)
        if found != INFLATED_BY_NAME.get(uri.rpartition(".")[2]):
            raise UsageError(
                f"--method {run.options.method} reads plain files, and gzip and bz2 named .gz and"
                f" .bz2; this one is {found or 'plain'}: {uri}"
            )
