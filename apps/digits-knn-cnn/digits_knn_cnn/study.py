"""digits-knn-cnn: what every engine of this study is asked.

Which digit is on a picture: by its nearest neighbours among the training pictures, `--model knn`,
or by a network that was trained on them, `--model cnn` and `resnet18`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from study_data import digits as digits_data
from study_data import stores
from studykit.errors import UsageError
from studykit.options import Options, Study, choose
from studykit.records import DatasetInfo
from studykit.run import Methods, Outcome

from digits_knn_cnn import digits, outputs

KNN, NETWORKS = "knn", ("cnn", "resnet18")
MODELS = (KNN, *NETWORKS)
RESOLUTIONS = (8, 28, 32)
MOST_PIXEL = 1 << 20
"""The squared distance of two pictures, at any resolution, is then a number that doubles count."""

cut_input = digits.cut


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    model: Annotated[
        str, typer.Option(help="knn, the nearest neighbours; or a network: cnn, resnet18.")
    ] = KNN
    neighbours: Annotated[
        int, typer.Option(min=1, help="The largest k; each from 1 on is answered.")
    ] = 10
    resolution: Annotated[int, typer.Option(help="Pixels of a side: 8, 28 or 32.")] = 8
    scale: Annotated[
        int, typer.Option(min=0, help="All digits so many times, deformed; 0: by --size.")
    ] = 0
    max_pixel: Annotated[
        int, typer.Option(min=1, help="The largest pixel of a table; pictures have 255.")
    ] = 16
    rounds: Annotated[
        int, typer.Option(min=1, help="Search so often: of small data, a longer measurement.")
    ] = 1
    batch_size: Annotated[
        int, typer.Option(min=1, help="Pictures of a step of training, of all workers together.")
    ] = 32
    epochs: Annotated[int, typer.Option(min=1, help="Times that every picture is trained on.")] = 10
    checkpoint: Annotated[
        str | None, typer.Option(help="A file or URI that has the training after each epoch.")
    ] = None
    resume: Annotated[bool, typer.Option("--resume", help="Train on from --checkpoint.")] = False


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own data, or the digits of this resolution and scale, made if need be."""
    sized = replace(options, size=_size(options, parameters))
    return stores.input_of(sized, digits_data.dataset(parameters.resolution))


def made(options: Options, parameters: Parameters) -> str:
    name = digits_data.dataset(parameters.resolution).name
    return f"{name}/{_size(options, parameters) or 'tiny'}"


def _size(options: Options, parameters: Parameters) -> str | None:
    return f"x{parameters.scale}" if parameters.scale else options.size


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    choose("model", parameters.model, MODELS)
    choose("resolution", parameters.resolution, RESOLUTIONS)
    if parameters.scale and (options.size is not None or options.data is not None):
        raise UsageError("--scale makes the data set: it excludes --size and --data")
    if parameters.max_pixel > MOST_PIXEL:
        raise UsageError(f"--max-pixel {parameters.max_pixel}: at most {MOST_PIXEL}")
    if parameters.resume and parameters.checkpoint is None:
        raise UsageError("--resume: say with --checkpoint where the training is")
    if parameters.model == KNN and parameters.checkpoint is not None:
        raise UsageError("--checkpoint is of a network: choose --model cnn or resnet18")
    if parameters.model == "resnet18" and parameters.batch_size < 2:
        raise UsageError("--batch-size 1: batch norm has no variance of one picture")
    if options.method != "exact" and (parameters.checkpoint is not None or parameters.rounds > 1):
        raise UsageError(f"--method {options.method}: knows neither --checkpoint nor --rounds")
    if options.method == "published" and parameters.model == "resnet18":
        raise UsageError("--method published: no notebook of the paper trained a ResNet18")
    if options.method == "published" and parameters.model != KNN and options.out is not None:
        raise UsageError("--out: of the published networks only averages are handed back")
    outputs.require_writable(options.out, parameters.model, options.method)


STUDY = Study(
    name="digits-knn-cnn",
    package="digits_knn_cnn",
    engines=("plain", "ray", "dask"),
    dataset=digits_data.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    made=made,
    task="model",
    methods=("exact", "native", "published"),
    packages=(
        "numpy", "numba", "pyarrow", "ray", "dask", "distributed", "torch", "torchvision",
        "scikit-learn", "polars",
    ),
)  # fmt: skip


def methods(**ways: tuple[Callable[..., Outcome], Callable[..., Outcome]]) -> Methods:
    """An engine's functions by model and method, given by method: of kNN, of the networks."""
    return {
        (model, method): knn if model == KNN else network
        for method, (knn, network) in ways.items()
        for model in MODELS
    }
