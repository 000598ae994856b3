# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a window node complains about."""

from diagnostic_msgs.msg import DiagnosticStatus

from hmp_core.estimate import FrameEstimate
from hmp_ros.solve_record import SolveRecord

PERIOD_NS = 33_000_000


def _solve(record: SolveRecord, spent_ms: list[float]) -> None:
    for k, spent in enumerate(spent_ms):
        record.observed(k * PERIOD_NS)
        record.solved(FrameEstimate(k * PERIOD_NS, (), {"optimize": spent}), 1)


def test_silence_is_stale_and_work_is_well(monkeypatch) -> None:
    record = SolveRecord()
    health = record.health()
    assert (health.level, health.complaint) == (
        DiagnosticStatus.STALE,
        "no observations yet: is initializer_node active?",
    )
    _solve(record, [5.0] * 90)
    assert record.health().complaint is None
    monkeypatch.setattr(type(record), "age_s", 4.0)
    health = record.health()
    assert health.level == DiagnosticStatus.STALE
    assert "no observations for 4 s" in str(health.complaint)


def test_a_solver_that_is_often_late_is_warned_of_until_it_recovers() -> None:
    record = SolveRecord()
    _solve(record, [5.0] * 80 + [50.0] * 5)
    assert record.health().complaint is None, "a few are nobody's business"
    _solve(record, [50.0] * 10)
    health = record.health()
    assert health.level == DiagnosticStatus.WARN
    assert "of the last 60 solves took longer than an image's period" in str(health.complaint)
    assert health.values["solves longer than an image's period"] == 14
    _solve(record, [5.0] * 60)
    assert record.health().complaint is None
