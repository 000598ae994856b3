# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the soak makes of its figures; the soak itself takes minutes."""

import mmap
import os
from typing import Any

import numpy as np
import pytest
import soak


def _rows(memory_mb: list[float]) -> list[dict[str, Any]]:
    latency = dict.fromkeys(soak.PERCENTILES)
    return [
        {"minute": minute, "images": 1800, "hands": 0, "latency_ms": latency, "rss_mb": {"window_node": value}}
        for minute, value in enumerate(memory_mb, 1)
    ]


def test_growth_is_the_slope_after_the_first_minute() -> None:
    assert soak.growth_mb_per_hour(_rows([400.0, 500.0, 500.5, 501.0, 501.5])) == {"window_node": 30.0}
    assert soak.growth_mb_per_hour(_rows([500.0, 600.0, 600.0])) == {"window_node": None}


def test_memory_is_what_a_process_holds() -> None:
    before = soak.rss_mb(os.getpid())
    with mmap.mmap(-1, 50_000_000) as held:  # pages of its own: an array could take what was freed earlier
        np.frombuffer(held, np.uint8)[:] = 1
        assert soak.rss_mb(os.getpid()) - before == pytest.approx(len(held) / 1e6, rel=0.1)


def test_minutes_without_an_answer_are_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    rows = _rows([500.0, 500.0, 501.0, 502.0])
    soak.print_table(rows, soak.growth_mb_per_hour(rows))
    printed = capsys.readouterr().out
    assert "1800" in printed
    assert "+60.0" in printed
