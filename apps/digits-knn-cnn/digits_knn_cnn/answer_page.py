"""The answer as pictures, and as one HTML page that has them in it and opens offline."""

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence

from PIL import Image
from studyreport import theme
from studyreport.page import STYLE

from digits_knn_cnn import drawing, misread, paper
from digits_knn_cnn.answered import Answered, why_no_model

LOOK = STYLE + "img { max-width: 100%; height: auto; }"
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
    drawn["misread.png"] = _png(sheet)
    return {name: drawn[name] for name in FILES if name in drawn}


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def render(answered: Answered, drawn: Mapping[str, bytes], beside: Sequence[str] = ()) -> bytes:
    """The page; `beside` are names of files that lie in its folder, which it links."""
    shown = {name: _image(name, content) for name, content in drawn.items()}
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
    head = f'<meta charset="utf-8"><title>Digits read</title><style>{LOOK}</style>'
    body = "\n".join(part for part in parts if part)
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'
    return page.encode()


def _image(name: str, content: bytes) -> str:
    data = base64.b64encode(content).decode()
    # PNG has its width in bytes 16 … 19.
    width = int.from_bytes(content[16:20], "big") / theme.PNG_SCALE
    shown = html.escape(FILES[name])
    return f'<p><img alt="{shown}" width="{width:.0f}" src="data:image/png;base64,{data}"></p>'


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
    return _table(["digit", "precision", "recall", "F1", "test pictures"], rows)


def _paper(answered: Answered) -> str:
    """What table 3 timed under this model's name, whatever it is called there."""
    model = answered.run.parameters.model
    rows = (
        [time.engine, str(time.workers), f"{time.seconds:g}", time.of]
        for time in paper.times(model)
    )
    text = _table(["engine", "workers", "seconds", "what was timed"], rows)
    if model == "knn":
        return text
    return text + (
        "<p>Table 3 calls them ResNet18. None of the paper's notebooks trains one: what can be"
        " traced is its small CNN.</p>"
    )


def _links(answered: Answered, names: Iterable[str]) -> str:
    items = [f'<li><a href="{name}">{name}</a>: {html.escape(FILES[name])}</li>' for name in names]
    reason = why_no_model(answered.run.parameters.model, answered.run.options.method)
    if reason is not None:
        items.append(f"<li>No model: {reason}.</li>")
    return f"<ul>{''.join(items)}</ul>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
