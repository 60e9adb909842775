"""The answer as pictures, and as one HTML page that has them in it and opens offline."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from studykit.run import Run
from studyreport import answer_page

from lesion_classification import cross_validation, drawing, metrics, surest
from lesion_classification.answering import Answer
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.leak import Leak

FILES = {
    "predictions.parquet": "the score of every image, by a network that had not learned from it",
    "features.parquet": "the features of every image",
    "roc.png": "the ROC curve",
    "figures.png": "figures beside the paper's",
    "surest_mistakes.png": "the surest mistakes",
}
"""{file: what it is}, in the page's order."""


def pictures(answer: Answer, leak: Leak) -> dict[str, bytes]:
    """{file name: PNG}, in the page's order."""
    assert answer.data is not None
    found = {leak.kind: (answer.data, list(answer.results))}
    if leak.other is not None:
        found[leak.other_kind] = leak.other
    curves = {kind: curve for kind, of in found.items() if (curve := _curve(*of)) is not None}
    qualities = {
        kind: cross_validation.quality(results, data) for kind, (data, results) in found.items()
    }
    lesions = answer.data.lesions
    mistakes = surest.found(
        lesions.labels, cross_validation.scores(answer.results, lesions), lesions
    )
    sheet = surest.sheet(mistakes, len(lesions), surest.reader(lesions))
    drawn = {"roc.png": drawing.png(drawing.roc(curves))} if curves else {}
    drawn["figures.png"] = drawing.png(drawing.figures(qualities))
    drawn["surest_mistakes.png"] = answer_page.png(sheet)
    return drawn


def _curve(data: Data, results: Sequence[FoldResult]) -> metrics.Roc | None:
    return metrics.roc([(data.lesions.labels[one.rows], one.scores) for one in results])


def render(
    run: Run, answer: Answer, leak: Leak, drawn: Mapping[str, bytes], beside: Sequence[str] = ()
) -> bytes:
    """The page; `beside` are names of files that lie in its folder, which it links."""
    assert answer.data is not None
    quality = cross_validation.quality(answer.results, answer.data)
    shown = {name: answer_page.image(content, FILES[name]) for name, content in drawn.items()}
    parts = [
        "<h1>Lesions: malignant or benign</h1>",
        f"<p><strong>{html.escape(_finding(quality))}</strong></p>",
        f'<p class="small">{html.escape(_conditions(run, answer, quality))}</p>',
        shown.get("roc.png", ""),
        "<h2>Figures</h2>",
        _figures(leak, quality),
        f"<p>{html.escape(_leak(leak))}</p>",
        shown["figures.png"],
        "<h2>The surest mistakes</h2>",
        shown["surest_mistakes.png"],
        "<h2>Each fold</h2>",
        _folds(quality),
        "<h2>Files</h2>" if beside else "",
        answer_page.links(beside, FILES) if beside else "",
    ]
    return answer_page.document("Lesions", parts)


def _finding(quality: Mapping[str, Any]) -> str:
    return (
        f"AUC {_figure(quality, 'auc')}, accuracy {_figure(quality, 'accuracy')} over"
        f" {quality['folds']} folds of {quality['images']:,} images of"
        f" {quality['groups']:,} lesions, {quality['malignant']:,} images malignant."
    )


def _figure(quality: Mapping[str, Any], name: str) -> str:
    if quality[name] is None:
        return "none"
    return f"{quality[name]:.4f} ± {quality[f'{name}_std']:.4f}"


def _conditions(run: Run, answer: Answer, quality: Mapping[str, Any]) -> str:
    asked, workers = run.parameters, run.options.worker_count
    random = " They are random: the figures say nothing of ResNet50." * (asked.weights == "random")
    return (
        f"{run.dataset.uri}; {len(answer.broken):,} broken images left out. {run.engine}, --method"
        f" {run.options.method}, --folds {asked.folds}, {workers} worker{'s' * (workers > 1)} with"
        f" --threads {run.options.threads}; ResNet50 in {answer.precision}, its weights"
        f" {asked.weights}.{random}"
    )


def _leak(leak: Leak) -> str:
    found = leak.figures
    if "auc_leak" not in found:
        return f"The leak is not known: {found['leak']}."
    shared = found["groups_shared_by_published_folds"]
    many = f"{shared:,} lesion{' has' if shared == 1 else 's have'} images"
    worth = found["auc_leak"]
    told = "" if worth is None else f" That is worth {worth:+.4f} of AUC: the leak."
    return (
        f"With the published folds, {many} both among those learned from and those tested;"
        f" by lesion none has.{told}"
    )


def _figures(leak: Leak, quality: Mapping[str, Any]) -> str:
    qualities = {leak.kind: quality}
    if leak.other is not None:
        qualities[leak.other_kind] = cross_validation.quality(leak.other[1], leak.other[0])
    rows = []
    for name in metrics.NAMES:
        row = [drawing.TITLES[name], *(_figure(one, name) for one in qualities.values())]
        if leak.other is not None:
            worth = leak.figures[f"{name}_leak"]
            row.append("none" if worth is None else f"{worth:+.4f}")
        rows.append(row)
    heads = [drawing.SERIES[kind] for kind in qualities]
    return answer_page.table(["", *heads, *(["the leak"] if leak.other is not None else [])], rows)


def _folds(quality: Mapping[str, Any]) -> str:
    rows = (
        [
            str(one["fold"] + 1),
            f"{one['images']:,}",
            *("none" if one[name] is None else f"{one[name]:.4f}" for name in metrics.NAMES),
        ]
        for one in quality["by_fold"]
    )
    return answer_page.table(
        ["fold", "images", *(drawing.TITLES[name] for name in metrics.NAMES)], rows
    )
