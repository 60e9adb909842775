"""Reading pictures of 32 × 32 pixels in any layout of CIFAR-10: folders of images or batches.

    train, test = pictures.read("data/cifar10")          # {train,test}/<class>/*.jpg or *.png
    train, test = pictures.read("s3://b/cifar-10-batches-bin")   # data_batch_1.bin …
    train, test = pictures.read("cifar-10-batches-py")   # data_batch_1 …, pickled

What a layout is made of is said by `picture_folder` and `cifar_batches`. Where only one part is
there, a fifth of it, seeded and stratified, becomes the part to test on; `Pictures.part` says so.
"""

from studykit import storage
from studykit.errors import DataError
from studykit.storage.folders import find_sizes

from hyperparameter_tuning import cifar_batches, picture_folder
from hyperparameter_tuning.picture_parts import Pictures as Pictures
from hyperparameter_tuning.picture_parts import divided, require_classes
from hyperparameter_tuning.picture_parts import validation_split as validation_split

TRAIN, TEST = "train", "test"


def read(uri: str, seed: int = 42) -> tuple[Pictures, Pictures]:
    """(training part, test part). DataError where they are no such pictures, or some are wrong.

    The seed matters where the data have one part only."""
    place = storage.absolute(uri)
    if not storage.look(place).is_folder:
        raise DataError("is a file: pictures lie in a folder, with all parts of them", uri=place)
    sizes = find_sizes(place)
    reads = cifar_batches.read if cifar_batches.is_batches(sizes) else picture_folder.read
    found = reads(place, sizes)
    train, test = found.get(TRAIN), found.get(TEST)
    if train is not None and test is not None:
        require_classes(train, place)
        require_classes(test, place)
        return train, test
    only, name = (train, TRAIN) if train is not None else (test, TEST)
    if only is None:
        raise DataError("no pictures: no part to train or to test on", uri=place)
    require_classes(only, place)
    return divided(only, seed, (f"{TRAIN} (four fifths of {name})", f"{TEST} (a fifth of {name})"))
