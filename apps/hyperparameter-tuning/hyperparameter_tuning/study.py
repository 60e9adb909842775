"""hyperparameter-tuning: what every engine of this study is asked.

Which hyperparameters are best: the depth of boosted trees that tell malignant tumours from benign
ones, by a grid (`--study breast-cancer`), or the learning rate, batch and dropout of a network that
reads small pictures, by population-based training or another search (`--study cifar10`).
"""

from dataclasses import dataclass
from typing import Annotated

import typer
from study_data import breast_cancer, stores
from study_data.dataset import Dataset
from studykit.errors import UsageError
from studykit.options import Options, Study, choose
from studykit.records import DatasetInfo

from hyperparameter_tuning import outputs, search_log, searches
from hyperparameter_tuning.paper import BREAST_CANCER, CIFAR10
from hyperparameter_tuning.searches import GRID, OF_NETWORKS, PBT

STUDIES = (BREAST_CANCER, CIFAR10)
NETWORKS = ("small", "paper")
NATIVE, PUBLISHED = "native", "published"
ROUNDS, EPOCHS = 30, 25
"""The paper's, of trees and of networks."""


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    study: Annotated[
        str, typer.Option(help="breast-cancer, boosted trees; or cifar10, networks.")
    ] = BREAST_CANCER
    search: Annotated[
        str | None, typer.Option(help="Of networks: pbt, asha, random or default. Trees: a grid.")
    ] = None
    beside: Annotated[
        str,
        typer.Option(help="Searches that are given the CPU-seconds which that took: asha,random."),
    ] = ""
    max_depth: Annotated[str, typer.Option(help="Depths of trees to try.")] = "1,5,50,100"
    learning_rate: Annotated[str, typer.Option(help="Of networks, from one to another.")] = (
        "1e-4,1e-2"
    )
    batch_size: Annotated[str, typer.Option(help="Pictures of a step, to choose from.")] = (
        "32,64,128"
    )
    dropout: Annotated[str, typer.Option(help="Of networks, from one to another.")] = "0.25,0.5"
    trials: Annotated[int, typer.Option(min=1, help="Of a search for a network.")] = 16
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help=f"Of a network ({EPOCHS}); boosting rounds ({ROUNDS})."),
    ] = None
    interval: Annotated[
        int, typer.Option(min=1, help="Epochs after which a network's trials are compared.")
    ] = 1
    patience: Annotated[
        int, typer.Option(min=1, help="A trial stops after so many epochs that are no better.")
    ] = 5
    network: Annotated[str, typer.Option(help="small, or the paper's.")] = "small"
    vectorised: Annotated[
        bool, typer.Option("--vectorised", help="On plain: several small networks as one.")
    ] = False
    checkpoint: Annotated[
        str | None, typer.Option(help="A folder or URI that has the search as far as it is.")
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --checkpoint.")] = False
    num_to_keep: Annotated[int, typer.Option(help="Last states of each trial that stay there.")] = 1
    rounds: Annotated[
        int, typer.Option(min=1, help="Search so often: of small data, a longer measurement.")
    ] = 1

    @property
    def kind(self) -> str:
        """The search that is asked for."""
        return GRID if self.study == BREAST_CANCER else self.search or PBT

    @property
    def kinds_beside(self) -> list[str]:
        return [name.strip() for name in self.beside.split(",") if name.strip()]

    @property
    def most_epochs(self) -> int:
        return self.epochs or (ROUNDS if self.study == BREAST_CANCER else EPOCHS)

    @property
    def axes(self) -> searches.Axes:
        return searches.Axes(self.max_depth, self.learning_rate, self.batch_size, self.dropout)


def dataset(parameters: Parameters) -> Dataset:
    if parameters.study == CIFAR10:
        # Here, because a run needs one of them.
        from study_data import cifar_like

        return cifar_like.DATASET
    return breast_cancer.DATASET


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own data, or the data set of the study that was chosen, made if need be."""
    return stores.input_of(options, dataset(parameters))


def made(options: Options, parameters: Parameters) -> str:
    return f"{dataset(parameters).name}/{options.size or 'tiny'}"


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    choose("study", parameters.study, STUDIES)
    choose("network", parameters.network, NETWORKS)
    trees = parameters.study == BREAST_CANCER
    if trees and (parameters.search or parameters.beside or parameters.vectorised):
        raise UsageError("--search, --beside and --vectorised are of networks: --study cifar10")
    for kind in (parameters.kind, *parameters.kinds_beside):
        choose("search", kind, (GRID,) if trees else OF_NETWORKS)
    if options.method == NATIVE and not trees:
        _require_native(parameters)
    if options.method == PUBLISHED:
        _require_published(parameters)
    searches.require_something(parameters.axes, trees)
    search_log.require_num_to_keep(parameters.num_to_keep)
    if parameters.resume and parameters.checkpoint is None:
        raise UsageError("--resume: say with --checkpoint where the search is")
    if parameters.checkpoint is not None and parameters.rounds > 1:
        raise UsageError("--checkpoint keeps one search: it excludes --rounds")
    if parameters.vectorised and parameters.network != "small":
        raise UsageError("--vectorised: the small network only")
    outputs.require_writable(options.out, parameters.study)


def _require_native(parameters: Parameters) -> None:
    """UsageError for what Ray Tune's own search for a network does not know."""
    asked = parameters
    if asked.kind != PBT or asked.beside or asked.vectorised:
        raise UsageError("--method native of networks: --search pbt, alone, not --vectorised")
    if asked.checkpoint is not None or asked.rounds > 1:
        raise UsageError("--method native of networks knows neither --checkpoint nor --rounds")


def _require_published(parameters: Parameters) -> None:
    """UsageError for what the paper's searches do not know."""
    asked = parameters
    if asked.search or asked.beside or asked.vectorised or asked.checkpoint or asked.rounds > 1:
        raise UsageError(
            "--method published knows none of --search, --beside, --vectorised, --checkpoint,"
            " --rounds"
        )


STUDY = Study(
    name="hyperparameter-tuning",
    package="hyperparameter_tuning",
    engines=("plain", "ray"),
    methods=("exact", NATIVE, PUBLISHED),
    dataset=breast_cancer.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    made=made,
    packages=("numpy", "pyarrow", "ray", "torch", "xgboost", "scikit-learn", "polars"),
)
