# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pages with tables, plots and pictures: one HTML file with all in it, or Markdown with its pictures beside it."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hmp_core.errors import ConfigError
from hmp_core.whole_file import whole_file

SUFFIXES: Final = (".html", ".md")
_DPI: Final = 110
_JPEG_QUALITY: Final = 85


class _Block(Protocol):
    def html(self) -> str:
        """The block as HTML."""

    def markdown(self, page: Path) -> str:
        """The block as Markdown; what does not fit into text is written beside the page."""


class ReportPage:
    """A page, written down from top to bottom.

    Args:
        title: of the page.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._blocks: list[_Block] = []

    def heading(self, text: str) -> None:
        """Begin a part of the page."""
        self._blocks.append(_Text(text, "h2", "## ", ""))

    def paragraph(self, text: str) -> None:
        """Say something."""
        self._blocks.append(_Text(text, "p", "", ""))

    def listing(self, text: str) -> None:
        """Lines as they are, such as settings."""
        self._blocks.append(_Text(text, "pre", "```\n", "\n```"))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; its first column names the rows."""
        self._blocks.append(_Table(tuple(heads), tuple(map(tuple, rows))))

    def plot(self, name: str, figure: Figure) -> None:
        """A plot; ``name`` is that of its file beside a Markdown page."""
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI)
        self._blocks.append(_Picture(name, "png", stream.getvalue()))

    def picture(self, name: str, image: NDArray[np.uint8]) -> None:
        """A BGR picture [height, width, 3]."""
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        self._blocks.append(_Picture(name, "jpg", data.tobytes()))

    def write(self, path: Path) -> None:
        """Write the page; it appears whole or not at all.

        Raises:
            ConfigError: the file is neither ``.html`` nor ``.md``.
        """
        check_page(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".html":
            text = html_document(self._title, "\n".join(block.html() for block in self._blocks))
        else:
            text = "\n\n".join([f"# {self._title}", *(block.markdown(path) for block in self._blocks)])
        with whole_file(path) as partial:
            partial.write_text(text + "\n", encoding="utf-8")


def check_page(path: Path | None) -> None:
    """Refuse, before any work is done, a page that could not be written.

    Raises:
        ConfigError: the file is neither ``.html`` nor ``.md``.
    """
    if path is not None and path.suffix not in SUFFIXES:
        raise ConfigError(f"a report is {' or '.join(SUFFIXES)}, not {path.name!r}")


def html_document(title: str, body: str, style: str = "", script: str = "") -> str:
    """A whole HTML page in the look of all of ours (``page.css``), for light and dark screens and paper.

    Args:
        title: plain text.
        body: HTML below the title.
        style: CSS beside the common one.
        script: JavaScript, run when the body is there.
    """
    common = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{common}{style}</style></head>",
        f"<body><h1>{escape(title)}</h1>",
        body,
        f"<script>\n{script}</script>" if script else "",
        "</body></html>",
    ]
    return "\n".join(lines)


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain text; it scrolls by itself where the page is narrow."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    cells = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{cells}</tbody></table></div>'


@dataclass(frozen=True)
class _Text:
    text: str
    tag: str
    before: str
    after: str

    def html(self) -> str:
        return f"<{self.tag}>{escape(self.text)}</{self.tag}>"

    def markdown(self, page: Path) -> str:
        return f"{self.before}{self.text}{self.after}"


@dataclass(frozen=True)
class _Table:
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def html(self) -> str:
        return html_table(self.heads, self.rows)

    def markdown(self, page: Path) -> str:
        lines = [self.heads, ("---",) * len(self.heads), *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


@dataclass(frozen=True)
class _Picture:
    name: str
    kind: str
    data: bytes

    def html(self) -> str:
        mime = "image/jpeg" if self.kind == "jpg" else "image/png"
        source = f"data:{mime};base64,{base64.b64encode(self.data).decode()}"
        return f'<figure><img alt="{escape(self.name)}" src="{source}"></figure>'

    def markdown(self, page: Path) -> str:
        image = page.with_name(f"{page.stem}_{self.name}.{self.kind}")
        image.write_bytes(self.data)
        return f"![{self.name}]({image.name})"
