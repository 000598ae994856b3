# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from images to what is seen of the hands in each: ``image``, ``camera_info`` to ``hand/observations``."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from hmp_core.media.intrinsics import DEFAULT_FOV_DEG
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.operator import Hands, Operator
from hmp_ros import managed_node
from hmp_ros.executable import run
from hmp_ros.managed_node import ManagedNode
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.parameters import parameter
from hmp_ros.perception_job import PerceptionJob

_PERCEPTION: Final = PerceptionConfig()


@dataclass(frozen=True)
class InitializerParameters:
    """Parameters of ``initializer_node``; the metadata of each field describes it."""

    autostart: bool = managed_node.autostart()
    compressed: bool = parameter(False, "Subscribe to image/compressed (JPEG, PNG) instead of raw image.")
    rectified: bool = parameter(False, "The images are rectified already: use P of CameraInfo and no distortion.")
    fallback_fov_deg: float = parameter(
        DEFAULT_FOV_DEG, "Field of view across the longer image side without a calibration [deg].", 1.0, 170.0
    )
    max_hands: int = parameter(_PERCEPTION.max_hands, "Hands tracked at a time.", 1, 2, live=True)
    min_palm_score: float = parameter(
        _PERCEPTION.min_palm_score, "Palms detected with less probability are no hands.", 0.05, 0.99, live=True
    )
    min_presence: float = parameter(
        _PERCEPTION.min_presence,
        "Below this probability of a hand in its region it is not seen.",
        0.05,
        0.99,
        live=True,
    )
    patience_s: float = parameter(
        _PERCEPTION.patience_s,
        "A hand that comes back within this time is still the same; no shorter than window_node's infill_timeout_s "
        "and lost_duration_s together [s].",
        0.3,
        3600.0,
        live=True,
    )
    hands: str = parameter(_PERCEPTION.hands.value, "Hands that are wanted: left, right or both.", live=True)
    operator: str = parameter(
        _PERCEPTION.operator.value,
        "Whose hands: nearest (one person's, the nearest when first seen, kept until lost) or anyone.",
        live=True,
    )
    mano_path: str = parameter("", "Your MANO_RIGHT.pkl; empty: the shipped open hand.")

    @property
    def perception(self) -> PerceptionConfig:
        """What they mean to the core."""
        return PerceptionConfig(
            self.max_hands,
            self.min_palm_score,
            self.min_presence,
            self.patience_s,
            hands=Hands(self.hands),
            operator=Operator(self.operator),
        )


class InitializerNode(ManagedNode[InitializerParameters]):
    """Publishes one message for every processed image; images that come too fast are dropped before any work.

    Args:
        deliver: also called with every observation, for a window node in the same process.
        options: of ``rclpy.lifecycle.LifecycleNode``.

    Raises:
        ConfigError: a parameter is out of range.
    """

    def __init__(self, deliver: Callable[[ObservedFrame], None] | None = None, **options: Any) -> None:
        super().__init__("initializer_node", InitializerParameters, **options)
        self._deliver = deliver

    def check(self, parameters: InitializerParameters) -> object:
        """Raise ``ConfigError`` for values that do not fit together."""
        return parameters.perception

    def make_job(self) -> PerceptionJob:
        """Load the models and open the topics to write."""
        return PerceptionJob(self, self._deliver)


def main() -> None:
    """Entry point of ``initializer_node``."""
    sys.exit(run(lambda: [InitializerNode()]))


if __name__ == "__main__":
    main()
