"""What a person sees when something is asked that cannot be: one line and an exit code."""

from pathlib import Path

import pytest
from graphs import write_graph
from studytest import running

ENGINES = ("plain", "ray", "torch")


@pytest.fixture
def graph(tmp_path) -> Path:
    return write_graph(tmp_path / "edges.csv", [(1, 2), (2, 3), (3, 1), (3, 2)])


def refused(engine: str, code: int, *argv: object, started: bool = False) -> str:
    """The error of a run that is refused, before or after its engine's processes have started."""
    finished = (running.run if started else running.call)(f"twitter_pagerank.run_{engine}", *argv)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.error


@pytest.mark.parametrize("engine", ENGINES)
def test_more_workers_than_cores(graph, tmp_path, engine):
    line = refused(engine, 4, "--data", graph, "--workers", 999, "--results", tmp_path)
    assert "999 workers × 1 threads ask for 999 cores" in line
    assert "available" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_more_memory_than_there_is(graph, tmp_path, engine):
    line = refused(engine, 4, "--data", graph, "--workers", 1, "--memory-limit", "900TB")
    assert "900,000,000,000,000" in line and "available" in line


def test_more_gpus_than_there_are(graph):
    line = refused("torch", 4, "--data", graph, "--workers", 77, "--oversubscribe",
                   "--device", "cuda")  # fmt: skip
    assert "77 GPUs" in line and "available" in line


def test_a_ray_cluster_that_is_not_there(graph, tmp_path):
    line = refused("ray", 4, "--data", graph, "--workers", 1, "--address", "127.0.0.1:9",
                   "--results", tmp_path)  # fmt: skip
    assert "127.0.0.1:9" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_file_is_exit_5_with_its_uri(tmp_path, engine):
    line = refused(engine, 5, "--data", tmp_path / "nowhere.csv", "--workers", 1,
                   "--results", tmp_path)  # fmt: skip
    assert str(tmp_path / "nowhere.csv") in line


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_input_of_a_worker_is_named(tmp_path, engine):
    path = tmp_path / "edges.csv"
    path.write_text("1,2\n" * 5000 + "3,x\n" + "4,5\n" * 100)
    results = tmp_path / "results"
    line = refused(engine, 2, "--data", path, "--workers", 2, "--oversubscribe",
                   "--results", results, "--split-size", "1kb", started=True)  # fmt: skip
    assert f"{path}, line 5001" in line
    assert [p.suffix for p in results.rglob("*") if p.is_file()] == [".json"]


@pytest.mark.parametrize("content", [b"", b"source,destination\n", b"\n\n", b"# none\n"])
def test_a_file_without_edges(tmp_path, content):
    path = tmp_path / "edges.csv"
    path.write_bytes(content)
    line = refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path / "results")
    assert str(path) in line and ("no edges" in line or "no data" in line)


def test_a_folder_without_data(tmp_path):
    (tmp_path / "empty").mkdir()
    line = refused("plain", 2, "--data", tmp_path / "empty", "--workers", 1)
    assert str(tmp_path / "empty") in line and "no data" in line


def test_fewer_matrix_entries_than_declared(tmp_path):
    path = tmp_path / "graph.mtx"
    path.write_text("%%MatrixMarket matrix coordinate pattern general\n3 3 3\n1 2\n2 3\n")
    line = refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path / "results")
    assert "3 entries declared, 2 found" in line


def test_no_convergence_is_exit_3_and_a_record_that_says_wrong(graph, tmp_path):
    finished = running.call(
        "twitter_pagerank.run_plain", "--data", graph, "--workers", 1, "--max-iterations", 2,
        "--tolerance", "1e-12", "--results", tmp_path, "--json",
    )  # fmt: skip
    assert finished.code == 3
    assert "not converged" in finished.error
    assert finished.record["status"] == "wrong"


@pytest.mark.parametrize("engine", ["plain", "torch"])
def test_past_the_time_limit_is_exit_124(graph, tmp_path, engine):
    line = refused(engine, 124, "--data", graph, "--workers", 1, "--timeout", "0.2",
                   "--results", tmp_path, started=True)  # fmt: skip
    assert "--timeout 0.2 s" in line


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--size", "tiny", "--data", "x.csv"], "exclude"),
        (["--size", "huge"], "huge"),
        (["--method", "native"], "native"),
        (["--device", "tpu"], "tpu"),
        (["--split-size", "many"], "many"),
        (["--out", "ranks.xlsx", "--size", "tiny"], ".parquet"),
        (["--tolerance", "0"], "--tolerance"),
        (["--damping", "1"], "--damping"),
    ],
)
def test_wrong_usage_is_exit_2(argv, word):
    assert word in refused("plain", 2, "--workers", 1, *argv)


def test_an_unknown_option_is_exit_2():
    assert running.call("twitter_pagerank.run_plain", "--sise", "tiny").code == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_help_shows_an_example_that_works(tmp_path, engine):
    shown = running.call(f"twitter_pagerank.run_{engine}", "--help").stdout
    example = next(line for line in shown.splitlines() if "Example:" in line)
    module, *argv = example.split("python -m ", 1)[1].replace("│", " ").split()
    assert module == f"twitter_pagerank.run_{engine}"
    finished = running.call(module, *argv, "--dry-run", "--oversubscribe", "--results", tmp_path)
    assert finished.code == 0, finished.stderr


def test_the_data_of_other_studies_is_not_imported():
    code = "import sys, twitter_pagerank.compare, twitter_pagerank.run_plain; print(*sys.modules)"
    done = running.finish(running.start_python("-c", code))
    loaded = {name for name in done.stdout.split() if name.startswith("study_data.")}
    assert "study_data.follower_graph" in loaded, done.stderr
    others = ("catalogue", "twitter7", "uniform_rows", "yellow_taxi", "yellow_trips", "trip_text")
    assert not loaded & {f"study_data.{name}" for name in others}


def test_a_dry_run_touches_nothing(tmp_path):
    finished = running.call(
        "twitter_pagerank.run_plain", "--size", "1gb", "--workers", 1, "--dry-run",
        "--store", tmp_path / "store", "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0
    assert "follower-graph/1gb" in finished.stderr
    assert list(tmp_path.iterdir()) == []
