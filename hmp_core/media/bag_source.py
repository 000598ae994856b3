# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a recorded image topic."""

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from hmp_core.errors import CameraError, ImageError, SourceError
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.ros_camera import camera_from_info, is_rectified_topic
from hmp_core.media.ros_image import image_to_bgr

BAG_SUFFIXES: Final = frozenset({".mcap", ".db3", ".bag"})
_IMAGE_TYPES: Final = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_INFO_TYPE: Final = "sensor_msgs/msg/CameraInfo"
_NS_PER_S: Final = 1_000_000_000

_log = logging.getLogger(__name__)


class BagSource(FrameSource):
    """Reads raw or compressed images, and their ``CameraInfo``, from a rosbag2 (mcap, sqlite3) or rosbag1.

    Frames carry the messages' header stamps, or the time of recording where the header has none. A
    calibration given by the user goes before the recorded one.

    Args:
        path: a bag's folder or storage file.
        intrinsics: cameras.
        topic: image topic; may be left out when there is only one.

    Raises:
        SourceError: not a readable bag, or no such (or no single) image topic (here), or no image converts
            (when iterating).
    """

    def __init__(self, path: Path, intrinsics: Intrinsics, topic: str | None = None) -> None:
        super().__init__(str(path), intrinsics)
        self._path = Path(path)
        self._info_wanted = intrinsics.calibrated is None
        with self._open() as reader:
            self.topic = self._choose_topic(reader.connections, topic)
            images = [connection for connection in reader.connections if connection.topic == self.topic]
            self.frame_count = sum(connection.msgcount for connection in images)
            if self.frame_count == 0:
                raise SourceError(f"topic {self.topic} of {path} holds no message")
        # image_proc's name for images without distortion: the projection matrix belongs to those.
        self._rectified = is_rectified_topic(self.topic)

    @contextmanager
    def _open(self) -> Iterator[AnyReader]:
        """An open reader; a folder without ``metadata.yaml`` is read by its storage files."""
        paths = [self._path]
        if self._path.is_dir() and not (self._path / "metadata.yaml").exists():
            paths = sorted(file for file in self._path.iterdir() if file.suffix in BAG_SUFFIXES)
        try:
            reader = AnyReader(paths, default_typestore=get_typestore(Stores.LATEST))
            reader.open()
        except Exception as error:  # damaged bytes make the parsers below raise almost anything
            raise SourceError(
                f"cannot read bag {self._path}: {error} (a recording that was cut short is repaired by "
                "'mcap recover' or 'ros2 bag reindex')"
            ) from error
        try:
            yield reader
        finally:
            reader.close()

    def _choose_topic(self, connections: list[Connection], wanted: str | None) -> str:
        topics = sorted({connection.topic for connection in connections if connection.msgtype in _IMAGE_TYPES})
        listed = ", ".join(topics) or "none"
        if wanted is not None:
            if wanted not in topics:
                raise SourceError(f"bag {self._path} has no image topic {wanted}; its image topics: {listed}")
            return wanted
        if len(topics) != 1:
            raise SourceError(f"bag {self._path} needs the image topic named; its image topics: {listed}")
        return topics[0]

    def _info_topic(self, connections: list[Connection]) -> str | None:
        """The ``CameraInfo`` beside the image topic, or the only one in the bag."""
        topics = {connection.topic for connection in connections if connection.msgtype == _INFO_TYPE}
        parents = list(PurePosixPath(self.topic).parents)[:2]
        beside = [str(parent / "camera_info") for parent in parents if str(parent / "camera_info") in topics]
        if beside:
            return beside[0]
        return topics.pop() if len(topics) == 1 else None

    def images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """See :meth:`FrameSource.images`."""
        count = 0
        with self._open() as reader:
            info_topic = self._info_topic(reader.connections) if self._info_wanted else None
            infos = [connection for connection in reader.connections if connection.topic == info_topic]
            images = [connection for connection in reader.connections if connection.topic == self.topic]
            # The first info holds from the start, wherever it was recorded.
            for _, message in itertools.islice(self._messages(reader, infos), 1 if infos else 0):
                self._calibrate(message)
            for recorded_ns, message in self._messages(reader, [*images, *infos]):
                if message.__msgtype__ == _INFO_TYPE:
                    self._calibrate(message)
                    continue
                try:
                    image = image_to_bgr(message)
                except ImageError as error:
                    self.skip("unusable image", str(error))
                    continue
                count += 1
                self.frame_id = message.header.frame_id or self.frame_id
                stamp = message.header.stamp
                yield (stamp.sec * _NS_PER_S + stamp.nanosec) or recorded_ns, image
        if count == 0:
            raise SourceError(f"no image on {self.topic} of {self._path} is usable")

    def _messages(self, reader: AnyReader, connections: list[Connection]) -> Iterator[tuple[int, Any]]:
        """Time of recording and message, up to the end or to where a damaged bag breaks off."""
        try:
            for connection, recorded_ns, data in reader.messages(connections):
                try:
                    message = reader.deserialize(data, connection.msgtype)
                except AnyReaderError as error:
                    self.skip("damaged message", str(error))
                else:
                    yield recorded_ns, message
        except Exception as error:  # as above
            _log.warning("%s breaks off: %s", self._path, error)

    def _calibrate(self, info: Any) -> None:
        try:
            self.intrinsics.calibrate(camera_from_info(info, self._rectified))
        except CameraError as error:
            self.intrinsics.calibrate(None, f"the bag's CameraInfo is not usable ({error})")
