# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Core data to ROS messages: pure functions, no node needed. The only place that imports ``hmp_ros.msg``.

Which value goes into which field is decided once, in :mod:`hmp_core.media.message_fields`, for live topics and
bags alike; this module only turns those fields into ``rclpy`` messages.
"""

import importlib
from array import array
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rosidl_parser.definition import AbstractNestedType, NamespacedType
from sensor_msgs.msg import CameraInfo, Image, JointState

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate
from hmp_core.media.message_fields import (
    Timing,
    camera_info_fields,
    hand_array_fields,
    header_fields,
    info_fields,
    observation_array_fields,
)
from hmp_core.observation import FrameObservation
from hmp_ros.msg import HandObservationArray, ManoHandArray, ManoInfo

if TYPE_CHECKING:  # the fitter loads torch, which who only publishes images or messages must not pay for
    from hmp_core.fitting.config import FitterConfig
    from hmp_core.fitting.shape_prior import HandShape


def build_observation_array(observation: FrameObservation, frame_id: str, timing: Timing) -> HandObservationArray:
    """What perception saw, for ``hand/observations``."""
    return _fill(HandObservationArray(), observation_array_fields(observation, frame_id, timing))


def build_hand_array(estimate: FrameEstimate, frame_id: str, timing: Timing) -> ManoHandArray:
    """What the fitter concluded, for ``hand/mano``."""
    return _fill(ManoHandArray(), hand_array_fields(estimate, frame_id, timing))


def build_info(hand_model: str, prior_sha256: str, config: "FitterConfig", shape: "HandShape") -> ManoInfo:
    """The latched description of ``hand/mano``."""
    return _fill(ManoInfo(), info_fields(hand_model, prior_sha256, config, shape))


def build_image(image: NDArray[np.uint8], stamp_ns: int, frame_id: str) -> Image:
    """A ``bgr8`` image message from uint8 [height, width, 3]."""
    height, width, _ = image.shape
    message = Image(height=height, width=width, encoding="bgr8", step=3 * width)
    _fill(message.header, header_fields(stamp_ns, frame_id))
    message.data = array("B", image.tobytes())
    return message


def build_camera_info(camera: Camera, stamp_ns: int, frame_id: str) -> CameraInfo:
    """The calibration that belongs to an image."""
    return _fill(CameraInfo(), camera_info_fields(camera, stamp_ns, frame_id))


def build_joint_state(names: Sequence[str], angles: NDArray[np.float64], stamp_ns: int) -> JointState:
    """Positions [n] of named joints [rad]."""
    message = JointState(name=list(names), position=angles.tolist())
    return _fill(message, {"header": header_fields(stamp_ns, "")})


def stamp_ns(header: Any) -> int:
    """The stamp of a ``std_msgs/Header`` [ns]."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def _fill(message: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        if isinstance(value, dict):
            _fill(getattr(message, name), value)
        elif isinstance(value, list) and (item_type := _item_type(type(message), name)) is not None:
            setattr(message, name, [_fill(item_type(), item) for item in value])
        else:
            setattr(message, name, value)
    return message


@cache
def _item_type(message_type: Any, name: str) -> Any:
    """The message class of the items of an array field, None for plain values."""
    index = list(message_type.get_fields_and_field_types()).index(name)
    slot = message_type.SLOT_TYPES[index]
    if not (isinstance(slot, AbstractNestedType) and isinstance(slot.value_type, NamespacedType)):
        return None
    return getattr(importlib.import_module(".".join(slot.value_type.namespaces)), slot.value_type.name)
