# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publishers and subscriptions of a node that come and go together, with their quality of service overridable."""

from collections.abc import Callable
from copy import copy
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription


class Topics:
    """What one node has opened.

    History, depth and reliability of each topic can be overridden by the user with parameters like
    ``qos_overrides./image.subscription.reliability``, by the topic's full name.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publishers: list[Publisher] = []
        self._subscriptions: list[Subscription] = []

    def publisher(self, kind: type[Any], topic: str, profile: QoSProfile) -> Publisher:
        """Open a topic for writing."""
        # rclpy writes the overrides into the profile.
        publisher = self._node.create_publisher(
            kind, topic, copy(profile), qos_overriding_options=QoSOverridingOptions.with_default_policies()
        )
        self._publishers.append(publisher)
        return publisher

    def subscribe(
        self, kind: type[Any], topic: str, callback: Callable[..., None], profile: QoSProfile
    ) -> Subscription:
        """Open a topic for reading."""
        subscription = self._node.create_subscription(
            kind,
            topic,
            callback,
            copy(profile),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self) -> None:
        """Close every subscription."""
        while self._subscriptions:
            self._node.destroy_subscription(self._subscriptions.pop())

    def close(self) -> None:
        """Close everything."""
        self.unsubscribe()
        while self._publishers:
            self._node.destroy_publisher(self._publishers.pop())
