"""The answer as pictures, and as one HTML page that has them in it and opens offline."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from studyreport import answer_page

from hyperparameter_tuning import drawing, drawing_lineage, paper
from hyperparameter_tuning.answered import Answered

FILES = {
    "trials.csv": "every trial: configuration, score, epochs, CPU-seconds",
    "model.safetensors": "the best trial's network",
    "model.ubj": "the best trial's trees, XGBoost's own file",
    "best_so_far.png": "best score of every search against CPU-seconds",
    "parallel_coordinates.png": "configurations and scores",
    "lineage.png": "whose state lives on",
    "hyperparameters.png": "hyperparameters over time",
}
"""{file: what it is}, in the page's order."""
COLUMNS = {
    paper.BREAST_CANCER: (
        ("train_log_loss", "train-logloss"),
        ("train_error", "train-error"),
        ("log_loss", "valid-logloss"),
        ("error", "valid-error"),
    ),
    paper.CIFAR10: (),
}
"""(figure, the paper's heading) of a trial, beside those that every trial has."""
SCORES = {paper.BREAST_CANCER: "score", paper.CIFAR10: "acc"}
MEMORY = "peak_memory_bytes"
NONE = "-"


def pictures(quality: Mapping[str, Any]) -> dict[str, bytes]:
    """{file name: PNG}; without those of which there is nothing to draw."""
    charts: dict[str, Any] = {}
    if any(of["best_so_far"] for of in quality["searches"].values()):
        charts["best_so_far.png"] = drawing.best_so_far(quality)
    if any(trial["score"] is not None for trial in quality["trials"]):
        charts["parallel_coordinates.png"] = drawing.parallel_coordinates(quality)
    if drawing_lineage.copied(quality):
        charts["lineage.png"] = drawing_lineage.lineage(quality)
    if drawing_lineage.went_on(quality):
        charts["hyperparameters.png"] = drawing_lineage.over_time(quality)
    return {name: drawing.png(chart) for name, chart in charts.items()}


def render(answered: Answered, drawn: Mapping[str, bytes], beside: Sequence[str] = ()) -> bytes:
    """The page; `beside` are names of files that lie in its folder, which it links."""
    quality = answered.quality
    parts = [
        f"<h1>Hyperparameters tuned: {html.escape(answered.study)}</h1>",
        f"<p><strong>{html.escape(finding(quality))}</strong></p>",
        f'<p class="small">{html.escape(_conditions(answered))}</p>',
        *(f"<p>{html.escape(text)}.</p>" for text in quality["said"]),
        "<h2>Trials</h2>",
        answer_page.table(*trial_table(quality, answered.study)),
        "<h2>Searches</h2>",
        answer_page.table(*search_table(quality)),
        *(answer_page.image(drawn[name], FILES[name]) for name in FILES if name in drawn),
        "<h2>The paper's trials</h2>",
        answer_page.table(*paper.rows(answered.study)),
        _list(paper.FAULTS[answered.study]),
        "<h2>Files</h2>" if beside else "",
        answer_page.links(beside, FILES) if beside else "",
    ]
    return answer_page.document("Hyperparameters tuned", parts)


def finding(quality: Mapping[str, Any]) -> str:
    best = quality["best"]
    if best is None:
        return "No trial left a model."
    found = f"Best of {len(quality['trials'])} trials: {words(best['configuration'])}"
    found += f" (trial {best['trial']}; {quality['score_is']} {best['validation_score']:.4f})."
    if "score" in best:
        low, high = best["interval"]
        found += (
            f" On the untouched test part {best['score']:.4f} are right ({low:.3f} … {high:.3f}"
        )
        found += f", chance {quality['chance']:.3g})."
        found += " That may be chance." if best["at_chance"] else ""
    flagged = len(quality["at_chance"])
    return found + (f" {flagged} of the trials may be at chance." if flagged else "")


def _conditions(answered: Answered) -> str:
    run = answered.run
    workers = run.options.worker_count
    return (
        f"{run.dataset.uri}. {run.engine}, --method {run.options.method}, {workers}"
        f" worker{'s' if workers > 1 else ''} with --threads {run.options.threads}, seed"
        f" {run.options.seed}. Scores of trials are of the validation part, which chose the best."
    )


def trial_table(quality: Mapping[str, Any], study: str) -> tuple[list[str], list[list[str]]]:
    """Headings and rows as in the paper's figures 3 and 4; no column of which nothing is known."""
    parameters = list(quality["trials"][0]["configuration"])
    headings = ["trial", "status", *parameters, SCORES[study]]
    headings += [heading for _, heading in COLUMNS[study]]
    headings += ["iter", "CPU time (s)", "peak memory (MB)", "copied from"]
    rows = [_trial_row(trial, parameters, study) for trial in quality["trials"]]
    known = [at for at in range(len(headings)) if any(row[at] != NONE for row in rows)]
    return [headings[at] for at in known], [[row[at] for at in known] for row in rows]


def _trial_row(trial: Mapping[str, Any], parameters: Sequence[str], study: str) -> list[str]:
    return [
        str(trial["trial"]),
        trial["status"],
        *(f"{trial['configuration'][name]:.4g}" for name in parameters),
        number(trial["score"]),
        *(number(trial["figures"].get(name)) for name, _ in COLUMNS[study]),
        str(trial["epochs"]),
        f"{trial['cpu_seconds']:.2f}",
        number(trial["figures"].get(MEMORY), 1e-6, "{:.0f}"),
        NONE if trial["parent"] is None else str(trial["parent"]),
    ]


def search_table(quality: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    headings = ["search", "trials", "epochs", "CPU time (s)", "wall (s)", "best", "test", "with"]
    rows = []
    for name, of in quality["searches"].items():
        best = of["best"] or {}
        rows.append(
            [
                name,
                str(of["trials"]),
                str(of["epochs"]),
                f"{of['cpu_seconds']:.1f}",
                f"{of['wall_seconds']:.1f}",
                number(best.get("validation_score")),
                number(best.get("score")),
                words(best.get("configuration", {})),
            ]
        )
    return headings, rows


def number(value: float | None, unit: float = 1, form: str = "{:.4f}") -> str:
    return NONE if value is None else form.format(value * unit)


def words(configuration: Mapping[str, float]) -> str:
    named = (f"{name.replace('_', ' ')} {value:.4g}" for name, value in configuration.items())
    return ", ".join(named) or NONE


def _list(items: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"
