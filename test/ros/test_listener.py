# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

import rclpy
from graph import START_S, Recorder
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import CameraInfo

from hmp_core.camera import Camera
from hmp_ros import qos
from hmp_ros.listener import Listener
from hmp_ros.messages import build_camera_info


def test_images_keep_their_places_where_some_were_missed(recorder: Recorder) -> None:
    """So the overlay of a busy machine lies on the images that it belongs to."""
    camera = recorder.node.create_publisher(CameraInfo, "camera_info", qos.HANDS)
    lens = Camera.from_field_of_view(640, 480, 60.0)

    def publish(*stamps_ns: int) -> None:
        for stamp_ns in stamps_ns:
            camera.publish(build_camera_info(lens, stamp_ns, "optical"))

    publish(100, 200)
    with rclpy.Context() as context:
        listener = Listener("late", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(listener)
        assert recorder.spin_until(lambda: camera.get_subscription_count() == 1, START_S)
        publish(300, 400)
        assert recorder.spin_until(lambda: executor.spin_once(0.05) or len(listener.images) == 2, START_S)
        assert listener.images == {300: 2, 400: 3}
        executor.shutdown()
        listener.destroy_node()
