# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What travels from the initializer to the window node, as a message or within one process."""

from dataclasses import dataclass
from typing import Any

from hmp_core.media.message_fields import Timing
from hmp_core.media.message_reader import observation_from_message
from hmp_core.observation import FrameObservation


@dataclass(frozen=True)
class ObservedFrame:
    """One observation with what its messages need beside it.

    Attributes:
        observation: the evidence of one image.
        frame_id: the camera's optical frame.
        timing: when the image was received, and how many were dropped so far.
    """

    observation: FrameObservation
    frame_id: str
    timing: Timing

    @classmethod
    def from_message(cls, message: Any) -> "ObservedFrame":
        """Read a ``HandObservationArray``.

        Raises:
            DataError, CameraError: the message holds unusable values.
        """
        latency = message.latency
        received_ns = int(latency.received_at.sec) * 1_000_000_000 + int(latency.received_at.nanosec)
        return cls(
            observation=observation_from_message(message),
            frame_id=message.header.frame_id,
            timing=Timing(received_ns=received_ns, dropped_images=int(latency.dropped_images)),
        )
