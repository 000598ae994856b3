# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names, types and quality of service of our topics, as the nodes offer them and as bags keep them."""

from dataclasses import dataclass
from typing import Final

from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from hmp_core.media.message_types import PACKAGE

BAG_VERSION: Final = 8
"""Of the bags we write: the newest that Humble reads, whose qualities of service are numbers, as in all before."""
_UNLIMITED: Final = QosTime(9_223_372_036, 854_775_807)


@dataclass(frozen=True)
class HandTopic:
    """One of our topics.

    Attributes:
        name: within the nodes' namespace, without a slash in front.
        type_name: such as ``hmp_ros/msg/ManoHandArray``.
        depth: messages kept for readers that are behind.
        latched: a late reader gets the last message.
    """

    name: str
    type_name: str
    depth: int = 5
    latched: bool = False

    def under(self, namespace: str) -> str:
        """The full name in a namespace such as ``/left``; ``/`` and an empty one are the root."""
        return f"{'/' if namespace.strip('/') else ''}{namespace.strip('/')}/{self.name}"

    @property
    def qos(self) -> Qos:
        """As ``rosbags`` stores it; every one of our publishers is reliable."""
        return Qos(
            history=QosHistory.KEEP_LAST,
            depth=self.depth,
            reliability=QosReliability.RELIABLE,
            durability=QosDurability.TRANSIENT_LOCAL if self.latched else QosDurability.VOLATILE,
            deadline=_UNLIMITED,
            lifespan=_UNLIMITED,
            liveliness=QosLiveliness.AUTOMATIC,
            liveliness_lease_duration=_UNLIMITED,
            avoid_ros_namespace_conventions=False,
        )


OBSERVATIONS: Final = HandTopic("hand/observations", f"{PACKAGE}/msg/HandObservationArray", depth=30)
HANDS: Final = HandTopic("hand/mano", f"{PACKAGE}/msg/ManoHandArray")
SMOOTHED: Final = HandTopic("hand/mano_smoothed", f"{PACKAGE}/msg/ManoHandArray")
PREDICTED: Final = HandTopic("hand/mano_predicted", f"{PACKAGE}/msg/ManoHandArray")
INFO: Final = HandTopic("hand/info", f"{PACKAGE}/msg/ManoInfo", depth=1, latched=True)
