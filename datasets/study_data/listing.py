"""A data set as `data list` shows it: as a table, or as plain JSON values."""

import dataclasses
from typing import Any

from rich.table import Table

from study_data import keeping
from study_data.as_parquet import as_parquet, is_table
from study_data.dataset import Dataset


def table(dataset: Dataset, place: str) -> Table:
    lines = (dataset.title, dataset.schema, f"licence: {dataset.licence}", dataset.source)
    shown = Table(title=dataset.name, caption="\n".join(lines), title_justify="left")
    shown.caption_justify = "left"
    for heading in ("size", "rows", "bytes", "in the store, by seed"):
        shown.add_column(heading, justify="right")
    seeds, tables = _seeds(dataset, place), _seeds_of_parquet(dataset, place)
    for size, expected in dataset.sizes.items():
        there = ", ".join([*map(str, seeds[size]), *(f"{s} (Parquet)" for s in tables[size])])
        shown.add_row(size, f"{expected.rows:,}", f"{expected.bytes:,}", there)
    return shown


def described(dataset: Dataset, place: str) -> dict[str, Any]:
    described = {
        field.name: getattr(dataset, field.name)
        for field in dataclasses.fields(dataset)
        if field.name not in ("make", "make_files", "facts", "sizes")
    }
    seeds, tables = _seeds(dataset, place), _seeds_of_parquet(dataset, place)
    described["sizes"] = {
        size: {
            **dataclasses.asdict(expected),
            "seeds_in_store": seeds[size],
            "seeds_in_store_as_parquet": tables[size],
        }
        for size, expected in dataset.sizes.items()
    }
    return described


def _seeds_of_parquet(dataset: Dataset, place: str) -> dict[str, list[int]]:
    if not is_table(dataset):
        return {size: [] for size in dataset.sizes}
    return _seeds(as_parquet(dataset), place)


def _seeds(dataset: Dataset, place: str) -> dict[str, list[int]]:
    """Of each size, the seeds that the store has."""
    there = keeping.present(dataset, place)
    return {size: sorted(seed for name, seed in there if name == size) for size in dataset.sizes}
