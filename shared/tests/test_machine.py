"""What is measured of the machine, without an assertion on how fast it is."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from studykit import machine


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_the_read_rate_takes_memory_by_the_piece_not_by_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(machine, "PIECE_BYTES", 1 << 20)
    (tmp_path / f"a.{ending}").write_bytes(bytes(50 << 20))
    tracemalloc.start()
    assert machine.read_rate(str(tmp_path), 2) > 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_the_read_rate_reads_every_byte_once_up_to_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "PIECE_BYTES", 30)
    for name in ("a.csv", "b.csv.gz"):
        (tmp_path / name).write_bytes(b"1" * 100)
    counts: list[int] = []
    read = machine._read

    def counted(*piece: Any) -> int:
        counts.append(read(*piece))
        return counts[-1]

    monkeypatch.setattr(machine, "_read", counted)
    machine.read_rate(str(tmp_path), 1)
    assert counts == [30, 30, 30, 10] * 2
    counts.clear()
    machine.read_rate(str(tmp_path), 1, at_most=150)
    assert counts == [30, 30, 30, 10, 30, 20]


def test_looking_for_the_commit_leaves_the_index_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    machine._git(tmp_path, "init", "--quiet")
    machine._git(tmp_path, "add", "file")
    os.utime(tmp_path / "file", (0, 0))
    index = (tmp_path / ".git/index").read_bytes()
    machine._git(tmp_path, "status", "--porcelain", "-uno")
    assert (tmp_path / ".git/index").read_bytes() == index
