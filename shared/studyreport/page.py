"""One HTML page from the records of a sweep: what was found, the ratios, the charts. Opens offline.

The first paragraph is written from the figures, losses first: where one plain process is fastest,
the page begins with that. The drawing script is in the page once, whatever the number of charts.
"""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import vl_convert
from studykit import processor, storage
from studykit.records import PEER, PLAIN, Record
from studysweep import ratio_table, ratios
from studysweep.ratios import Interval, Row, size_label

from studyreport import cost_model, prediction, theme
from studyreport.cost_model import CostModel
from studyreport.points import workers_label

STYLE = """
body { font: 16px/1.5 Helvetica, Arial, "DejaVu Sans", sans-serif; color: #222;
       max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: .5rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: left;
         white-space: nowrap; }
th { border-bottom: 2px solid #888; } tr.missing td { color: #a33; }
.chart { margin: 2rem 0; overflow-x: auto; } .small { color: #555; font-size: .9rem; }
"""


def write(folder: str, study: str, records: Iterable[Record], charts: Mapping[str, Any]) -> str:
    """Write the page, and every chart by itself as HTML, PNG and SVG; returns the page's URI.

    `charts` is {file name without ending: chart}; where a chart is None there was nothing to draw.
    """
    known = list(records)
    models = cost_model.fit_all(known)
    fitted = [model for model in models if isinstance(model, CostModel)]
    drawn = {**charts, "past_this_machine": prediction.chart(fitted)}
    shown = {name: chart for name, chart in drawn.items() if chart is not None}
    for name, chart in shown.items():
        theme.save(chart, storage.join(folder, name))
    said = [line for model in models for line in _predicted(model)]
    text = render(study, ratios.summarise(known), shown, said)
    uri = storage.join(folder, "index.html")
    storage.write_bytes(uri, text.encode())
    return uri


def render(
    study: str, rows: Sequence[Row], charts: Mapping[str, Any], predicted: Sequence[str] = ()
) -> str:
    """The page as text."""
    headline, *further = findings(rows)
    drawings = {name: theme.spec(chart) for name, chart in charts.items()}
    # '</' would end the script element early.
    data = json.dumps(drawings).replace("</", "<\\/")
    # As in the pages of single charts, so that it is bundled once: that takes seconds.
    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # It has a default.
    parts = [
        f"<h1>{html.escape(study)}</h1>",
        f"<p><strong>{html.escape(headline)}</strong> {html.escape(' '.join(further))}</p>",
        f'<p class="small">{html.escape(_conditions(rows))}</p>',
        "<h2>Times and ratios</h2>",
        _table(rows),
        *(f'<div class="chart" id="{html.escape(name)}"></div>' for name in drawings),
        "<h2>Past this machine</h2>",
        *(f"<p>{html.escape(line)}</p>" for line in predicted or ["Nothing to predict from."]),
        f"<script>{script}</script>",
        f"<script>const drawings = {data};"
        "for (const [name, drawing] of Object.entries(drawings)) {"
        " vegaEmbed(document.getElementById(name), drawing, drawing.usermeta.embedOptions); }"
        "</script>",
    ]
    head = f'<meta charset="utf-8"><title>{html.escape(study)}</title><style>{STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>' + "\n".join(
        [*parts, "</body></html>\n"]
    )


def findings(rows: Sequence[Row]) -> list[str]:
    """Sentences for the first paragraph: who is fastest where most was asked, and at what cost."""
    timed = [row for row in rows if row.seconds is not None and row.first.method != PEER]
    exact = [row for row in timed if row.first.method == "exact"]
    if not exact:
        return ["No run with a checked answer finished, so there is no time to show.", *_lost(rows)]
    most = max(exact, key=lambda row: (row.dataset.bytes, row.first.workers * row.first.threads))
    beside = [row for row in exact if _setting(row) == _setting(most)]
    setting = [row for row in beside if row.device == "cpu"]
    where = f"On {most.data_label} with {workers_label(most.first.workers)}"
    said = []
    if setting:
        fastest = min(setting, key=_median)
        said += [f"{where}, {_named(fastest)} is fastest: {_median(fastest):.3g} s to the answer."]
    said += [
        f"{row.name} takes {_ratio(row.to_plain)} times as long as one plain process"
        f" with as many threads."
        for row in setting
        if row.first.engine != PLAIN and row.to_plain is not None
    ]
    said += [_workers_to_beat_one(engine, exact, most) for engine in _engines(setting)]
    said += [
        f"{where}, {row.name} ({_gpus(row)}) takes {_median(row):.3g} s to the answer; to a time of"
        " the CPU no ratio is taken."
        for row in beside
        if row.device != "cpu"
    ]
    said += [
        f"Loading with {row.first.engine} takes {_ratio(ratio)} times as long as {peer} takes to"
        f" read the same data."
        for row in setting
        for peer, ratio in row.load_to_peers.items()
        if row.first.engine == PLAIN
    ]
    return [sentence for sentence in said if sentence] + _lost(rows)


def _workers_to_beat_one(engine: str, exact: Sequence[Row], most: Row) -> str:
    """The headline of a framework's cost: at how many workers is it worth having?"""
    data = most.dataset.uri
    same = [row for row in exact if row.dataset.uri == data and row.device == "cpu"]
    plain = [row for row in same if row.first.engine == PLAIN]
    if not plain:
        return ""
    one = min(plain, key=lambda row: row.first.workers * row.first.threads)
    threads = one.first.workers * one.first.threads
    against = f"one plain process with {threads} thread{'s' if threads > 1 else ''}"
    tried = sorted(
        (row for row in same if row.first.engine == engine), key=lambda row: row.first.workers
    )
    for row in tried:
        ratio = ratios.by_round(row, one)
        if ratio is not None and ratio.median < 1:
            return f"{engine} needs {workers_label(row.first.workers)} to beat {against}."
    measured = ", ".join(str(row.first.workers) for row in tried)
    return f"{engine} does not beat {against} with any number of workers measured ({measured})."


def _lost(rows: Sequence[Row]) -> list[str]:
    lost = [row for row in rows if len(row.shown) < len(row.records)]
    if not lost:
        return []
    runs = sum(len(row.records) - len(row.shown) for row in lost)
    names = sorted({f"{row.name} ({row.first.method})" for row in lost})
    many = f"{runs} runs" if runs > 1 else "One run"
    return [f"{many} gave no time that may be shown, by {', '.join(names)}: see the table."]


def _conditions(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    first = rows[0].first
    machine = first.machine
    memory = size_label(int(machine.get("memory_bytes", 0)))
    begun = min((record.started_at for row in rows for record in row.records), default="")
    known = (record.commit for row in rows for record in row.records if record.commit)
    commits = ", ".join(dict.fromkeys(known))
    probes = [r.probe_seconds for row in rows for r in row.records if r.probe_seconds]
    drift = f" A fixed probe took {Interval.of(probes)} s beside the runs." if probes else ""
    return (
        f"{processor.shown(machine)}, {machine.get('cores', '?')} cores,"
        f" {memory}; commit {commits or 'not recorded'}; begun {begun or 'not recorded'}."
        f"{drift} Times are load + compute + communicate, start-up apart; ratios are taken within"
        " a round, and given as median (smallest-largest)."
    )


def _table(rows: Sequence[Row]) -> str:
    headings, body = ratio_table.cells_of(rows)
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in [*headings, "reason"])
    lines = []
    for row, values in zip(rows, body, strict=True):
        cells = "".join(f"<td>{html.escape(value)}</td>" for value in [*values, row.reason or ""])
        kind = "shown" if row.shown else "missing"
        lines.append(f'<tr class="{kind}">{cells}</tr>')
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _predicted(model: CostModel | cost_model.TooFewCells) -> list[str]:
    if isinstance(model, CostModel):
        return prediction.sentences(model)
    return [f"{model.engine}: too few cells to fit the cost model: {model.reason}."]


def _setting(row: Row) -> tuple[str, int, int, str | None]:
    return row.dataset.uri, row.first.workers, row.first.threads, row.split_size


def _engines(rows: Sequence[Row]) -> list[str]:
    return [row.first.engine for row in rows if row.first.engine != PLAIN]


def _named(row: Row) -> str:
    threads = row.first.workers * row.first.threads
    if row.first.engine != PLAIN:
        return row.name
    return f"one plain process ({threads} thread{'s' if threads > 1 else ''})"


def _gpus(row: Row) -> str:
    devices = {device for record in row.records for device in record.devices}
    return ", ".join(sorted(device.removeprefix("cuda ") for device in devices)) or "not recorded"


def _median(row: Row) -> float:
    return row.seconds.median if row.seconds is not None else float("inf")


def _ratio(interval: Interval) -> str:
    return str(interval)
