# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands from a camera: ``ros2 launch hmp_ros hmp.launch.py image_topic:=/camera/image_raw``."""

import os

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

PACKAGE = "hmp_ros"
BOOLEANS = ("true", "false")
SHOWN = ("hand/markers", "hand/mesh_markers", "hand/overlay")


def generate_launch_description() -> LaunchDescription:
    default_parameters = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "hmp.yaml"])
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "image_topic",
                default_value="/image",
                description="Images: sensor_msgs/Image, or CompressedImage with compressed:=true.",
            ),
            DeclareLaunchArgument(
                "camera_info_topic",
                default_value="/camera_info",
                description="Intrinsics of these images: sensor_msgs/CameraInfo.",
            ),
            DeclareLaunchArgument(
                "compressed",
                default_value="",
                choices=["", *BOOLEANS],
                description="The image topic carries CompressedImage; empty: as params_file says.",
            ),
            DeclareLaunchArgument(
                "video",
                default_value="",
                description="Play this video file, image folder or webcam (its number) as the camera.",
            ),
            DeclareLaunchArgument(
                "bag",
                default_value="",
                description="Play the images of this bag (rosbag2, mcap or sqlite3) as the camera, stamped anew.",
            ),
            DeclareLaunchArgument(
                "loop", default_value="false", choices=BOOLEANS, description="Play video or bag again and again."
            ),
            DeclareLaunchArgument(
                "mano_path",
                default_value="",
                description="Your MANO_RIGHT.pkl; empty: as params_file says, or the open hand that is shipped.",
            ),
            DeclareLaunchArgument(
                "hand_length_m",
                default_value="",
                description="Wrist to middle knuckle of whoever is seen, in metres: makes depth metric.",
            ),
            DeclareLaunchArgument(
                "depth_topic",
                default_value="",
                description="Depth images aligned with the camera's, with which ~/calibrate measures that length; "
                "empty: as params_file says.",
            ),
            DeclareLaunchArgument(
                "hands",
                default_value="",
                choices=["", "left", "right", "both"],
                description="Hands that are wanted; empty: as params_file says.",
            ),
            DeclareLaunchArgument(
                "target_frame",
                default_value="",
                description="Frame that hands are published in, such as base_link; empty: as params_file says, "
                "or the camera's optical frame.",
            ),
            DeclareLaunchArgument(
                "camera_pose",
                default_value="",
                description="'x y z qx qy qz qw' of the camera's optical frame in target_frame; empty: as "
                "params_file says, or from TF.",
            ),
            DeclareLaunchArgument(
                "params_file", default_value=default_parameters, description="Parameters of the nodes (YAML)."
            ),
            DeclareLaunchArgument(
                "namespace", default_value="", description="Namespace of the nodes and of hand/*; one a camera."
            ),
            DeclareLaunchArgument(
                "composed",
                default_value="false",
                choices=BOOLEANS,
                description="Run both nodes in one process; two processes share two cores better.",
            ),
            DeclareLaunchArgument(
                "retarget",
                default_value="",
                choices=["", "left", "right", "both"],
                description="Drive a robot hand with the operator's left or right one, or two; empty: none.",
            ),
            DeclareLaunchArgument(
                "localhost_only",
                default_value="false",
                choices=BOOLEANS,
                description="Talk to nothing but this machine; false: as the environment says.",
            ),
            DeclareLaunchArgument(
                "use_sim_time",
                default_value="false",
                choices=BOOLEANS,
                description="Take the time from /clock (ros2 bag play --clock).",
            ),
            DeclareLaunchArgument(
                "display",
                default_value="true",
                choices=BOOLEANS,
                description="Run the node that draws hand/overlay and markers; it idles while nobody listens.",
            ),
            DeclareLaunchArgument(
                "rviz", default_value="false", choices=BOOLEANS, description="Show the hands in RViz."
            ),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list[Action]:
    value = context.launch_configurations
    if value["video"] and value["bag"]:
        raise RuntimeError("video:= and bag:= are both given; the camera can play one of them")
    played = value["video"] or value["bag"]
    parameters: list[object] = [value["params_file"], {"use_sim_time": value["use_sim_time"] == "true"}]
    # Only what was given overrides the file.
    if value["compressed"]:
        parameters.append({"compressed": value["compressed"] == "true"})
    for name in ("mano_path", "depth_topic", "hands", "target_frame", "camera_pose"):
        if value[name]:
            parameters.append({name: value[name]})
    if value["hand_length_m"]:
        parameters.append({"hand_length_m": float(value["hand_length_m"])})
    camera_topics = [
        ("image", value["image_topic"]),
        ("image/compressed", value["image_topic"]),
        ("camera_info", value["camera_info_topic"]),
    ]

    def node(executable: str, below: str = "", **options: object) -> Node:
        return Node(
            package=PACKAGE,
            executable=executable,
            namespace=f"{value['namespace']}{below}",
            output="screen",
            emulate_tty=True,
            # Under SROS2: what config/sros2_policy.xml grants.
            ros_arguments=["--enclave", f"/{PACKAGE}/{executable}"],
            **options,
        )

    executables = ["hmp_node"] if value["composed"] == "true" else ["initializer_node", "window_node"]
    nodes: list[Action] = []
    if value["localhost_only"] == "true":
        nodes.append(SetEnvironmentVariable("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST"))
        # Humble knows only this one, and its successors warn of it.
        if os.environ.get("ROS_DISTRO") == "humble":
            nodes.append(SetEnvironmentVariable("ROS_LOCALHOST_ONLY", "1"))
    nodes += [node(executable, parameters=parameters, remappings=camera_topics) for executable in executables]
    if value["display"] == "true":
        nodes.append(node("display_node", parameters=parameters, remappings=camera_topics))
    if played:
        # A webcam's number is text, too.
        video = ParameterValue(played, value_type=str)
        playing = {"video": video, "loop": value["loop"] == "true", "wait_for_subscribers": 1}
        nodes.append(node("video_publisher", parameters=[playing], remappings=camera_topics))
    namespace = value["namespace"].strip("/")
    root = f"/{namespace}/" if namespace else "/"
    if value["retarget"] == "both":
        # Two of a name would be one to ROS: each in a namespace of its own, on the topics that one alone has.
        for side in ("left", "right"):
            joined = [(name, f"{root}{name}") for name in ("hand/mano", f"hand/{side}/joint_command")]
            told = [*parameters, {"side": side}]
            nodes.append(node("retarget_node", below=f"/{side}", parameters=told, remappings=joined))
    elif value["retarget"]:
        nodes.append(node("retarget_node", parameters=[*parameters, {"side": value["retarget"]}]))
    if value["rviz"] == "true":
        layout = PathJoinSubstitution([FindPackageShare(PACKAGE), "config", "hmp.rviz"])
        # The layout names topics without a namespace.
        shown = [(f"/{name}", f"{root}{name}") for name in SHOWN] if namespace else []
        shown.append(("/image", value["image_topic"]))
        nodes.append(Node(package="rviz2", executable="rviz2", arguments=["-d", layout], remappings=shown))
    return nodes
