# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Health of a node as ``diagnostic_msgs/DiagnosticArray``, built directly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

PERIOD_S: Final = 1.0


@dataclass(frozen=True)
class Health:
    """How something does.

    Attributes:
        complaint: what is wrong and what to do, None when all is well.
        level: how bad that is: WARN, ERROR, or STALE where nothing comes in any more.
        values: what to show, with the unit in the key.
    """

    complaint: str | None = None
    level: bytes = DiagnosticStatus.WARN
    values: Mapping[str, float | int | str] = field(default_factory=dict)


def build_diagnostics(
    stamp: Time,
    node_name: str,
    complaint: str | None,
    values: Mapping[str, float | int | str],
    level: bytes = DiagnosticStatus.WARN,
) -> DiagnosticArray:
    """One status: OK, or ``level`` with what is wrong.

    Args:
        stamp: now.
        node_name: fully qualified, so that an aggregator can group by it.
        complaint: what is wrong, None when all is well.
        values: what to show, with the unit in the key.
        level: how bad what is wrong is.
    """
    status = DiagnosticStatus(
        level=DiagnosticStatus.OK if complaint is None else level,
        name=node_name,
        message=complaint or "running",
        values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array


def _text(value: float | int | str) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
