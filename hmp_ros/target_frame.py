# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frame that hands are published in: the camera's own, or one of the robot's."""

import importlib.util
from typing import Any, Protocol

from rclpy.node import Node
from rclpy.time import Time

from hmp_core.errors import ConfigError, TransformError
from hmp_core.estimate import FrameEstimate
from hmp_core.extrinsic import Extrinsic


class Frame(Protocol):
    """Where estimates go before they are published."""

    def place(self, estimate: FrameEstimate, frame_id: str) -> tuple[FrameEstimate, str]:
        """Bring an estimate from the camera's frame ``frame_id`` into this one; returns its name, too.

        Raises:
            TransformError: nobody knows where the camera is.
        """


class CameraFrame:
    """Leaves hands in the camera's optical frame."""

    def place(self, estimate: FrameEstimate, frame_id: str) -> tuple[FrameEstimate, str]:
        """See :class:`Frame`."""
        return estimate, frame_id


class FixedFrame:
    """A camera that does not move, its pose given by the user."""

    def __init__(self, target_frame: str, extrinsic: Extrinsic) -> None:
        self._target_frame = target_frame
        self._extrinsic = extrinsic

    def place(self, estimate: FrameEstimate, frame_id: str) -> tuple[FrameEstimate, str]:
        """See :class:`Frame`."""
        return self._extrinsic.apply(estimate), self._target_frame


class TfFrame:
    """A camera whose pose is on ``/tf``, at the image's stamp or, where that is not known, the newest.

    Args:
        target_frame: name of the frame.
        buffer: a ``tf2_ros.Buffer`` that is being filled.
        unknown: what it raises for a transform that it does not know.
        listener: what fills it; kept alive here.
    """

    def __init__(self, target_frame: str, buffer: Any, unknown: type[Exception], listener: object = None) -> None:
        self._target_frame = target_frame
        self._buffer = buffer
        self._unknown = unknown
        self._listener = listener

    def place(self, estimate: FrameEstimate, frame_id: str) -> tuple[FrameEstimate, str]:
        """See :class:`Frame`."""
        if not estimate.hands:
            return estimate, self._target_frame
        return self._extrinsic(frame_id, estimate.stamp_ns).apply(estimate), self._target_frame

    def _extrinsic(self, frame_id: str, stamp_ns: int) -> Extrinsic:
        try:
            try:
                found = self._buffer.lookup_transform(self._target_frame, frame_id, Time(nanoseconds=stamp_ns))
            except self._unknown:
                found = self._buffer.lookup_transform(self._target_frame, frame_id, Time())
        except self._unknown as error:
            raise TransformError(
                f"no transform from {frame_id!r} to target_frame {self._target_frame!r} ({error}); publish it on "
                "/tf_static, or give camera_pose"
            ) from error
        position, turn = found.transform.translation, found.transform.rotation
        return Extrinsic.from_pose((position.x, position.y, position.z), (turn.x, turn.y, turn.z, turn.w))


def check_frame(target_frame: str, camera_pose: str) -> None:
    """See that these parameters fit together.

    Raises:
        ConfigError: a pose without a frame, a pose that is none, or TF wanted where ``tf2_ros`` is not installed.
    """
    if camera_pose and not target_frame:
        raise ConfigError("camera_pose is the camera's pose in target_frame: give target_frame, too")
    if camera_pose:
        Extrinsic.parse(camera_pose)
    elif target_frame and importlib.util.find_spec("tf2_ros") is None:
        raise ConfigError("target_frame without camera_pose needs tf2_ros: install it, or give camera_pose")


def make_frame(node: Node, target_frame: str, camera_pose: str) -> Frame:
    """The frame that the parameters ask for.

    Args:
        node: that listens to ``/tf`` where need be.
        target_frame: its name; empty for the camera's own.
        camera_pose: ``x y z qx qy qz qw`` of the camera in it; empty to ask TF.

    Raises:
        ConfigError: see :func:`check_frame`.
    """
    check_frame(target_frame, camera_pose)
    if not target_frame:
        return CameraFrame()
    if camera_pose:
        return FixedFrame(target_frame, Extrinsic.parse(camera_pose))
    from tf2_ros import Buffer, TransformException, TransformListener

    buffer = Buffer()
    return TfFrame(target_frame, buffer, TransformException, TransformListener(buffer, node))


def make_way_back(node: Node, camera_frame: str, target_frame: str, camera_pose: str) -> Frame:
    """From the frame of :func:`make_frame`, called with the same parameters, back into the camera's.

    Args:
        node: that listens to ``/tf`` where need be.
        camera_frame: the camera's optical frame.
        target_frame, camera_pose: as there.

    Raises:
        ConfigError: as there.
    """
    if camera_pose:
        return FixedFrame(camera_frame, Extrinsic.parse(camera_pose).inverse())
    return make_frame(node, camera_frame if target_frame else "", "")
