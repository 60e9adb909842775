"""The paper's own method: which trips each of its engines clusters, and what becomes of a block."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import csv, parquet
from studykit import storage
from studykit.cutting import Input
from studykit.errors import DataError, UsageError
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from taxi import HEADER, made_up, pandas_rules, row, write_trips
from taxi_clustering import published, published_torch, study, trips
from taxi_clustering.columns import TripFormat
from taxi_clustering.study import Parameters

LINE_BYTES = len(HEADER) + 1
BLOCK_ROWS = 48


def source_of(path: Path, split_size: int) -> Input[TripFormat]:
    splits = storage.splits(str(path), split_size)
    return Input(splits, trips.formats(list(dict.fromkeys(split.uri for split in splits))))


def even_trips(folder: Path, files: int, blocks: int) -> Path:
    """Good trips at places of their own, BLOCK_ROWS in every block of as many lines."""
    folder.mkdir()
    for file in range(files):
        rows = []
        for place in range(blocks * BLOCK_ROWS):
            # Two short lines beside the header, so that the first block has as many rows.
            size = LINE_BYTES // 2 if place < 2 else LINE_BYTES
            line = row(pickup=(-73.98 + 1e-6 * place, f"{40.75 + 0.01 * file:.6f}"))
            rows.append(line.replace(",N,", f",{'N' * (size - len(line))},"))
        write_trips(folder / f"trips-{file}.csv", rows)
    return folder


def clustered(source: Input[TripFormat], ranks: int) -> tuple[int, list[np.ndarray]]:
    """Trips that all ranks keep together, and those that each of them clusters."""
    kept, chosen = 0, []
    for rank in range(ranks):
        _, degrees = published_torch.load(source, rank, ranks)
        kept += len(degrees)
        chosen.append(np.concatenate(list(published_torch.batches(degrees, rank, ranks))))
    return kept, chosen


def run_of(path: Path, clusters: int) -> Run:
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    return Run(study.STUDY, "plain", Options(), Parameters(clusters=clusters), dataset, quiet=True)


def part_of(blocks: Sequence[published.Block]) -> published.Part:
    return published.Part(1, 1, list(blocks))


def test_pickups_are_the_degrees_of_the_file_and_those_of_pandas(tmp_path):
    path = made_up(tmp_path / "trips.csv", 700)
    source = source_of(path, 20_000)
    read = [published.read(split, source.formats[split.uri]) for split in source.splits]
    good = pd.read_csv(path)[~pandas_rules(path).any(axis=1)]
    assert sum(rows for rows, _ in read) == 700 > len(good) > 100
    found = np.concatenate([degrees for _, degrees in read])
    assert found.dtype == np.float64
    assert found.tolist() == good[["pickup_longitude", "pickup_latitude"]].to_numpy().tolist()


@pytest.mark.parametrize("form", ["gz", "parquet"])
def test_what_has_no_pieces_is_refused(tmp_path, form):
    path = tmp_path / f"trips.{form}"
    written = made_up(tmp_path / "trips.csv", 100)
    if form == "gz":
        path.write_bytes(gzip.compress(written.read_bytes()))
    else:
        parquet.write_table(csv.read_csv(written), path)
    with pytest.raises(UsageError, match="cuts plain CSV into pieces"):
        published.cut_input(run_of(path, 5))
    assert len(published.cut_input(run_of(written, 5)).splits) == 1


@pytest.mark.parametrize("ranks", [4, 8, 12])
def test_n_ranks_cluster_one_in_n_trips_and_none_twice(tmp_path, ranks):
    path = even_trips(tmp_path / "trips", files=1, blocks=2 * ranks)
    kept, chosen = clustered(source_of(path, BLOCK_ROWS * LINE_BYTES), ranks)
    assert kept == 2 * ranks * BLOCK_ROWS
    assert [len(own) for own in chosen] == [2 * BLOCK_ROWS // ranks] * ranks
    together = np.concatenate(chosen)
    assert len(np.unique(together, axis=0)) == len(together) == kept // ranks


def test_the_blocks_of_every_file_are_counted_from_its_first(tmp_path):
    path = even_trips(tmp_path / "trips", files=2, blocks=3)
    source = source_of(path, BLOCK_ROWS * LINE_BYTES)
    own = [published_torch.splits_of_rank(source.splits, rank, 2) for rank in range(2)]
    starts = [[split.start // (BLOCK_ROWS * LINE_BYTES) for split in part] for part in own]
    assert starts == [[0, 2, 0, 2], [1, 1]]


def test_a_rank_clusters_batches_of_the_papers_size():
    degrees = np.stack([np.linspace(-74, -73.8, 20_000), np.full(20_000, 40.7)], axis=1)
    sizes = [len(batch) for batch in published_torch.batches(degrees, 1, 2)]
    assert sizes == [3340, 3340, 3320]


def test_every_trip_is_clustered_where_a_block_is_a_split(tmp_path):
    path = made_up(tmp_path / "trips.csv", 900)
    source = source_of(path, 30_000)
    parts = [
        published.cluster_split(split, source.formats[split.uri], 5, 42) for split in source.splits
    ]
    run = run_of(path, 5)
    outcome = published.outcome(run, parts, published.merge(parts, run), _never)
    quality = outcome.quality
    assert quality["trips_clustered"] == 1
    assert (quality["blocks"], quality["blocks_dropped"]) == (len(source.splits), 0)
    assert (quality["rows_read"], quality["rows_kept"]) == (900, sum(part.kept for part in parts))


def _never(run: Run) -> Any:
    raise AssertionError("asked for the exact answer while the clock runs")


@pytest.mark.parametrize("count", [0, 4, 5])
def test_a_block_with_no_more_trips_than_clusters_is_dropped(count):
    """With as many, k-means succeeds, but every trip is a cluster: that has no silhouette."""
    block = published.cluster(np.random.default_rng(0).random((count, 2)), 5, 42)
    assert block.dropped
    assert (block.trips, block.silhouette) == (count, None)


def test_a_block_of_one_place_scores_minus_one():
    block = published.cluster(np.full((9, 2), 40.7), 5, 42)
    assert block.centres == pytest.approx(np.array([[40.7, 40.7]]))
    assert (block.dropped, block.silhouette) == (False, -1)


def test_a_block_with_fewer_places_than_clusters_has_as_many_centres_as_places():
    degrees = np.repeat([[-74.0, 40.7], [-73.9, 40.8]], 9, axis=0)
    block = published.cluster(degrees, 5, 42)
    assert np.sort(block.centres, axis=0) == pytest.approx(degrees[[0, -1]])
    assert block.silhouette == pytest.approx(1)


def test_trips_of_dropped_blocks_do_not_count_as_clustered(tmp_path):
    path = made_up(tmp_path / "trips.csv", 100)
    random = np.random.default_rng(0)
    blocks = [published.cluster(random.random((n, 2)), 5, 42) for n in (30, 4, 20)]
    run = run_of(path, 5)
    parts = [published.Part(rows=70, kept=54, blocks=blocks)]
    quality = published.outcome(run, parts, published.merge(parts, run), _never).quality
    assert quality["trips_clustered"] == 50 / 54
    assert (quality["blocks"], quality["blocks_dropped"]) == (3, 1)


def test_centres_weigh_the_same_whatever_their_trips(tmp_path):
    """The one of a thousand trips pulls no further than those of one trip."""
    run = run_of(made_up(tmp_path / "trips.csv", 10), 1)
    one = published.Block(1000, np.array([[-74.0, 40.6]]), -1.0)
    other = published.Block(1, np.array([[-73.9, 40.7], [-73.8, 40.8]]), 0.5)
    centres = published.merge([part_of([one]), part_of([other])], run)
    assert centres == pytest.approx(np.array([[-73.9, 40.7]]))


def test_too_few_centres_say_how_many_blocks_were_dropped(tmp_path):
    path = made_up(tmp_path / "trips.csv", 10)
    blocks = [published.cluster(np.zeros((n, 2)), 5, 42) for n in (3, 9)]
    with pytest.raises(DataError, match=r"--clusters 5: 1 of 2 blocks .* have 1 centres"):
        published.merge([part_of(blocks)], run_of(path, 5))
