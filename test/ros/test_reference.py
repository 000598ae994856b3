# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the README and of docs/reference.md say what the running nodes and the code have."""

from pathlib import Path

import pytest
from live_graph import Endpoint, observe_graph
from write_reference import PAGES, rewrite

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def endpoints() -> list[Endpoint]:
    """What the nodes have, seen from outside."""
    return observe_graph()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_the_tables_are_up_to_date(page: str, endpoints: list[Endpoint]) -> None:
    text, stale = rewrite((ROOT / page).read_text(), endpoints)
    assert not stale, f"{page} is out of date: run `python tools/write_reference.py`"
    assert text == (ROOT / page).read_text()
