"""Rows and answers that the tests share: made here, answered with fractions."""

import decimal
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from ray_vs_dask_etl import aggregation, rows
from ray_vs_dask_etl.aggregation import Bins
from ray_vs_dask_etl.rows import Columns
from studykit import cutting

COLUMNS = Columns("id", ("x", "y"), "category", ("A", "B", "C", "D"))
HEADER = "id,x,y,category\n"
SMALLEST = 2**1074
"""Doubles are whole multiples of one by this."""

Row = tuple[int, str, str, str]


def write_rows(path: Path, lines: Iterable[Row], header: str = HEADER) -> Path:
    path.write_text(header + "".join(f"{i},{x},{y},{c}\n" for i, x, y, c in lines))
    return path


def random_rows(count: int, seed: int, centre: float = 0.0, spread: float = 1.0) -> list[Row]:
    """Numbers as Python prints them, of 1 to 17 digits; the category leans on x and y."""
    random = np.random.default_rng(seed)
    values = centre + spread * random.normal(size=(count, 2))
    digits = random.integers(1, 18, size=(count, 2))
    leaning = (values[:, 0] > centre) + 2 * (values[:, 1] > centre)
    chance = random.integers(0, 4, count)
    codes = np.where(random.random(count) < 0.6, leaning, chance)
    return [
        (i, _printed(x, a), _printed(y, b), "ABCD"[code])
        for i, ((x, y), (a, b), code) in enumerate(zip(values, digits, codes, strict=True))
    ]


def _printed(value: float, digits: int) -> str:
    return repr(float(value)) if digits == 17 else f"{value:.{digits}g}"


def fraction_groups(lines: Sequence[Row]) -> list[dict[str, Any]]:
    """The ETL's table of the doubles that the texts stand for, exact, rounded at the end.

    In whole multiples of the smallest double: fractions of their own would cost a hundred times
    as much.
    """
    table = []
    for category in sorted({line[3] for line in lines}):
        row: dict[str, Any] = {"category": category}
        for place, name in ((1, "x"), (2, "y")):
            values = [float(line[place]) for line in lines if line[3] == category]
            exact = [_in_smallest(value) for value in values]
            count, total = len(exact), sum(exact)
            # Σ (v - Σ v / n)² = (n Σ v² - (Σ v)²) / n
            squares = Fraction(count * sum(v * v for v in exact) - total**2, count * SMALLEST**2)
            row["count"] = count
            row[f"mean_{name}"] = float(Fraction(total, count * SMALLEST))
            row[f"std_{name}"] = _root(squares / (count - 1)) if count > 1 else None
            row[f"min_{name}"], row[f"max_{name}"] = min(values), max(values)
        table.append(row)
    return table


def _in_smallest(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return numerator * (SMALLEST // denominator)


def _root(value: Fraction) -> float:
    with decimal.localcontext(decimal.Context(prec=60, Emax=10**6, Emin=-(10**6))):
        return float((decimal.Decimal(value.numerator) / value.denominator).sqrt())


def assert_groups(found: list[dict[str, Any]], right: list[dict[str, Any]]) -> None:
    """Counts, ranges and means to the last bit; the deviation, whose root is rounded, to 1e-15."""
    assert [row["category"] for row in found] == [row["category"] for row in right]
    for got, expected in zip(found, right, strict=True):
        assert got.keys() == expected.keys()
        for name, value in expected.items():
            if name.startswith("std") and value is not None:
                assert math.isclose(got[name], value, rel_tol=1e-15, abs_tol=5e-324), (
                    name,
                    got,
                    expected,
                )
            else:
                assert got[name] == value, (name, got, expected)


def aggregate(path: Path, split_size: int = 1 << 20, columns: Columns = COLUMNS) -> list[Any]:
    """The exact method without an engine: the table of a file."""
    pieces = cutting.splits(str(path), split_size)
    forms = rows.formats(list(dict.fromkeys(piece.uri for piece in pieces)), columns)
    partials = []
    for piece in pieces:
        bins = Bins(len(columns.categories), len(columns.values))
        for chunk in rows.read(piece, forms[piece.uri], columns):
            bins.add(chunk.values, chunk.codes)
        partials.append(bins.groups())
    whole = aggregation.combine(partials)
    return aggregation.finish(whole, columns.categories, columns.values)
