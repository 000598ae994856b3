# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a recorded image topic."""

import itertools
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import CameraError, DataError, ImageError, SourceError
from hmp_core.media.bag_reader import BagReader, Record, Through
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.ros_camera import camera_from_info, is_rectified_topic
from hmp_core.media.ros_image import image_to_bgr

IMAGE_TYPES: Final = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_INFO_TYPE: Final = "sensor_msgs/msg/CameraInfo"
_LARGEST_IMAGE: Final = 256 * 2**20


class BagSource(FrameSource):
    """Reads raw or compressed images, and their ``CameraInfo``, from a rosbag2 (mcap, sqlite3) or rosbag1.

    Frames carry the messages' header stamps, or the time of recording where the header has none. A
    calibration given by the user goes before the recorded one.

    Args:
        path: a bag's folder or storage file.
        intrinsics: cameras.
        topic: image topic; may be left out when there is only one.
        through: sees every record of the bag, of all topics, before the frame in it comes out; without it only
            images and camera infos are read.

    Raises:
        SourceError: not a readable bag, or no such (or no single) image topic (here), or no image converts
            (when iterating).
    """

    def __init__(
        self, path: Path, intrinsics: Intrinsics, topic: str | None = None, through: Through | None = None
    ) -> None:
        super().__init__(str(path), intrinsics)
        self._path = Path(path)
        self._through = through
        self._info_wanted = intrinsics.calibrated is None
        with BagReader(self._path) as reader:
            self.topic = choose_topic(reader, "image", IMAGE_TYPES, topic)
            self.frame_count = sum(connection.msgcount for connection in reader.on(self.topic))
        if self.frame_count == 0:
            raise SourceError(f"topic {self.topic} of {path} holds no message")
        # image_proc's name for images without distortion: the projection matrix belongs to those.
        self._rectified = is_rectified_topic(self.topic)

    def _info_topic(self, reader: BagReader) -> str | None:
        """The ``CameraInfo`` beside the image topic, or the only one in the bag."""
        topics = reader.of_type(_INFO_TYPE)
        parents = list(PurePosixPath(self.topic).parents)[:2]
        beside = [str(parent / "camera_info") for parent in parents if str(parent / "camera_info") in topics]
        if beside:
            return beside[0]
        return topics[0] if len(topics) == 1 else None

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """See :meth:`FrameSource.images`."""
        count = 0
        with BagReader(self._path) as reader:
            info_topic = self._info_topic(reader) if self._info_wanted else None
            infos = reader.on(info_topic)
            # The first info holds from the start, wherever it was recorded.
            for record in itertools.islice(reader.records(infos), 1):
                self._calibrate(reader, record)
            if self._through is not None:
                records = self._through(reader.records())
            else:
                records = reader.records([*reader.on(self.topic), *infos])
            for record in records:
                if record.connection.topic == info_topic:
                    self._calibrate(reader, record)
                elif record.connection.topic == self.topic:
                    stamped = self._image(reader, record)
                    if stamped is not None:
                        count += 1
                        yield stamped
        if count == 0:
            raise SourceError(f"no image on {self.topic} of {self._path} is usable")

    def _image(self, reader: BagReader, record: Record) -> tuple[int, NDArray[np.uint8]] | None:
        message = self._decode(reader, record)
        if message is None:
            return None
        try:
            image = image_to_bgr(message)
        except ImageError as error:
            self.skip("unusable image", str(error))
            return None
        self.frame_id = message.header.frame_id or self.frame_id
        self.recorded_ns = record.recorded_ns
        return nanoseconds(message.header.stamp) or record.recorded_ns, image

    def _calibrate(self, reader: BagReader, record: Record) -> None:
        info = self._decode(reader, record)
        if info is None:
            return
        try:
            self.intrinsics.calibrate(camera_from_info(info, self._rectified))
        except CameraError as error:
            self.intrinsics.calibrate(None, f"the bag's CameraInfo is not usable ({error})")

    def _decode(self, reader: BagReader, record: Record) -> Any | None:
        if len(record.data) > _LARGEST_IMAGE:
            self.skip("too large a message", f"{len(record.data)} bytes on {record.connection.topic}")
            return None
        try:
            return reader.decode(record)
        except DataError as error:
            self.skip("damaged message", str(error))
            return None


def choose_topic(reader: BagReader, what: str, types: tuple[str, ...], wanted: str | None) -> str:
    """The topic of these types that is wanted, or the only one.

    Raises:
        SourceError: there is no such, or no single topic; the message lists them, ``what`` names their kind.
    """
    topics = reader.of_type(*types)
    listed = ", ".join(topics) or "none"
    if wanted is not None:
        if wanted not in topics:
            raise SourceError(f"bag {reader.path} has no {what} topic {wanted}; its {what} topics: {listed}")
        return wanted
    if len(topics) != 1:
        raise SourceError(f"bag {reader.path} needs the {what} topic named; its {what} topics: {listed}")
    return topics[0]
