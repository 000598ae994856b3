# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rate and latency from a camera to ``hand/mano``: the real nodes as processes, images through real DDS.

``hmp bench`` runs this as a process of its own, once a row. Prints one JSON object: ``hz`` on ``hand/mano``,
``latency_ms`` (publishing minus the image's stamp, the image being published by another process) with ``median``
and ``p95``, and ``dropped``, images that got no answer of their own, whether lost on the way to the nodes or
answered by a later one.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import rclpy
import typer
from rclpy.executors import SingleThreadedExecutor

from hmp_core.cli.console import STDERR
from hmp_core.errors import HmpError
from hmp_ros import fastdds
from hmp_ros.listener import CONNECT_S, LOOK_S, QUIET_S, Listener
from hmp_ros.node_processes import NodeProcesses

_EMPTY_PROFILE: Final = '<?xml version="1.0"?><profiles xmlns="http://www.eprosima.com"></profiles>'
_SILENCE_S: Final = 20.0
"""Without an image for so long none will come."""


def bench(
    video: Annotated[Path, typer.Argument(help="Clip that the camera sees, again and again.")],
    camera: Annotated[Path | None, typer.Option(help="Its intrinsics.")] = None,
    seconds: Annotated[float, typer.Option(help="Length of the measurement [s].")] = 60.0,
    profile: Annotated[bool, typer.Option(help="The shipped Fast DDS profile at the publisher.")] = True,
) -> None:
    """Measure rate and latency on hand/mano."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    folder = Path(tempfile.mkdtemp(prefix="hmp_bench_"))
    print(json.dumps(measure(video, camera, seconds, profile, folder)))
    shutil.rmtree(folder)  # after an error the nodes' logs stay


def measure(video: Path, camera: Path | None, seconds: float, profile: bool, folder: Path) -> dict[str, Any]:
    """Play the clip for ``seconds`` [s]; the nodes' logs go to the folder.

    Raises:
        SourceError: a node could not start or ended by itself.
    """
    played: dict[str, object] = {"video": video.resolve(), "wait_for_subscribers": 2, "loop": True}
    if camera is not None:
        played["camera_file"] = camera.resolve()
    publisher_profile = fastdds.profile_path()
    if not profile:
        # A file of the user's own keeps the publisher from choosing the shipped one; an empty one says: defaults.
        publisher_profile = folder / "empty.xml"
        publisher_profile.write_text(_EMPTY_PROFILE, encoding="utf-8")
    rclpy.init()
    listener = Listener("hmp_bench")
    executor = SingleThreadedExecutor()
    executor.add_node(listener)
    with NodeProcesses(folder) as nodes:
        for name in ("window_node", "initializer_node"):
            nodes.start(name)
        player = nodes.start("video_publisher", played, {fastdds.profile_variable(): str(publisher_profile)})
        nodes.wait_until(lambda: listener.hears("hand/mano", "hand/observations", "camera_info"))
        time.sleep(CONNECT_S)
        listener.begin()
        asked = time.monotonic()
        while _heard_s(listener) < seconds and (listener.images or time.monotonic() - asked < _SILENCE_S):
            executor.spin_once(LOOK_S)
            listener.began()
            nodes.check_alive()
        nodes.stop(player)
        ended = time.monotonic()
        while time.monotonic() - max(listener.heard_at, ended) < QUIET_S:
            executor.spin_once(LOOK_S)
    executor.shutdown()
    rclpy.try_shutdown()
    return _summary(listener)


def _heard_s(listener: Listener) -> float:
    """Time between the first and the newest image's stamp [s]."""
    return (max(listener.images) - min(listener.images)) * 1e-9 if listener.images else 0.0


def _summary(listener: Listener) -> dict[str, Any]:
    """See the module; None where nothing was heard."""
    span_s = _heard_s(listener)
    answered = set(listener.hands)
    images = answered.union(listener.images)  # a busy listener may miss a camera info, but not that it was answered
    latency = np.percentile(listener.latency_ms, [50, 95]) if listener.latency_ms else None
    return {
        "hz": round(len(listener.hands) / span_s, 3) if span_s > 0 else None,
        "latency_ms": {
            "median": None if latency is None else round(float(latency[0]), 2),
            "p95": None if latency is None else round(float(latency[1]), 2),
        },
        "dropped": len(images - answered),
    }


def main() -> None:
    """Entry point of ``python -m hmp_ros.bench``."""
    app = typer.Typer(add_completion=False)
    app.command()(bench)
    try:
        app()
    except HmpError as error:
        STDERR.print(f"error: {error}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
