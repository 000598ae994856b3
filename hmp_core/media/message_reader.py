# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations out of our messages, without ROS: the way back of :mod:`hmp_core.media.message_fields`."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import DataError
from hmp_core.hand.skeleton import Side
from hmp_core.media.ros_camera import camera_from_info
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi

_SIDES: Final = {0: None, 1: Side.LEFT, 2: Side.RIGHT}
_STAGES: Final = ("detect", "initialize")
MAX_HANDS: Final = 16
"""Most hands of one message; perception tracks two, and each costs a solve."""


def observation_from_message(message: Any) -> FrameObservation:
    """Read anything shaped like ``HandObservationArray`` (rclpy or ``rosbags``).

    Raises:
        DataError: more than ``MAX_HANDS``, an unknown side, or numbers that are not finite where they must be.
        CameraError: unusable intrinsics.
    """
    if len(message.hands) > MAX_HANDS:
        raise DataError(f"an image with {len(message.hands)} hands; {MAX_HANDS} are believed at most")
    camera = replace(camera_from_info(message.camera), calibrated=bool(message.camera_calibrated))
    return FrameObservation(
        stamp_ns=nanoseconds(message.header.stamp),
        camera=camera,
        hands=tuple(_hand(hand) for hand in message.hands),
        stage_ms={stage: nanoseconds(getattr(message.latency, stage)) / 1e6 for stage in _STAGES},
    )


def _hand(hand: Any) -> HandObservation:
    if hand.side not in _SIDES:
        raise DataError(f"hand {hand.track_id} has side {hand.side}; known are 0 unknown, 1 left, 2 right")
    initial = None
    if hand.has_initial:
        initial = ManoPose(
            rotation_vectors=finite_array(hand.initial_pose, "initial_pose").reshape(-1, 3),
            betas=finite_array(hand.initial_betas, "initial_betas"),
            translation=finite_array(hand.initial_translation, "initial_translation"),
        )
    return HandObservation(
        track_id=int(hand.track_id),
        side=_SIDES[hand.side],
        side_score=float(hand.side_score),
        presence=float(hand.presence),
        roi=Roi(
            center_px=finite_array((hand.roi_center_x, hand.roi_center_y), "roi_center"),
            size_px=float(hand.roi_size),
            rotation_rad=float(hand.roi_rotation),
        ),
        keypoints_px=finite_array((hand.keypoint_x, hand.keypoint_y), "keypoints").T.copy(),
        keypoint_sigma_px=_sigma(hand.keypoint_sigma, "keypoint_sigma"),
        landmarks_m=finite_array([(point.x, point.y, point.z) for point in hand.landmarks], "landmarks"),
        landmark_sigma_m=_sigma(hand.landmark_sigma, "landmark_sigma"),
        initial=initial,
    )


def _sigma(values: Any, name: str) -> NDArray[np.float64]:
    """Standard deviations; inf means no evidence."""
    array = np.asarray(values, dtype=np.float64)
    if not (array > 0).all():
        raise DataError(f"{name} must be positive, or inf where there is no evidence")
    return array


def nanoseconds(time: Any) -> int:
    """A ``Time`` or ``Duration`` message as one integer [ns]."""
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)


def finite_array(values: Any, name: str) -> NDArray[np.float64]:
    """A field of a message as an array.

    Raises:
        DataError: a number in it is not finite; ``name`` says in which field.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds numbers that are not finite")
    return array
