"""What the page of one answer is made of: pictures within it, tables, links to files beside it.

The page is a study's own; it opens offline.
"""

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from studyreport import theme
from studyreport.page import STYLE

if TYPE_CHECKING:  # Only a study of pictures has it.
    from PIL import Image

LOOK = STYLE + "img { max-width: 100%; height: auto; }"


def document(title: str, parts: Iterable[str]) -> bytes:
    """The page, of those parts of it that are there; `title` is plain text."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{LOOK}</style>'
    body = "\n".join(part for part in parts if part)
    page = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'
    return page.encode()


def png(picture: "Image.Image") -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def image(content: bytes, what: str) -> str:
    """A PNG, at the width that it was drawn for; `what` it shows."""
    data = base64.b64encode(content).decode()
    # PNG has its width in bytes 16 … 19.
    width = int.from_bytes(content[16:20], "big") / theme.PNG_SCALE
    shown = html.escape(what)
    return f'<p><img alt="{shown}" width="{width:.0f}" src="data:image/png;base64,{data}"></p>'


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def links(names: Iterable[str], files: Mapping[str, str], further: Iterable[str] = ()) -> str:
    """A list of files beside the page, `files` {name: what it is}, and further words."""
    items = [f'<a href="{name}">{name}</a>: {html.escape(files[name])}' for name in names]
    return f"<ul>{''.join(f'<li>{item}</li>' for item in [*items, *further])}</ul>"
