"""lesion-classification: what every engine of this study is asked.

Whether a lesion of the skin is malignant, from its picture and from what was written down of it:
features of the picture by a network that was trained on others, columns of the table beside them,
and a small network over both, trained and tested fold by fold.
"""

from dataclasses import dataclass
from typing import Annotated

import typer
from study_data import lesion_images, stores
from studykit.errors import UsageError
from studykit.options import Options, Study, choose
from studykit.records import DatasetInfo

from lesion_classification import outputs, pictures

IMAGENET, RANDOM = "IMAGENET1K_V1", "random"
PRECISIONS = ("auto", "float32", "bfloat16")
FEATURE_TYPES = ("float32", "float16")
GROUPED, PUBLISHED = "grouped", "published"
FOLDS = (GROUPED, PUBLISHED)


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    weights: Annotated[
        str,
        typer.Option(
            help=f"Of ResNet50: {IMAGENET}, fetched by torchvision; a file of them; or {RANDOM}, of"
            " --seed, for tests and timing."
        ),
    ] = IMAGENET
    precision: Annotated[
        str, typer.Option(help="Of ResNet50: auto, float32 or bfloat16; auto is what is fastest.")
    ] = "auto"
    feature_type: Annotated[
        str, typer.Option(help="As which features are kept: float32, or the paper's float16.")
    ] = "float32"
    images: Annotated[
        str | None, typer.Option(help="The images' folder, where it is not beside the table.")
    ] = None
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out images that cannot be read.")
    ] = False
    features: Annotated[
        str | None,
        typer.Option(help="A folder or URI that keeps features; a later run goes on with them."),
    ] = None
    side: Annotated[
        int, typer.Option(min=32, help="Pixels to which images are squashed; 224 is ResNet50's.")
    ] = pictures.SIDE
    folds: Annotated[
        str,
        typer.Option(help="grouped: a lesion is in one fold; or published, by image: it leaks."),
    ] = GROUPED
    fold_count: Annotated[int, typer.Option(min=2, help="Into how many.")] = 10
    epochs: Annotated[int, typer.Option(min=1, help="Of the small network.")] = 10
    batch_size: Annotated[int, typer.Option(min=2, help="Images of a step of training it.")] = 32
    rounds: Annotated[
        int, typer.Option(min=1, help="Train and test so often: of small data, a longer run.")
    ] = 1


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    """The user's own table of lesions, or the made ones, if need be."""
    return stores.input_of(options, lesion_images.DATASET)


def validate(options: Options, parameters: Parameters) -> None:
    """Refuse what cannot work, before anything is read or made."""
    choose("precision", parameters.precision, PRECISIONS)
    choose("feature-type", parameters.feature_type, FEATURE_TYPES)
    choose("folds", parameters.folds, FOLDS)
    if parameters.images is not None and options.data is None:
        raise UsageError("--images is of --data: made lesions have theirs beside them")
    if options.method != "exact" and parameters.features is not None:
        raise UsageError(f"--method {options.method}: keeps no features")
    if options.method == "native" and parameters.skip_broken:
        raise UsageError("--method native: a broken image ends it, --skip-broken or not")
    outputs.require_writable(options.out)


STUDY = Study(
    name="lesion-classification",
    package="lesion_classification",
    engines=("plain", "ray", "torch"),
    dataset=lesion_images.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    methods=("exact", "native", "published"),
    packages=(
        "numpy",
        "pyarrow",
        "pillow",
        "ray",
        "torch",
        "torchvision",
        "scikit-learn",
        "polars",
    ),
)
