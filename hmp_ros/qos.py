# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of every topic, in one place."""

from typing import Final

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy, qos_profile_sensor_data

IMAGES: Final = qos_profile_sensor_data
"""Cameras in: best effort, which matches every publisher."""

HANDS: Final = QoSProfile(depth=5, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
"""Results out: a reliable publisher serves reliable and best-effort readers alike."""

OBSERVATIONS: Final = QoSProfile(depth=30, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.RELIABLE)
"""Between the nodes: the evidence; a second of it waits for a busy reader."""

LATCHED: Final = QoSProfile(
    depth=1,
    history=HistoryPolicy.KEEP_LAST,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Descriptions: late readers get the last one."""
