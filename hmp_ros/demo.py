# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The main job, start to end: a video through the real nodes, as processes over DDS, and what came out of it.

Plays a clip with ``video_publisher``, runs ``initializer_node`` and ``window_node`` beside it, listens as a robot
would, and then writes an overlay video, a bag, arrays and a page, and prints a table. Where a ``truth.npz`` lies
beside the clip (``hmp synth`` writes one), the table has the errors.
"""

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import rclpy
import typer
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rich.console import Console
from rich.table import Table

from hmp_core.assets import asset_path
from hmp_core.cli.console import STDERR, progress_bar
from hmp_core.errors import HmpError, SourceError
from hmp_core.estimate import HandStatus
from hmp_core.evaluation.run_folder import read_run_folder
from hmp_core.evaluation.run_page import write_run_page
from hmp_core.evaluation.summary import summarize
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.hand_recorder import HandRecorder
from hmp_core.media.intrinsics import Intrinsics, load_camera
from hmp_core.media.message_fields import Timing
from hmp_core.media.message_reader import observation_from_message
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.sources import open_source
from hmp_core.media.video_writer import VideoWriter
from hmp_core.observation import FrameObservation
from hmp_ros import fastdds, qos
from hmp_ros.listener import CONNECT_S, LOOK_S, QUIET_S, Listener
from hmp_ros.msg import HandObservationArray
from hmp_ros.node_processes import NodeProcesses

_DEMO_CLIP: Final = ("demo/video.mp4", "demo/camera.json", "demo/truth.npz")


class DemoListener(Listener):
    """Keeps the observations, too.

    Attributes:
        observations: messages on ``hand/observations`` by stamp.
    """

    def __init__(self) -> None:
        super().__init__("hmp_demo")
        self.observations: dict[int, FrameObservation] = {}
        self.create_subscription(HandObservationArray, "hand/observations", self._on_observations, qos.OBSERVATIONS)

    def _on_observations(self, message: Any) -> None:
        observation = observation_from_message(message)
        self.observations[observation.stamp_ns] = observation


def demo(
    video: Annotated[Path | None, typer.Argument(help="Your video; by default the clip that is shipped.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/demo"),
) -> None:
    """Send a video through the ROS 2 nodes and show what comes out on hand/mano."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    fastdds.use_profile()
    clip, camera, truth = _clip(video)
    out.mkdir(parents=True, exist_ok=True)
    source = open_source(str(clip), Intrinsics(load_camera(camera) if camera else None))
    listener = _run_nodes(clip, camera, source.frame_count, out)
    if not listener.hands:
        raise SourceError(f"nothing arrived on hand/mano; the nodes' logs are in {out}")
    files = _write(listener, clip, camera, out)
    _print(listener, summarize(dict(np.load(out / "hands.npz"))), _errors_mm(listener, truth), files)


def _clip(video: Path | None) -> tuple[Path, Path | None, Path | None]:
    """Clip, camera file and truth; the last two where they lie beside the clip."""
    if video is None:
        clip, camera, truth = (asset_path(name) for name in _DEMO_CLIP)
        return clip, camera, truth
    beside = [video.parent / name for name in ("camera.json", "truth.npz")]
    camera_file, truth_file = (path if path.is_file() else None for path in beside)
    return video, camera_file, truth_file


def _run_nodes(clip: Path, camera: Path | None, frames: int | None, out: Path) -> DemoListener:
    """Play the clip through the nodes until they fall silent."""
    rclpy.init()
    listener = DemoListener()
    # Spun by hand, in this thread alone: subscriptions must not come and go under a spinning executor.
    executor = SingleThreadedExecutor()
    executor.add_node(listener)
    played: dict[str, object] = {"video": clip.resolve(), "wait_for_subscribers": 2}
    if camera is not None:
        played["camera_file"] = camera.resolve()
    with progress_bar() as bar, NodeProcesses(out) as nodes:
        task = bar.add_task("starting the nodes", total=frames, note="")
        for name in ("window_node", "initializer_node"):
            nodes.start(name)
        player = nodes.start("video_publisher", played)
        nodes.wait_until(lambda: listener.hears("hand/mano", "hand/observations", "camera_info"))
        time.sleep(CONNECT_S)
        listener.begin()
        bar.update(task, description="camera to hand/mano")
        while player.poll() is None or time.monotonic() - listener.heard_at < QUIET_S:
            executor.spin_once(LOOK_S)
            listener.began()
            nodes.check_alive(player)
            bar.update(task, completed=len(listener.images), note=f"{len(listener.hands)} on hand/mano")
    executor.shutdown()
    rclpy.try_shutdown()
    return listener


def _write(listener: DemoListener, clip: Path, camera: Path | None, out: Path) -> dict[str, Path]:
    """Overlay, bag and arrays of every image that was answered."""
    files = {name: out / name for name in ("overlay.mp4", "hands.mcap", "hands.npz")}
    recorder = HandRecorder(load_hand_model())
    frames = open_source(str(clip), Intrinsics(load_camera(camera) if camera else None))
    with ExitStack() as stack:
        video = stack.enter_context(VideoWriter(files["overlay.mp4"]))
        bag = stack.enter_context(HandBagWriter(files["hands.mcap"], frames.frame_id))
        bar = stack.enter_context(progress_bar())
        task = bar.add_task("writing", total=len(listener.images), note="")
        stamps = {place: stamp for stamp, place in listener.images.items()}
        for place, frame in enumerate(frames):
            stamp = stamps.get(place)
            if stamp is None:
                continue
            bar.advance(task)
            observation, estimate = listener.observations.get(stamp), listener.hands.get(stamp)
            if observation is None or estimate is None:
                continue
            bag.write_observation(observation, Timing())
            bag.write_estimate(estimate, listener.timings[stamp])
            recorder.add(observation, estimate)
            video.write(draw_overlay(frame, estimate, observation), frame.stamp_ns)
    recorder.save(files["hands.npz"])
    files["report.html"] = out / "report.html"
    write_run_page(read_run_folder(out), files["report.html"])
    return files


def _errors_mm(listener: DemoListener, truth: Path | None) -> dict[str, NDArray[np.float64]]:
    """Wrist-relative joint errors by status, where truth is known."""
    errors: dict[str, list[float]] = {}
    if truth is None:
        return {}
    with np.load(truth) as arrays:
        sides, joints = list(arrays["side"]), arrays["joints_camera"]
    if max(listener.images.values(), default=-1) != len(joints) - 1:
        return {}  # not the images that the truth is of, or too few camera infos to tell which is which
    for stamp, index in listener.images.items():
        for hand in listener.hands[stamp].hands if stamp in listener.hands else ():
            if hand.side.value in sides and hand.status is not HandStatus.LOST:
                true = joints[index, sides.index(hand.side.value)]
                off = (hand.joints_camera - hand.joints_camera[0]) - (true - true[0])
                errors.setdefault(hand.status.name.lower(), []).append(np.linalg.norm(off, axis=1).mean() * 1e3)
    return {name: np.array(values) for name, values in errors.items()}


def _print(
    listener: DemoListener, summary: dict[str, Any], errors: dict[str, NDArray[np.float64]], files: dict[str, Path]
) -> None:
    span_s = (max(listener.images) - min(listener.images)) * 1e-9
    table = Table("what", "value", title="camera to /hand/mano, through DDS")
    table.add_row("images published", f"{len(listener.images)} at {(len(listener.images) - 1) / span_s:.1f} Hz")
    # Others came when the images had stopped: the hands are lost, and gone.
    answered = sum(stamp in listener.images for stamp in listener.hands)
    table.add_row("images answered on hand/mano", f"{answered} ({answered / span_s:.1f} Hz)")
    table.add_row("images answered by a later one", str(len(listener.images) - answered))
    latency = np.percentile(listener.latency_ms, [50, 95, 99])
    table.add_row("latency, median / p95 / p99", " / ".join(f"{value:.0f}" for value in latency) + " ms")
    for status in HandStatus:
        count = summary["status"].get(status.name.lower(), 0)
        if count:
            table.add_row(f"hands {status.name.lower()}", str(count))
    for name, values in errors.items():
        row = f"error to truth, {name}", f"{np.mean(values):.1f} mm (median {np.median(values):.1f})"
        table.add_row(*row)
    for path in files.values():
        table.add_row("written", str(path))
    Console().print(table)


def main() -> None:
    """Entry point of ``hmp_demo``."""
    app = typer.Typer(add_completion=False)
    app.command()(demo)
    try:
        app()
    except HmpError as error:
        STDERR.print(f"error: {error}")
        sys.exit(2)


if __name__ == "__main__":
    main()
