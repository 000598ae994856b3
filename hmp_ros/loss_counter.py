# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many messages were sent and never delivered."""

from collections.abc import Mapping
from typing import Any, Final

from rclpy.subscription import Subscription

MESSAGES_HAVE_INFO: Final = hasattr(Subscription, "CallbackType")
"""Whether callbacks may ask for the info of a message as well; in Humble they may not."""


class LossCounter:
    """Counts the gaps in the numbers that a publisher gives to its messages.

    A gap is what the transport lost, or what a newer message replaced before the executor took it. Where the
    middleware does not say the number and its publisher (rclpy before Kilted, Cyclone DDS), nothing is counted.

    Attributes:
        lost: messages since the start.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._newest: tuple[Any, int] | None = None

    def count(self, info: Mapping[str, Any]) -> None:
        """A message arrived.

        Args:
            info: ``rclpy.subscription.MessageInfo`` of it.
        """
        publisher, number = info.get("publisher_gid"), info.get("publication_sequence_number")
        if publisher is None or number is None:
            return
        if self._newest is not None:
            previous_publisher, previous = self._newest
            if publisher == previous_publisher and number > previous:
                self.lost += number - previous - 1
        self._newest = publisher, number

    def pause(self) -> None:
        """What is sent from here to the next message was not asked for."""
        self._newest = None
