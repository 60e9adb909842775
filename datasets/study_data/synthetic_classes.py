"""Seeded rows `feature_0,…,target`: clusters of normal points about the corners of a hypercube.

scikit-learn's `make_classification` (Guyon 2003, "Design of experiments for the NIPS 2003 variable
selection benchmark"), row by row. A concept is what a classifier has to find out: for each cluster
a corner of a cube of side 2 × separation and a matrix that shapes it, for the redundant features
the linear combinations of the informative ones that they are, and the order of the columns. Row i
is a pure function of (concept, seed, i): it draws a cluster, whose class is the label but for a
share `flip` of the rows, where it is any, and one normal number for each informative feature and
each that is noise. So the file has the same bytes whatever the number of threads or the size of a
chunk, and a smaller file is the beginning of a larger one.

There is one concept for the whole file. `concept="published"` has a new one for every 300,000 rows,
as the generator of the paper has by mistake: it called `make_classification` for every chunk,
without a seed.

Normal numbers are nearly so, the sum of four uniform ones: by whole numbers and additions, which
every machine rounds alike. 16 decimals say all that a double knows of a number near 1.
"""

import dataclasses
import functools
from collections.abc import Generator

import numba
import numpy as np
from studykit import machine
from studykit.errors import UsageError
from studykit.storage.ahead import in_turn

from study_data.dataset import Dataset, Size
from study_data.decimal_digits import write_digits
from study_data.splitmix import bits, mixed, normal, uniform
from study_data.synthetic_concepts import PAPERS, Concept, Shape

DECIMALS = 16
LONGEST_NUMBER = 3 + 3 + DECIMALS
"""Bytes: a sign, three digits, a point, decimals and a comma."""
CHUNK_ROWS = 1 << 15
PUBLISHED_ROWS = 300_000
"""Of a concept, where it is not one."""


def header(shape: Shape) -> bytes:
    names = [f"feature_{number}" for number in range(shape.features)]
    return (",".join([*names, "target"]) + "\n").encode()


def blocks(
    rows: int,
    seed: int = 0,
    *,
    shape: Shape = PAPERS,
    rows_of_a_concept: int | None = None,
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Generator[memoryview, None, None]:
    """The file's bytes in order. Memory stays at a few chunks, whatever the size of the file."""
    yield memoryview(header(shape))
    part = rows_of_a_concept or max(rows, 1)
    concept = functools.lru_cache(maxsize=8)(functools.partial(Concept.of, shape, seed))
    ranges = [
        (number, start, min(start + chunk_rows, number * part + part, rows))
        for number in range(-(-rows // part))
        for start in range(number * part, min(number * part + part, rows), chunk_rows)
    ]

    def block(item: tuple[int, int, int]) -> memoryview:
        number, start, stop = item
        return _block(start, stop, seed, shape, concept(number))

    yield from in_turn(ranges, block, threads or machine.cores())


def _block(start: int, stop: int, seed: int, shape: Shape, concept: Concept) -> memoryview:
    text = np.empty((stop - start) * (shape.features * LONGEST_NUMBER + 4), np.uint8)
    length = _fill(
        text, start, stop, np.uint64(mixed(seed)), concept.centres, concept.matrices, concept.sums,
        concept.order, shape.classes, shape.flip,
    )  # fmt: skip
    return text[:length].data


@numba.njit(nogil=True, cache=True)
def _cluster_and_label(key, counter, clusters, classes, flip):  # type: ignore[no-untyped-def]
    """Of a row, by its first two words."""
    cluster = int(uniform(key, counter) * clusters)
    draw = uniform(key, counter + np.uint64(1))
    return cluster, int(draw / flip * classes) if draw < flip else cluster % classes


@numba.njit(nogil=True, cache=True)
def _write_number(text, at, value):  # type: ignore[no-untyped-def]
    """With 16 decimals; returns where it ends. `value` lies within ±900."""
    scaled = np.uint64(np.rint(abs(value) * 10.0**DECIMALS))
    if value < 0 and scaled:
        text[at] = 45
        at += 1
    whole = scaled // np.uint64(10**DECIMALS)
    rest = scaled - whole * np.uint64(10**DECIMALS)
    digits = 1 if whole < 10 else 2 if whole < 100 else 3
    at = write_digits(text, at, whole, digits)
    text[at] = 46
    return write_digits(text, at + 1, rest, DECIMALS)


@numba.njit(nogil=True, cache=True)
def _fill(  # type: ignore[no-untyped-def]
    text, start, stop, key, centres, matrices, sums, order, classes, flip
):
    """Write the rows start … stop - 1; returns how many bytes they take."""
    clusters, informative = centres.shape
    redundant, features = sums.shape[1], len(order)
    words = np.uint64(2 + features - redundant)
    values, normals = np.empty(features), np.empty(informative)
    at = 0
    for row in range(start, stop):
        counter = np.uint64(row) * words + np.uint64(1)
        cluster, label = _cluster_and_label(key, counter, clusters, classes, flip)
        counter += np.uint64(2)
        for i in range(informative):
            normals[i] = normal(bits(key, counter + np.uint64(i)))
        for j in range(informative):
            values[j] = centres[cluster, j]
            for i in range(informative):
                values[j] += normals[i] * matrices[cluster, i, j]
        for j in range(redundant):
            value = 0.0
            for i in range(informative):
                value += values[i] * sums[i, j]
            values[informative + j] = value
        for j in range(informative + redundant, features):
            values[j] = normal(bits(key, counter + np.uint64(j - redundant)))
        for column in range(features):
            at = _write_number(text, at, values[order[column]])
            text[at] = 44
            at += 1
        at = write_digits(text, at, label, 1 if label < 10 else 2 if label < 100 else 3)
        text[at] = 10
        at += 1
    return at


@numba.njit(nogil=True, cache=True)
def _count(rows, key, words, clusters, classes, flip):  # type: ignore[no-untyped-def]
    """Rows of each label, int64[classes]: what `_fill` writes."""
    counts = np.zeros(classes, np.int64)
    for row in range(rows):
        counter = np.uint64(row) * words + np.uint64(1)
        counts[_cluster_and_label(key, counter, clusters, classes, flip)[1]] += 1
    return counts


def class_counts(rows: int, seed: int = 0, shape: Shape = PAPERS) -> list[int]:
    """Rows of each label in the file."""
    clusters, key = shape.classes * shape.clusters_per_class, np.uint64(mixed(seed))
    counted = _count(rows, key, np.uint64(shape.words), clusters, shape.classes, shape.flip)
    return [int(count) for count in counted]


ROWS_AND_BYTES = {
    "tiny": (10_000, 1_969_073),
    "100mb": (500_000, 98_452_783),
    "1gb": (5_000_000, 984_528_820),
    "2gb": (10_000_000, 1_969_064_659),
    "3gb": (15_000_000, 2_953_597_219),
    "5gb": (25_000_000, 4_922_662_574),
    "10gb": (50_000_000, 9_845_329_928),
}
"""Of the paper's shape, 197 bytes a row: 5 million rows are what its "1 GB" has."""
SHA256 = {
    "tiny": "5cee872bfca2b1f4124a6d23f2175190d71b6ab460766e2f0cd393f5292525a8",
    "100mb": "29e7b9ccc09b81f5a4bc8e632ff7d40cd3cd31021a549794586bafabaff58f59",
    "1gb": "720ee06e7b5a9f3e6b1d7d91230b3bf284fbdeac40ed52d3753e2a18c609d198",
    "2gb": "66db911751d192d59859c3659f7b0a8dfd0b0e5946de426da13ec1e019da5e1e",
    "3gb": "37e80a04c2fb88dc50033ff3fb7341de4de266afcf604d371f0f19faf1c5350f",
    "5gb": "1c4120a7cfd625cccfca1c901d8050d196c7968500ac41a661f418bda2053821",
    "10gb": "15a3ce3c0a0591e664f63ffd2d03788f1d48aec1dcbe022bc78516bb2420840d",
}
NAME = "synthetic-classes"
CONCEPTS = {"one": None, "published": PUBLISHED_ROWS}


def dataset(shape: Shape = PAPERS, concept: str = "one") -> Dataset:
    """`synthetic-classes`; what differs from the paper's shape, and its concepts, is in the name.

    UsageError where there is no such concept.
    """
    if concept not in CONCEPTS:
        raise UsageError(f"--concept {concept}: choose {', '.join(CONCEPTS)}")
    asked, usual = dataclasses.asdict(shape), dataclasses.asdict(PAPERS)
    differing = [f"-{name}-{asked[name]:g}" for name in asked if asked[name] != usual[name]]
    name = "".join([NAME, *([] if concept == "one" else [f"-{concept}"]), *differing])
    name = name.replace("_", "-")
    features = {f"feature_{number}": "float" for number in range(shape.features)}
    return Dataset(
        name=name,
        title=f"{shape.features} numbers and a class of {shape.classes}",
        licence="Apache-2.0 (made by this project's generator)",
        source="study_data/synthetic_classes.py",
        schema=f"CSV with header: {', '.join(features)}, target (a class from 0)",
        columns={**features, "target": "int64"},
        sizes={
            # Of another shape about so many bytes: as if each feature were one of the paper's.
            size: Size(
                rows,
                length * (shape.features + 1) // (PAPERS.features + 1),
                SHA256[size] if name == NAME else None,
            )
            for size, (rows, length) in ROWS_AND_BYTES.items()
        },
        make=functools.partial(blocks, shape=shape, rows_of_a_concept=CONCEPTS[concept]),
        prefixes=True,
        facts=lambda rows, seed: {
            "parameters": {**asked, "concept": concept},
            "class_counts": class_counts(rows, seed, shape),
        },
    )


DATASET = dataset()
