"""Whether sizes of a data set are what `Dataset.prefixes` promises: beginnings of one another."""

import itertools
from collections.abc import Iterator, Sequence

from studykit import storage
from studykit.errors import DataError

from study_data import folders
from study_data.dataset import Dataset, Located
from study_data.keeping import Entry


def groups(found: Sequence[tuple[Entry, Located]]) -> Iterator[tuple[Dataset, list[Located]]]:
    """Of each data set that promises it, the sizes made with one seed."""
    same: dict[tuple[str, int], list[Located]] = {}
    for (dataset, _, seed), located in found:
        if dataset.prefixes:
            same.setdefault((dataset.name, seed), []).append(located)
    datasets = {dataset.name: dataset for (dataset, _, _), _ in found if dataset.prefixes}
    for (name, _), sizes in same.items():
        yield datasets[name], sizes


def check(dataset: Dataset, found: Sequence[Located]) -> None:
    """DataError, with the URI, where one of them is not the beginning of the next larger one."""
    ordered = sorted(found, key=lambda located: located.rows)
    for smaller, larger in itertools.pairwise(ordered):
        others = _files(dataset, larger)
        for number, first in enumerate(_files(dataset, smaller)):
            other = others[number] if number < len(others) else folders.Entry("", 0, "")
            uri = larger.uri if dataset.ending else storage.join(larger.uri, other.name)
            if not _begins(uri, other, first):
                raise DataError(f"does not begin with {first.name} of {smaller.uri}", uri=uri)


def _files(dataset: Dataset, located: Located) -> list[folders.Entry]:
    if dataset.ending:
        return [folders.Entry("the file", located.bytes, located.sha256)]
    return folders.entries(located.uri, located.sha256)


def _begins(uri: str, other: folders.Entry, first: folders.Entry) -> bool:
    if other.name != first.name or other.bytes < first.bytes:
        return False
    return other == first or folders.hash_of(uri, lambda _: None, first.bytes) == first.sha256
