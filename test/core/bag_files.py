# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small bags."""

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from hmp_core.camera import Camera
from hmp_core.media.message_fields import camera_info_fields
from hmp_core.media.message_types import build_message

STORE = get_typestore(Stores.ROS2_HUMBLE)
PERIOD_NS = 33_000_000
START_NS = 1_700_000_000_000_000_000
CAMERA = Camera(64, 48, 70, 71, 30, 22)


def header(stamp_ns, frame_id="cam_optical"):
    types = STORE.types
    seconds, nanoseconds = divmod(stamp_ns, 10**9)
    stamp = types["builtin_interfaces/msg/Time"](sec=seconds, nanosec=nanoseconds)
    return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame_id)


def picture(index):
    return np.full((48, 64, 3), (10, 20, 5 * index), np.uint8)


def raw(index, stamp_ns, encoding="bgr8", cut=0):
    image = picture(index)
    data = image.ravel()[: image.size - cut]
    kind = STORE.types["sensor_msgs/msg/Image"]
    return kind(header(stamp_ns), 48, 64, encoding, 0, 64 * 3, data)


def compressed(index, stamp_ns):
    data = cv2.imencode(".png", picture(index))[1].ravel()
    return STORE.types["sensor_msgs/msg/CompressedImage"](header(stamp_ns), "png", data)


def info(stamp_ns, camera=CAMERA):
    return build_message("sensor_msgs/msg/CameraInfo", camera_info_fields(camera, stamp_ns, "cam_optical"))


def write_bag(path, records, plugin=StoragePlugin.MCAP):
    """Write ``(topic, logged at, message)`` records."""
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections = {}
        for topic, logged_ns, message in records:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], logged_ns, STORE.serialize_cdr(message, kind))
    return path


def stamps(count):
    return [START_NS + index * PERIOD_NS for index in range(count)]
