# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

import logging

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticStatus

from hmp_ros import logs
from hmp_ros.diagnostics import build_diagnostics
from hmp_ros.logs import Faults, RosLogHandler


class _Logger:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, text: str) -> None:
        self.lines.append(("info", text))

    def warning(self, text: str) -> None:
        self.lines.append(("warning", text))

    def error(self, text: str) -> None:
        self.lines.append(("error", text))


def test_a_status_shows_its_values_and_warns_of_what_is_wrong() -> None:
    values = {"image rate [Hz]": 29.9712, "dropped images": 3}
    (well,) = build_diagnostics(Time(sec=5), "/left/initializer_node", None, values).status
    assert (well.level, well.name, well.message) == (DiagnosticStatus.OK, "/left/initializer_node", "running")
    assert [(item.key, item.value) for item in well.values] == [
        ("image rate [Hz]", "29.97"),
        ("dropped images", "3"),
    ]
    (ill,) = build_diagnostics(Time(sec=5), "/left/initializer_node", "no image for 5 s", values).status
    assert (ill.level, ill.message) == (DiagnosticStatus.WARN, "no image for 5 s")
    (stale,) = build_diagnostics(Time(), "/a", "images stopped", {}, DiagnosticStatus.STALE).status
    assert stale.level == DiagnosticStatus.STALE


def test_faults_are_all_counted_and_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    logger = _Logger()
    faults = Faults(logger)
    for _ in range(300):
        faults.add("stamp repeats", "image of 7.5")
        now += 0.1
    faults.add("unknown encoding", "yuv999")
    assert faults.counts == {"stamp repeats": 300, "unknown encoding": 1}
    repeated = [text for _, text in logger.lines if "stamp repeats" in text]
    assert 3 < len(repeated) <= 3 + 30 / 5
    assert repeated[0] == "skipped (stamp repeats, 1 so far): image of 7.5"
    assert len(logger.lines) == len(repeated) + 1


def test_the_core_speaks_through_ros() -> None:
    logger = _Logger()
    handler = RosLogHandler(logger)
    core = logging.getLogger("hmp_core.test")
    core.addHandler(handler)
    core.setLevel(logging.INFO)
    try:
        core.info("tracking %d hands", 2)
        core.warning("guessed")
        core.error("broken")
    finally:
        core.removeHandler(handler)
    assert logger.lines == [("info", "tracking 2 hands"), ("warning", "guessed"), ("error", "broken")]
