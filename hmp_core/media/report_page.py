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
_STYLE: Final = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1080px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: .6em 0; font-variant-numeric: tabular-nums }
th, td { padding: 2px 9px; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% } pre { background: #f5f5f5; padding: .8em; overflow-x: auto }
"""


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
            head = f"<meta charset=utf-8><title>{escape(self._title)}</title><style>{_STYLE}</style>"
            body = [f"<h1>{escape(self._title)}</h1>", *(block.html() for block in self._blocks)]
            text = "\n".join([f"<!DOCTYPE html>{head}", *body])
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
        top = "".join(f"<th>{escape(head)}</th>" for head in self.heads)
        cells = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self.rows)
        return f"<table><tr>{top}</tr>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>"

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
        return f'<p><img alt="{escape(self.name)}" src="{source}"></p>'

    def markdown(self, page: Path) -> str:
        image = page.with_name(f"{page.stem}_{self.name}.{self.kind}")
        image.write_bytes(self.data)
        return f"![{self.name}]({image.name})"
