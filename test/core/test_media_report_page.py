# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from hmp_core.errors import ConfigError
from hmp_core.media.report_page import ReportPage, check_page


def page():
    written = ReportPage("hands & <things>")
    written.heading("First")
    written.paragraph("5 < 6")
    written.table(("method", "mm"), [("a|b", "1.0"), ("hold", "–")])
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    written.plot("line", figure)
    written.picture("frame", np.full((20, 30, 3), 90, np.uint8))
    written.listing("{\n 1\n}")
    return written


def test_html_holds_everything(tmp_path):
    path = tmp_path / "deep" / "page.html"
    page().write(path)
    text = path.read_text()
    words, images = [], []

    class Reader(HTMLParser):
        def handle_data(self, data):
            words.append(data)

        def handle_starttag(self, tag, attributes):
            images.extend(value for name, value in attributes if name == "src")

    Reader().feed(text)
    assert {"hands & <things>", "First", "5 < 6", "a|b", "hold"} <= set(words)
    assert [image.split(",")[0] for image in images] == ["data:image/png;base64", "data:image/jpeg;base64"]
    assert [item.name for item in path.parent.iterdir()] == ["page.html"]


def test_markdown_has_its_pictures_beside_it(tmp_path):
    path = tmp_path / "page.md"
    page().write(path)
    text = path.read_text()
    assert "| a\\|b | 1.0 |" in text
    assert "```\n{\n 1\n}\n```" in text
    linked = re.findall(r"!\[.*\]\((.*)\)", text)
    assert linked == ["page_line.png", "page_frame.jpg"]
    assert all((tmp_path / name).stat().st_size > 100 for name in linked)


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"page\.pdf"):
        check_page(Path("page.pdf"))
    with pytest.raises(ConfigError, match=r"\.html or \.md"):
        page().write(tmp_path / "page.pdf")
    assert not list(tmp_path.iterdir())
