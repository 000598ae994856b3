# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole path on a video, in a loop, with RViz: ``ros2 launch hmp_ros demo.launch.py video:=clip.mp4``."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description() -> LaunchDescription:
    main = PathJoinSubstitution([FindPackageShare("hmp_ros"), "launch", "hmp.launch.py"])
    return LaunchDescription(
        [
            DeclareLaunchArgument("video", description="Video file, image folder or bag to play."),
            DeclareLaunchArgument("rviz", default_value="true", description="Show the hands in RViz."),
            IncludeLaunchDescription(
                main,
                launch_arguments={
                    "video": LaunchConfiguration("video"),
                    "rviz": LaunchConfiguration("rviz"),
                    "loop": "true",
                }.items(),
            ),
        ]
    )
