"""The ratios of a sweep for people and programs: a table in the terminal, text cells, JSON."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from studykit.records import Record

from studysweep.ratios import Interval, Row, phase_seconds


def bytes_read(record: Record) -> float:
    return float(record.bytes_read)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows as plain JSON values, for --json."""

    def plain(interval: Interval | None) -> dict[str, float] | None:
        return None if interval is None else dict(vars(interval))

    return [
        {
            "dataset": row.dataset.name,
            "uri": row.dataset.uri,
            "bytes": row.dataset.bytes,
            "workers": row.first.workers,
            "threads": row.first.threads,
            "nodes": row.nodes,
            "split_size": row.split_size,
            "engine": row.first.engine,
            "method": row.first.method,
            "device": row.device,
            "status": row.status,
            "runs": len(row.shown),
            "seconds": plain(row.seconds),
            "wall_seconds": plain(row.wall),
            "load_seconds": plain(row.over(phase_seconds("load"))),
            "bytes_read": plain(row.over(bytes_read)),
            "ratio_to_plain": plain(row.to_plain),
            "phase_ratios_to_plain": {
                name: plain(ratio) for name, ratio in row.phases_to_plain.items()
            },
            "load_ratios_to_peers": {
                name: plain(ratio) for name, ratio in row.load_to_peers.items()
            },
            "config_hash": row.first.config_hash,
            "error": row.reason,
        }
        for row in rows
    ]


def cells_of(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of text: the same table in the terminal and on the page."""
    peers = list(dict.fromkeys(peer for row in rows for peer in row.load_to_peers))
    splits = any(row.split_size for row in rows)
    headings = ["data", "workers × threads", *(["split"] if splits else []), "engine", "method"]
    headings += ["status", "runs", "seconds", "with start", "÷ plain", "load ÷ plain"]
    headings += ["compute ÷ plain", *(f"load ÷ {peer}" for peer in peers)]
    headings += ["load seconds", "MB read"] if any(row.store for row in rows) else []
    table = []
    for row in rows:
        first = row.first
        split = [row.split_size or ""] if splits else []
        workers = f"{first.workers} × {first.threads}"
        workers += f", nodes {row.nodes}" if row.nodes else ""
        values = [row.data_label, workers, *split]
        values += [row.name, first.method, row.status, f"{len(row.shown)}/{len(row.records)}"]
        phases = [row.phases_to_plain.get(name) for name in ("load", "compute")]
        figures = [row.seconds, row.wall, row.to_plain, *phases]
        figures += [row.load_to_peers.get(peer) for peer in peers]
        if any(other.store for other in rows):
            figures += [row.over(phase_seconds("load")), row.over(lambda r: bytes_read(r) / 1e6)]
        table.append([*values, *("" if figure is None else str(figure) for figure in figures)])
    return headings, table


def as_table(rows: Sequence[Row]) -> Table:
    """Median (smallest-largest) over the rounds; failed cells keep their row."""
    headings, body = cells_of(rows)
    table = Table(title="Seconds without start-up, and ratios within a round: median (min-max)")
    for heading in headings:
        right = heading in ("runs", "seconds", "with start") or "÷" in heading
        right = right or heading in ("load seconds", "MB read")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for values in body:
        table.add_row(*values)
    return table
