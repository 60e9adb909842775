"""The files that charts become, and the page that holds them and fetches nothing."""

import re
import struct
from pathlib import Path

import synthetic
from studykit.records import Record
from studyreport import charts, page, theme
from studysweep import ratios


def test_a_chart_is_kept_as_a_page_that_needs_no_network_a_picture_and_a_drawing(
    tmp_path: Path,
) -> None:
    html, png, svg = map(
        Path, theme.save(charts.time_vs_workers(synthetic.sweep()), f"{tmp_path}/times")
    )
    assert [path.name for path in (html, png, svg)] == ["times.html", "times.png", "times.svg"]
    assert _fetched(html.read_text()) == []
    drawing = svg.read_text()
    width, height = re.findall(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', drawing)[0]
    assert "Time to the answer against workers" in drawing
    assert _png_size(png) == (
        round(theme.PNG_SCALE * float(width)),
        round(theme.PNG_SCALE * float(height)),
    )


def test_a_picture_of_a_chart_shows_its_colours(tmp_path: Path) -> None:
    svg = theme.save(charts.time_vs_workers(synthetic.sweep()), f"{tmp_path}/times")[2]
    drawing = Path(svg).read_text()
    for engine in ("plain", "ray", "torch"):
        assert theme.ENGINE_COLOURS[engine].lower() in drawing.lower()


def test_the_page_has_the_script_once_and_fetches_nothing(tmp_path: Path) -> None:
    records = synthetic.sweep()
    drawn = {"times": charts.time_vs_workers(records), "phases": charts.phases(records)}
    uri = page.write(str(tmp_path), "sample", records, {**drawn, "none": None})
    written = Path(uri).read_text()
    assert _fetched(written) == []
    assert written.count("window.vegaEmbed = ") + written.count("window.vegaEmbed=") == 1
    assert re.findall(r'<div class="chart" id="(\w+)">', written) == ["times", "phases"]
    kept = {path.name for path in tmp_path.iterdir()}
    assert {"index.html", "times.png", "times.svg", "times.html", "phases.png"} <= kept
    assert not any(name.startswith("none") for name in kept)


def test_the_page_escapes_what_came_from_outside() -> None:
    bad = synthetic.record("ray", status="failed", error="<script>alert('x')</script>")
    written = page.render("sample", ratios.summarise([*synthetic.sweep(), bad]), {})
    assert "<script>alert" not in written
    assert "&lt;script&gt;alert" in written


def test_the_page_says_on_what_processor_the_runs_were() -> None:
    cache = {"level": 2, "kind": "unified", "bytes": 2 << 20, "shared_by": 1}
    known = {"processor": "A", "caches": [cache], "vector_extensions": ["avx", "avx2"], "cores": 2}
    rows = ratios.summarise([synthetic.record(machine=known)])
    assert "A, L2 2 MiB, avx2, 2 cores," in page.render("sample", rows, {})


def _timed(engine: str, workers: int, seconds: float) -> Record:
    return synthetic.record(engine, workers=workers, phases={"load": seconds})


def test_the_page_begins_with_plain_where_plain_wins() -> None:
    records = [_timed("plain", 2, 2.0), _timed("ray", 2, 3.0), _timed("plain", 1, 4.0)]
    said = page.findings(ratios.summarise(records))
    assert said[0] == (
        "On 1 GB with 2 workers, one plain process (2 threads) is fastest: 2 s to the answer."
    )
    assert said[1] == ("ray takes 1.50 times as long as one plain process with as many threads.")


def test_the_page_says_how_many_workers_beat_one_process() -> None:
    records = [_timed("plain", 1, 4.0), _timed("plain", 2, 2.0)]
    records += [_timed("ray", 1, 6.0), _timed("ray", 2, 3.0)]
    records += [_timed("torch", 1, 9.0), _timed("torch", 2, 5.0)]
    said = " ".join(page.findings(ratios.summarise(records)))
    assert "ray needs 2 workers to beat one plain process with 1 thread." in said
    assert (
        "torch does not beat one plain process with 1 thread with any number of workers"
        " measured (1, 2)." in said
    )


def test_the_page_says_where_a_gpu_computed_and_sets_it_beside_no_cpu() -> None:
    records = [_timed("plain", 2, 2.0), _timed("torch", 2, 4.0)]
    records.append(synthetic.record("torch", workers=2, phases={"load": 0.5}, device="cuda"))
    said = page.findings(ratios.summarise(records))
    assert said[0].endswith("one plain process (2 threads) is fastest: 2 s to the answer.")
    assert said[1].startswith("torch takes 2.00 times as long")
    assert said[-1] == (
        "On 1 GB with 2 workers, torch on cuda (NVIDIA H100) takes 0.5 s to the answer; to a time"
        " of the CPU no ratio is taken."
    )
    assert not any(sentence.startswith("torch on cuda") for sentence in said)


def test_a_page_of_a_gpu_alone_begins_with_it() -> None:
    rows = ratios.summarise([synthetic.record("torch", device="cuda", phases={"load": 0.5})])
    assert page.findings(rows)[0].startswith("On 1 GB with 1 worker, torch on cuda (NVIDIA H100)")


def test_the_page_names_every_commit_of_its_records() -> None:
    records = [synthetic.record("plain", commit="aaaa"), synthetic.record("ray", commit="bbbb+")]
    assert "commit aaaa, bbbb+;" in page.render("sample", ratios.summarise(records), {})


def test_failed_runs_are_in_the_first_paragraph_and_in_the_table() -> None:
    records = [_timed("plain", 1, 4.0), synthetic.record("ray", status="failed")]
    rows = ratios.summarise(records)
    assert "One run gave no time that may be shown, by ray (exact)" in page.findings(rows)[-1]
    assert "failed on purpose" in page.render("sample", rows, {})


def test_a_page_of_failures_alone_says_so_first() -> None:
    rows = ratios.summarise([synthetic.record("ray", status="failed")])
    assert page.findings(rows)[0].startswith("No run with a checked answer finished")
    assert page.findings([])[0].startswith("No run with a checked answer finished")


def _fetched(written: str) -> list[str]:
    """Addresses that a browser would load for the page's elements."""
    elements = re.findall(
        r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)=[\"']([^\"'$]+)", written
    )
    return [address for address in elements if not address.startswith("data:")]


def _png_size(path: Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", content[16:24])
    return width, height
