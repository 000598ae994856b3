# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node from evidence to hands: ``hand/observations`` to ``hand/mano*``, through the sliding-window fitter."""

import sys
from dataclasses import dataclass
from typing import Any, Final

from hmp_core.errors import ConfigError
from hmp_core.fitting.config import FitterConfig
from hmp_ros import managed_node
from hmp_ros.executable import run
from hmp_ros.managed_node import ManagedNode
from hmp_ros.observed_frame import ObservedFrame
from hmp_ros.parameters import parameter
from hmp_ros.target_frame import check_frame
from hmp_ros.window_job import WindowJob
from hmp_ros.window_services import WindowServices
from hmp_ros.wrist_tf import require_tf

_FITTER: Final = FitterConfig()


@dataclass(frozen=True)
class WindowParameters:
    """Parameters of ``window_node``; the metadata of each field describes it."""

    autostart: bool = managed_node.autostart()
    mano_path: str = parameter("", "Your MANO_RIGHT.pkl; empty: the shipped open hand.")
    prior_path: str = parameter("", "Weights of a motion prior (.safetensors); empty: the shipped ones.")
    hand_length_m: float = parameter(
        _FITTER.hand_length_m,
        "Wrist to middle knuckle of whoever is seen, 0.05 to 0.15; 0: not measured [m].",
        0.0,
        0.15,
        live=True,
    )
    window_s: float = parameter(_FITTER.window_s, "Time span of the evidence in a window [s].", 0.5, 10.0)
    max_steps: int = parameter(_FITTER.max_steps, "Time steps in a window at most.", 6, 128)
    iterations: int = parameter(_FITTER.iterations, "Gauss-Newton iterations an image.", 1, 50, live=True)
    infill_timeout_s: float = parameter(
        _FITTER.infill_timeout_s,
        "Age of the last evidence after which a hand is LOST [s].",
        0.05,
        3600.0,
        live=True,
    )
    lost_duration_s: float = parameter(
        _FITTER.lost_duration_s,
        "How long LOST is published before the hand leaves the list [s].",
        0.0,
        60.0,
        live=True,
    )
    blend_speed: float = parameter(
        _FITTER.blend_speed,
        "Fastest correction of a published joint when a hand is seen again after a gap [m/s].",
        0.05,
        100.0,
        live=True,
    )
    calibration_frames: int = parameter(
        60, "Images of a hand held still that ~/calibrate finds its shape from.", 1, 10000, live=True
    )
    calibration_timeout_s: float = parameter(
        20.0, "How long ~/calibrate waits for them [s].", 0.5, 600.0, live=True
    )
    depth_topic: str = parameter(
        "",
        "Depth images (sensor_msgs/Image) aligned with the colour images: ~/calibrate measures hand_length_m in "
        "them; empty: there are none.",
        live=True,
    )
    smoothing_lag_s: float = parameter(
        0.2,
        "How far behind the newest image hand/mano_smoothed is [s]; what came since makes it smoother.",
        0.0,
        1.0,
        live=True,
    )
    prediction_horizon_s: float = parameter(
        0.05, "How far ahead of the newest image hand/mano_predicted is [s].", 0.0, 0.15, live=True
    )
    target_frame: str = parameter("", "Frame that hands are published in; empty: the camera's optical frame.")
    camera_pose: str = parameter(
        "", "x y z qx qy qz qw of the camera's optical frame in target_frame [m]; empty: ask TF (needs tf2_ros)."
    )
    publish_tf: bool = parameter(False, "Broadcast hand_left_wrist, hand_right_wrist (needs tf2_ros).", live=True)

    @property
    def fitter(self) -> FitterConfig:
        """What they mean to the core."""
        return FitterConfig(
            window_s=self.window_s,
            max_steps=self.max_steps,
            iterations=self.iterations,
            infill_timeout_s=self.infill_timeout_s,
            lost_duration_s=self.lost_duration_s,
            blend_speed=self.blend_speed,
            hand_length_m=self.hand_length_m,
        )


class WindowNode(ManagedNode[WindowParameters]):
    """Takes in every observation and solves at the newest one; a solve that comes too late is skipped, counted.

    Args:
        subscribe: False where :meth:`receive` is called directly, in the initializer's process.
        options: of ``rclpy.lifecycle.LifecycleNode``.

    Raises:
        ConfigError: a parameter is out of range.
    """

    def __init__(self, subscribe: bool = True, **options: Any) -> None:
        super().__init__("window_node", WindowParameters, **options)
        self._subscribes = subscribe
        self._window_services = WindowServices(self)

    def receive(self, observed: ObservedFrame) -> None:
        """Leave an observation for the worker; from any thread, and in any state: only an active node takes it."""
        job = self.working
        if isinstance(job, WindowJob):
            job.receive(observed)

    def check(self, parameters: WindowParameters) -> object:
        """Raise ``ConfigError`` for values that do not fit together."""
        if parameters.publish_tf:
            require_tf()
        check_frame(parameters.target_frame, parameters.camera_pose)
        if parameters.depth_topic:
            try:
                self.resolve_topic_name(parameters.depth_topic)
            except RuntimeError as error:  # rclpy's own; its public name differs between distributions
                raise ConfigError(f"depth_topic {parameters.depth_topic!r} is no topic's name: {error}") from error
        return parameters.fitter

    def make_job(self) -> WindowJob:
        """Load the models and open the topics to write."""
        return WindowJob(self, self._subscribes)


def main() -> None:
    """Entry point of ``window_node``."""
    sys.exit(run(lambda: [WindowNode()]))


if __name__ == "__main__":
    main()
