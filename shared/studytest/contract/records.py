"""A run of every engine as its user starts it: a complete record, the answer kept, limits kept."""

from pathlib import Path
from typing import Any

import pytest
from studykit import processor, records
from studykit.errors import BusyError
from studykit.records import PLAIN, Record

from studytest import running
from studytest.contract.of_study import OfStudy
from studytest.figures import of_the_answer

PROFILES = {
    "plain": {"profile.txt"},
    "ray": {"timeline.json"},
    "torch": {"trace-rank-0.json", "trace-rank-1.json"},
    "dask": {"performance.html"},
}
"""What --profile keeps beside the record, with two workers."""
TOO_LITTLE = "60MB"
"""Less than Python with NumPy and Arrow takes."""


class Records(OfStudy):
    @pytest.fixture(scope="class")
    def store(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Where the first run puts the data set that it makes."""
        return tmp_path_factory.mktemp("store")

    @pytest.fixture(scope="class")
    def again(self, store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        """The record of one plain process, of the data set that the run before has made."""
        results = tmp_path_factory.mktemp("again")
        finished = self.call(PLAIN, *self.generated(store, results))
        assert finished.code == 0, finished.stderr
        assert [path.suffix for path in _files(results)] == [".json"]
        return finished.record

    def generated(self, store: Path, results: Path) -> tuple[object, ...]:
        return (
            "--size", "tiny", "--store", store, "--workers", 2, "--oversubscribe", "--json",
            "--results", results, *self.case.answer_options,
        )  # fmt: skip

    @pytest.mark.quick
    def test_a_generated_data_set_gives_a_complete_record(
        self, engine: str, store: Path, tmp_path: Path, request: pytest.FixtureRequest
    ) -> None:
        case = self.case
        out = tmp_path / "out" / case.outs[case.engines.index(engine) % len(case.outs)]
        out.parent.mkdir()
        finished = running.run(
            case.module(engine), *self.generated(store, tmp_path / "a"), "--out", out, "--profile"
        )
        assert finished.code == 0, finished.stderr
        record = self.complete(engine, tmp_path / "a", finished.record)
        kept = {Path(uri).name for uri in record.outputs.values()}
        assert kept == {path.name for path in _files(out.parent)}
        case.written(out, record.quality)
        again = request.getfixturevalue("again")
        case.same(record.quality, again["quality"])
        if engine == PLAIN:
            assert of_the_answer(record.quality) == of_the_answer(again["quality"])
        assert record.dataset.sha256 == again["dataset"]["sha256"]
        assert (record.config_hash == again["config_hash"]) == (engine == PLAIN)

    def complete(self, engine: str, results: Path, printed: dict[str, Any]) -> Record:
        """The record of a run with two workers over a generated data set, looked through."""
        case = self.case
        written = {path.name for path in _files(results)}
        base = f"{printed['config_hash']}-r0"
        assert written == {f"{base}.json", *(f"{base}.{name}" for name in PROFILES[engine])}
        (path,) = results.rglob(f"{base}.json")
        record = records.read(str(path))
        assert record == Record.model_validate(printed)
        assert (record.status, record.check.passed, record.engine) == ("done", True, engine)
        assert (record.workers, record.threads, record.hosts) == (2, 1, 1)
        # `auto` without a GPU for every rank, and every other engine, is the CPU.
        if engine != "torch" or record.machine["gpus"] < 2:
            assert record.devices == ["cpu"] * (1 if engine == PLAIN else 2)
        assert record.dataset.sha256
        assert record.dataset.rows == case.rows(record.quality)
        assert record.bytes_read == record.dataset.bytes
        assert (record.bytes_sent > 0) == (engine != PLAIN)
        assert all(record.phases[name] > 0 for name in ("start", "load", "compute", "write"))
        counted = sum(seconds for name, seconds in record.phases.items() if name != "check")
        assert record.wall_seconds == pytest.approx(counted)
        assert case.worker_phases <= record.worker_phases.keys()
        assert record.worker_phases["load"]["sum"] > 0
        assert (record.peak_memory_bytes or 0) > 50e6
        assert record.cpu_seconds > 0
        assert (record.probe_seconds or 0) > 0
        assert processor.describe().items() <= record.machine.items()
        assert record.limit is not None and record.limit.seconds > 0
        for package in {*case.versions, *({engine} & {"ray", "torch", "dask"})}:
            assert record.versions[package] != "missing"
        assert case.module(engine) in record.command
        return record

    @pytest.mark.quick
    def test_a_memory_limit_that_is_not_kept_ends_the_run(self, data: Path, tmp_path: Path) -> None:
        """In one process; engines that spill are given their share when they start."""
        self.outgrown(PLAIN, data, tmp_path)

    def test_a_memory_limit_that_ranks_do_not_keep_ends_the_run(
        self, torch: str, data: Path, tmp_path: Path
    ) -> None:
        self.outgrown(torch, data, tmp_path)

    def outgrown(self, engine: str, data: Path, results: Path) -> None:
        line = self.refused(
            engine, BusyError.exit_code, "--data", data, "--workers", 1,
            "--memory-limit", TOO_LITTLE, "--results", results,
        )  # fmt: skip
        assert "--memory-limit" in line and "the run needed" in line
        (path,) = _files(results)
        assert records.read(str(path)).status == "failed"

    def test_a_memory_limit_sizes_the_object_store(
        self, ray: str, held_ray: tuple[str, int]
    ) -> None:
        assert held_ray[1] == 200_000_000  # 40 % of RAY_MEMORY

    def test_fewer_gpus_than_ranks_is_exit_4(self, torch: str, data: Path, tmp_path: Path) -> None:
        """Where the driver shows some and torch, asked by the ranks, finds none of them."""
        line = self.refused(
            torch, 4, "--data", data, "--workers", 2, "--oversubscribe", "--device", "cuda",
            "--results", tmp_path, CUDA_VISIBLE_DEVICES="98,99",
        )  # fmt: skip
        assert "--device cuda asks for 2 GPUs (one per worker), 0 available" in line


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
