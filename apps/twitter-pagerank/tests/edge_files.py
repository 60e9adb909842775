"""Files of edges, and what is read of them."""

import gzip
from pathlib import Path

from studykit import storage
from twitter_pagerank import edges
from twitter_pagerank.edge_format import Reading


def read(
    path: Path, split_size: int = 1 << 20, reading: Reading = edges.AS_IT_IS
) -> list[tuple[int, int]]:
    splits = storage.splits(str(path), split_size)
    forms = edges.formats(list(dict.fromkeys(split.uri for split in splits)), reading)
    chunks = [chunk for split in splits for chunk in edges.read(split, forms[split.uri])]
    return [
        pair
        for chunk in chunks
        for pair in zip(chunk.sources.tolist(), chunk.destinations.tolist(), strict=True)
    ]


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
