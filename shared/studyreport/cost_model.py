"""What a study would take past one machine, from a model fitted to the cells that could be run.

    t(bytes, workers) = start + bytes ÷ (rate × workers)
                      + iterations × (compute(bytes) ÷ workers + communication(bytes, workers))

start grows by a constant for each worker, compute with the bytes. Communication is that of a ring
in which every worker gets every other's part: workers − 1 messages, and the share of the volume
that is not its own. Memory is a constant for each worker, its share of the data, and what every
worker holds of the whole. Each term is fitted to its own phase by least squares, no coefficient
below zero; the largest cell is left out, and the prediction's error on it is stated.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.records import PLAIN, Record
from studysweep.ratios import Row, phase_seconds

from studyreport.points import drawable

Floats = npt.NDArray[np.float64]

MOST_WORKERS = 1000
FIT_ERROR_SHARE = 1e-12


@dataclass(frozen=True)
class Cell:
    """Medians of one measured cell. `peak_bytes` is None where memory was not recorded."""

    bytes: float
    workers: int
    iterations: float
    start: float
    load: float
    compute: float
    communicate: float
    peak_bytes: float | None

    @property
    def seconds(self) -> float:
        return self.start + self.load + self.compute + self.communicate


@dataclass(frozen=True)
class CostModel:
    """Coefficients in seconds and bytes; see the module's equation."""

    engine: str
    iterations: float
    start_seconds: float
    start_seconds_per_worker: float
    load_seconds_per_byte: float
    compute_seconds_per_byte: float
    message_seconds: float
    communicate_seconds_per_byte: float
    worker_bytes: float
    shared_bytes_per_byte: float
    copied_bytes_per_byte: float
    memory_per_worker_bytes: float
    """What each worker may use: the measured machine's memory, divided by its workers."""
    left_out: Cell
    measured: tuple[Cell, ...]

    def compute_seconds(self, size: float, workers: Floats | float) -> Any:
        return self.iterations * self.compute_seconds_per_byte * size / workers

    def communicate_seconds(self, size: float, workers: Floats | float) -> Any:
        others = workers - 1
        volume = self.communicate_seconds_per_byte * size * others / workers
        return self.iterations * (self.message_seconds * others + volume)

    def seconds(self, size: float, workers: Floats | float) -> Any:
        return (
            self.start_seconds
            + self.start_seconds_per_worker * workers
            + self.load_seconds_per_byte * size / workers
            + self.compute_seconds(size, workers)
            + self.communicate_seconds(size, workers)
        )

    def memory_bytes(self, size: float, workers: Floats | float) -> Any:
        """Bytes that one of the workers needs."""
        own = self.shared_bytes_per_byte * size / workers
        return self.worker_bytes + own + self.copied_bytes_per_byte * size

    def overtaken_at(self, size: float) -> int | None:
        """Fewest workers at which communication takes longer than compute, up to 1,000."""
        counts = np.arange(1.0, MOST_WORKERS + 1)
        over = self.communicate_seconds(size, counts) > self.compute_seconds(size, counts)
        return int(np.argmax(over)) + 1 if over.any() else None

    def fits_from(self, size: float) -> int | None:
        """Fewest workers whose memory holds the data; None where 1,000 do not."""
        counts = np.arange(1.0, MOST_WORKERS + 1)
        fits = self.memory_bytes(size, counts) <= self.memory_per_worker_bytes
        return int(np.argmax(fits)) + 1 if fits.any() else None

    @property
    def error_on_left_out(self) -> float:
        """(predicted − measured) ÷ measured, on the cell that the fit has not seen."""
        cell = self.left_out
        predicted = self.seconds(cell.bytes, cell.workers)
        return float((predicted - cell.seconds) / cell.seconds)


@dataclass(frozen=True)
class TooFewCells:
    engine: str
    reason: str


def fit_all(records: Iterable[Record]) -> list[CostModel | TooFewCells]:
    """A model of every engine, on each kind of device, that can run on more than one machine."""
    rows = [row for row in drawable(records) if row.first.method == "exact"]
    names = sorted({row.name for row in rows if row.first.engine != PLAIN})
    return [fit(name, [row for row in rows if row.name == name]) for name in names]


def fit(engine: str, rows: Sequence[Row]) -> CostModel | TooFewCells:
    """Fit to the rows of one engine, all but the largest."""
    cells = sorted(map(_cell, rows), key=lambda cell: (cell.bytes, cell.workers))
    fitted = cells[:-1]
    reason = _too_few(fitted)
    if reason is not None:
        return TooFewCells(engine, reason)
    size = np.array([cell.bytes for cell in fitted])
    workers = np.array([float(cell.workers) for cell in fitted])
    iterations = np.array([cell.iterations for cell in fitted])
    # Errors are relative to a cell's whole time, else the largest cell alone would count.
    weight = 1 / np.array([cell.seconds for cell in fitted])

    def phase(name: str, *terms: Floats) -> Floats:
        measured = np.array([float(getattr(cell, name)) for cell in fitted])
        return nonnegative_least_squares(
            np.column_stack(terms) * weight[:, None], measured * weight
        )

    others = workers - 1
    start = phase("start", np.ones_like(size), workers)
    load = phase("load", size / workers)
    compute = phase("compute", iterations * size / workers)
    communicate = phase("communicate", iterations * others, iterations * size * others / workers)
    memory = _memory([cell for cell in fitted if cell.peak_bytes is not None])
    return CostModel(
        engine=engine,
        iterations=float(np.median(iterations)),
        start_seconds=float(start[0]),
        start_seconds_per_worker=float(start[1]),
        load_seconds_per_byte=float(load[0]),
        compute_seconds_per_byte=float(compute[0]),
        message_seconds=float(communicate[0]),
        communicate_seconds_per_byte=float(communicate[1]),
        worker_bytes=float(memory[0]),
        shared_bytes_per_byte=float(memory[1]),
        copied_bytes_per_byte=float(memory[2]),
        memory_per_worker_bytes=_memory_per_worker(rows),
        left_out=cells[-1],
        measured=tuple(fitted),
    )


def nonnegative_least_squares(terms: Floats, measured: Floats) -> Floats:
    """The x ≥ 0 that makes terms @ x closest to measured.

    With as few terms as here, trying every set of terms that stay above zero is exact.
    """
    best, best_error = np.zeros(terms.shape[1]), float(measured @ measured)
    scale = np.maximum(np.abs(terms).max(axis=0), np.finfo(float).tiny)
    for count in range(1, terms.shape[1] + 1):
        for chosen in map(list, itertools.combinations(range(terms.shape[1]), count)):
            part, *_ = np.linalg.lstsq(terms[:, chosen] / scale[chosen], measured, rcond=None)
            x = np.zeros(terms.shape[1])
            x[chosen] = part / scale[chosen]
            residual = terms @ x - measured
            error = float(residual @ residual)
            # A further term must earn its place: rounding alone is no better fit.
            if (part >= 0).all() and error < best_error - FIT_ERROR_SHARE * (measured @ measured):
                best, best_error = x, error
    return best


def _cell(row: Row) -> Cell:
    phases = {
        name: getattr(row.over(phase_seconds(name)), "median", 0.0)
        for name in ("start", "load", "compute", "communicate")
    }
    iterations = [float(record.quality.get("iterations", 1)) for record in row.shown]
    peaks = [record.peak_memory_bytes for record in row.shown if record.peak_memory_bytes]
    peak = float(np.median(peaks)) if peaks else None
    workers, size = row.first.workers, float(row.dataset.bytes)
    return Cell(size, workers, float(np.median(iterations)), **phases, peak_bytes=peak)


def _too_few(cells: Sequence[Cell]) -> str | None:
    """Why the terms could not be told apart, or None where they can."""
    if len({cell.bytes for cell in cells}) < 2:
        return "it needs two data sizes besides the largest cell"
    if len({cell.workers for cell in cells}) < 2:
        return "it needs two numbers of workers besides the largest cell"
    exchanging = {(cell.bytes, cell.workers) for cell in cells if cell.workers > 1}
    if len(exchanging) < 2:
        return "it needs two cells of more than one worker besides the largest"
    return None


def _memory(cells: Sequence[Cell]) -> Floats:
    """Bytes for each worker, per byte of data shared out, per byte of data held by every worker."""
    if not cells:
        return np.zeros(3)
    size = np.array([cell.bytes for cell in cells])
    workers = np.array([float(cell.workers) for cell in cells])
    peak = np.array([float(cell.peak_bytes or 0) for cell in cells])
    return nonnegative_least_squares(
        np.column_stack([workers, size, workers * size]) / peak[:, None], np.ones_like(peak)
    )


def _memory_per_worker(rows: Sequence[Row]) -> float:
    machine = rows[0].first.machine
    cores = max(1, int(machine.get("cores", 1)) // rows[0].first.threads)
    return float(machine.get("memory_bytes", 0)) / cores or float("inf")
