# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations and estimates as the fields of our messages, in plain dictionaries, without ROS.

One mapping serves live topics and bags: nested messages are dictionaries, arrays of messages lists of
dictionaries, fixed numeric arrays NumPy arrays of the message's own type, and everything else Python numbers,
strings and lists. Field names and meanings are those of ``msg/``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, WindowStatus
from hmp_core.hand.skeleton import (
    JOINT_NAMES,
    MANO_JOINT_NAMES,
    MANO_PARENTS,
    NUM_BETAS,
    NUM_MANO_JOINTS,
    PARENTS,
    Side,
)
from hmp_core.observation import FrameObservation, HandObservation

if TYPE_CHECKING:  # the fitter loads torch, which who only reads or writes messages must not pay for
    from hmp_core.fitting.config import FitterConfig
    from hmp_core.fitting.shape_prior import HandShape

Fields = dict[str, Any]

_SIDES: Final = {None: 0, Side.LEFT: 1, Side.RIGHT: 2}
_NS_PER_S: Final = 1_000_000_000
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True)
class Timing:
    """When a message was made, and what was dropped before it; the stages' durations come with the data.

    Attributes:
        received_ns: the image reached the node [ns].
        published_ns: the message left the node [ns].
        dropped_images: images lost on the way or replaced by newer ones before perception, since start.
        dropped_solves: images whose own solve was skipped for a newer one, since start.
    """

    received_ns: int = 0
    published_ns: int = 0
    dropped_images: int = 0
    dropped_solves: int = 0


def observation_array_fields(observation: FrameObservation, frame_id: str, timing: Timing) -> Fields:
    """Fields of ``HandObservationArray``."""
    header = header_fields(observation.stamp_ns, frame_id)
    return {
        "header": header,
        "hands": [_observation_fields(hand) for hand in observation.hands],
        "camera": camera_info_fields(observation.camera, observation.stamp_ns, frame_id),
        "camera_calibrated": observation.camera.calibrated,
        "latency": latency_fields(observation.stage_ms, timing),
    }


def hand_array_fields(estimate: FrameEstimate, frame_id: str, timing: Timing) -> Fields:
    """Fields of ``ManoHandArray``."""
    header = header_fields(estimate.stamp_ns, frame_id)
    return {
        "header": header,
        "hands": [_hand_fields(hand, header) for hand in estimate.hands],
        "windows": [_window_fields(hand.window) for hand in estimate.hands if hand.window is not None],
        "latency": latency_fields(estimate.stage_ms, timing),
    }


def info_fields(hand_model: str, prior_sha256: str, config: "FitterConfig", shape: "HandShape") -> Fields:
    """Fields of ``ManoInfo``.

    Args:
        hand_model: its name.
        prior_sha256: of the prior's weights.
        config: of the fitter.
        shape: that hands begin with.
    """
    return {
        "joint_names": list(JOINT_NAMES),
        "joint_parents": np.array(PARENTS, dtype=np.int8),
        "mano_joint_names": list(MANO_JOINT_NAMES),
        "mano_parents": np.array(MANO_PARENTS, dtype=np.int8),
        "hand_model": hand_model,
        "flat_hand_mean": True,
        "prior_sha256": prior_sha256,
        "window": config.window_s,
        "infill_timeout": config.infill_timeout_s,
        "calibrated": config.betas is not None,
        "metric": config.hand_length_m > 0,
        "betas": np.array(shape.betas, dtype=np.float32),
        "hand_length": shape.length_m,
    }


def time_fields(stamp_ns: int) -> Fields:
    """Fields of ``builtin_interfaces/Time`` and ``Duration``."""
    seconds, nanoseconds = divmod(int(stamp_ns), _NS_PER_S)
    return {"sec": seconds, "nanosec": nanoseconds}


def header_fields(stamp_ns: int, frame_id: str) -> Fields:
    """Fields of ``std_msgs/Header``."""
    return {"stamp": time_fields(stamp_ns), "frame_id": frame_id}


def latency_fields(stage_ms: dict[str, float], timing: Timing) -> Fields:
    """Fields of ``Latency``; stages that did not run took no time."""
    stages = {
        stage: time_fields(round(stage_ms.get(stage, 0.0) * _NS_PER_MS))
        for stage in ("detect", "initialize", "optimize")
    }
    return {
        "received_at": time_fields(timing.received_ns),
        "published_at": time_fields(timing.published_ns),
        **stages,
        "dropped_images": timing.dropped_images,
        "dropped_solves": timing.dropped_solves,
    }


def camera_info_fields(camera: Camera, stamp_ns: int, frame_id: str) -> Fields:
    """Fields of ``sensor_msgs/CameraInfo``; an undistorted camera has an empty ``d``."""
    matrix = camera.matrix
    return {
        "header": header_fields(stamp_ns, frame_id),
        "height": camera.height,
        "width": camera.width,
        "distortion_model": camera.distortion.value if camera.coefficients else "",
        "d": [float(value) for value in camera.coefficients],
        "k": matrix.reshape(9),
        "r": np.eye(3).reshape(9),
        "p": np.hstack([matrix, np.zeros((3, 1))]).reshape(12),
        "binning_x": 0,
        "binning_y": 0,
        "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
    }


def _observation_fields(hand: HandObservation) -> Fields:
    initial = hand.initial
    return {
        "track_id": hand.track_id,
        "side": _SIDES[hand.side],
        "side_score": float(hand.side_score),
        "presence": float(hand.presence),
        "roi_center_x": float(hand.roi.center_px[0]),
        "roi_center_y": float(hand.roi.center_px[1]),
        "roi_size": float(hand.roi.size_px),
        "roi_rotation": float(hand.roi.rotation_rad),
        "keypoint_x": _float32(hand.keypoints_px[:, 0]),
        "keypoint_y": _float32(hand.keypoints_px[:, 1]),
        "keypoint_sigma": _float32(hand.keypoint_sigma_px),
        "landmarks": _points(hand.landmarks_m),
        "landmark_sigma": _float32(hand.landmark_sigma_m),
        "has_initial": initial is not None,
        "initial_pose": _float32(np.zeros(3 * NUM_MANO_JOINTS) if initial is None else initial.rotation_vectors),
        "initial_betas": _float32(np.zeros(NUM_BETAS) if initial is None else initial.betas),
        "initial_translation": _float32(np.zeros(3) if initial is None else initial.translation),
    }


def _hand_fields(hand: HandEstimate, header: Fields) -> Fields:
    x, y, z, w = Rotation.from_matrix(hand.R_camera_wrist).as_quat().tolist()
    pose = {"position": _points(hand.joints_camera[:1])[0], "orientation": {"x": x, "y": y, "z": z, "w": w}}
    return {
        "header": header,
        "track_id": hand.track_id,
        "side": _SIDES[hand.side],
        "side_score": float(hand.side_score),
        "status": int(hand.status),
        "score": float(hand.score),
        "since_observed": time_fields(hand.since_observed_ns),
        "wrist_pose": {"pose": pose, "covariance": np.asarray(hand.wrist_covariance, np.float64).reshape(36)},
        "joints": _points(hand.joints_camera),
        "joint_stddev": _float32(hand.joint_stddev_m),
        "joint_observed": [bool(observed) for observed in hand.joint_observed],
        "pose": _float32(hand.mano.rotation_vectors),
        "betas": _float32(hand.mano.betas),
        "translation": _float32(hand.mano.translation),
    }


def _window_fields(window: WindowStatus) -> Fields:
    return {
        "track_id": window.track_id,
        "first_stamp": time_fields(window.first_stamp_ns),
        "last_stamp": time_fields(window.last_stamp_ns),
        "steps": window.steps,
        "steps_observed": window.steps_observed,
        "iterations": window.iterations,
        "warm_started": window.warm_started,
        "converged": window.converged,
        "initial_cost": float(window.initial_cost),
        "final_cost": float(window.final_cost),
        "reprojection_rmse": float(window.reprojection_rmse_px),
    }


def _float32(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32).reshape(-1)


def _points(points: NDArray[np.floating]) -> list[Fields]:
    return [{"x": x, "y": y, "z": z} for x, y, z in np.asarray(points, dtype=np.float64).tolist()]
