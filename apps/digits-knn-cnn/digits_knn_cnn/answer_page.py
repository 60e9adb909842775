"""The answer as pictures, and as one HTML page that has them in it and opens offline."""

import html
from collections.abc import Iterable, Mapping, Sequence

from studyreport import answer_page

from digits_knn_cnn import drawing, misread, paper
from digits_knn_cnn.answered import Answered, why_no_model

FILES = {
    "predictions.csv": "what was read on every test picture",
    "model.safetensors": "the trained network",
    "accuracy.png": "accuracy",
    "loss.png": "loss by epoch",
    "confusion.png": "what digits were taken for",
    "misread.png": "the misread digits",
    "times.png": "times beside the paper's",
}
"""{file: what it is}, in the page's order."""


def pictures(answered: Answered) -> dict[str, bytes]:
    """{file name: PNG}, in the page's order; loss only of a network."""
    quality, best = answered.quality, answered.best
    charts = {"accuracy.png": drawing.accuracy(quality)}
    if "loss_by_epoch" in quality:
        charts["loss.png"] = drawing.loss(quality)
    charts["confusion.png"] = drawing.confusion(quality["confusion"][best], answered.title)
    charts["times.png"] = drawing.times(
        answered.seconds, paper.times(answered.run.parameters.model)
    )
    drawn = {name: drawing.png(chart) for name, chart in charts.items()}
    sheet = misread.sheet(
        answered.pixels, answered.labels, answered.predicted[best], answered.places, answered.title
    )
    drawn["misread.png"] = answer_page.png(sheet)
    return {name: drawn[name] for name in FILES if name in drawn}


def render(answered: Answered, drawn: Mapping[str, bytes], beside: Sequence[str] = ()) -> bytes:
    """The page; `beside` are names of files that lie in its folder, which it links."""
    shown = {name: answer_page.image(content, FILES[name]) for name, content in drawn.items()}
    parts = [
        f"<h1>Digits read by {html.escape(answered.title)}</h1>",
        f"<p><strong>{_finding(answered)}</strong></p>",
        f'<p class="small">{html.escape(_conditions(answered))}</p>',
        "<h2>Accuracy</h2>",
        shown["accuracy.png"],
        shown.get("loss.png", ""),
        "<h2>Each digit</h2>",
        _report(answered),
        shown["confusion.png"],
        "<h2>The misread digits</h2>",
        shown["misread.png"],
        "<h2>Times beside the paper's</h2>",
        shown["times.png"],
        _paper(answered),
        "<h2>Files</h2>" if beside else "",
        _links(answered, beside) if beside else "",
    ]
    return answer_page.document("Digits read", parts)


def _finding(answered: Answered) -> str:
    rows = len(answered.labels)
    wrong = len(misread.which(answered.labels, answered.predicted[answered.best]))
    choice = " Of equally good k this is the smallest." if len(answered.predicted) > 1 else ""
    return (
        f"{rows - wrong:,} of {rows:,} test pictures are read right by {answered.title}"
        f" ({(rows - wrong) / rows:.4f}).{choice}"
    )


def _conditions(answered: Answered) -> str:
    run = answered.run
    workers = run.options.worker_count
    return (
        f"{run.dataset.uri}: {answered.quality['train_rows']:,} training pictures."
        f" {run.engine}, --method {run.options.method},"
        f" {workers} worker{'s' if workers > 1 else ''} with --threads {run.options.threads}."
    )


def _report(answered: Answered) -> str:
    rows = (
        [
            digit,
            *(f"{of[name]:.4f}" for name in ("precision", "recall", "f1")),
            f"{of['support']:,}",
        ]
        for digit, of in answered.quality["report"][answered.best].items()
    )
    return answer_page.table(["digit", "precision", "recall", "F1", "test pictures"], rows)


def _paper(answered: Answered) -> str:
    """What table 3 timed under this model's name, whatever it is called there."""
    model = answered.run.parameters.model
    rows = (
        [time.engine, str(time.workers), f"{time.seconds:g}", time.of]
        for time in paper.times(model)
    )
    text = answer_page.table(["engine", "workers", "seconds", "what was timed"], rows)
    if model == "knn":
        return text
    return text + (
        "<p>Table 3 calls them ResNet18. None of the paper's notebooks trains one: what can be"
        " traced is its small CNN.</p>"
    )


def _links(answered: Answered, names: Iterable[str]) -> str:
    reason = why_no_model(answered.run.parameters.model, answered.run.options.method)
    return answer_page.links(names, FILES, [] if reason is None else [f"No model: {reason}."])
