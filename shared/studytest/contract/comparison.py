"""The comparison: it runs, draws and prints, and runs nothing twice. A copy may be without it."""

import json
from pathlib import Path

from studytest import running
from studytest.contract.of_study import OfStudy

PEER = "polars"
"""It reads the input of every study."""


class Comparison(OfStudy):
    def test_a_comparison_runs_draws_and_prints_and_runs_nothing_twice(
        self, compare: str, data: Path, tmp_path: Path
    ) -> None:
        options = ["--data", data, "--engines", "plain", "--peers", PEER, "--json"]
        options += ["--workers", 1, "--repeats", 1, "--results", tmp_path, "--pause", 0]
        options += self.case.answer_options
        first = running.run(compare, *options)
        assert first.code == 0, first.stderr
        rows = json.loads(first.stdout)
        assert [(row["engine"], row["status"], row["runs"]) for row in rows] == [
            ("plain", "done", 1),
            (PEER, "done", 1),
        ]
        assert set(rows[0]["load_ratios_to_peers"]) == {PEER}
        report = tmp_path / self.case.study.name / "report"
        drawn = {path.name for path in report.iterdir()}
        assert {"index.html", *self.case.charts} <= drawn
        assert "one plain process (1 thread) is fastest" in (report / "index.html").read_text()
        again = running.call(compare, *options)
        assert "2 cells, 2 finished before" in again.stderr
        assert json.loads(again.stdout) == rows
        assert len(list(tmp_path.rglob("*-r?.json"))) == 2

    def test_an_unknown_peer_is_wrong_usage(self, peers: str, data: Path, tmp_path: Path) -> None:
        done = running.call(
            peers, "excel", "--data", data, "--workers", 1,
            "--results", tmp_path,
        )  # fmt: skip
        assert done.code == 2
        assert "known peers are" in done.error and PEER in done.error
