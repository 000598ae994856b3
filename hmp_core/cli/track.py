# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp track`: hands from a video, image folder, camera or bag, without ROS."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hmp_core.cli.console import STDERR, progress_bar, stop_on_interrupt
from hmp_core.cli.options import (
    CameraOption,
    FovOption,
    FpsOption,
    HandLengthOption,
    JsonOption,
    ManoOption,
    MaxHandsOption,
    OverlayOption,
    TopicOption,
)
from hmp_core.errors import ImageError
from hmp_core.estimate import FrameEstimate
from hmp_core.evaluation.run_folder import ARRAYS_NAME, BAG_NAME, OVERLAY_NAME
from hmp_core.evaluation.summary import summarize
from hmp_core.frame import Frame
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.hand_recorder import HandRecorder
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.message_fields import Timing
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.sources import open_source
from hmp_core.media.video_writer import VideoWriter
from hmp_core.observation import FrameObservation
from hmp_core.pipeline import Pipeline, open_pipeline

INTRINSICS_HINT: Final = "pass it with --camera FILE (or set the field of view with --fov)"
_NS_PER_MS: Final = 1_000_000


def track(
    source: Annotated[str, typer.Argument(help="Video, image folder, bag (mcap, sqlite3), or camera number.")],
    out: Annotated[Path, typer.Option(help=f"Folder for {ARRAYS_NAME}, {OVERLAY_NAME} and {BAG_NAME}.")],
    camera: CameraOption = None,
    fov: FovOption = DEFAULT_FOV_DEG,
    mano: ManoOption = None,
    max_hands: MaxHandsOption = 2,
    hand_length: HandLengthOption = 0.0,
    fps: FpsOption = 30.0,
    topic: TopicOption = None,
    as_json: JsonOption = False,
    overlay: OverlayOption = True,
) -> None:
    """Track hands and write arrays, a bag and an overlay video. Ctrl-C ends early and keeps what was done."""
    intrinsics = Intrinsics(load_camera(camera) if camera else None, fov, INTRINSICS_HINT)
    frames = open_source(source, intrinsics, fps=fps, topic=topic)
    summary = track_source(frames, open_pipeline(mano, max_hands, hand_length), out, overlay)
    if as_json:
        print(json.dumps(summary))
    else:
        print_summary(summary)


def track_source(source: FrameSource, pipeline: Pipeline, out: Path, overlay: bool = True) -> dict[str, Any]:
    """Run a source through the pipeline and write the files.

    Args:
        source: frames.
        pipeline: perception and fitter.
        out: folder, made if need be; files of an earlier run are replaced.
        overlay: write the overlay video too.

    Returns:
        The summary of :func:`hmp_core.evaluation.summary.summarize` and ``files``: name to path.

    Raises:
        SourceError: nothing could be read.
    """
    out.mkdir(parents=True, exist_ok=True)
    recorder = HandRecorder(pipeline.model)
    with ExitStack() as stack:
        stopped = stack.enter_context(stop_on_interrupt())
        bag: HandBagWriter | None = None
        video = stack.enter_context(VideoWriter(out / OVERLAY_NAME)) if overlay else None
        bar = stack.enter_context(progress_bar())
        task = bar.add_task("tracking", total=source.frame_count, note="")
        for frame in source:
            if stopped():
                STDERR.print("interrupted: finishing the files")
                break
            bar.advance(task)
            try:
                observation, estimate = pipeline.process(frame)
            except ImageError as error:
                source.skip("unusable image", str(error))
                continue
            if bag is None:  # the frame id is known from the first image on
                bag = stack.enter_context(HandBagWriter(out / BAG_NAME, source.frame_id))
            write_bag(bag, observation, estimate)
            recorder.add(observation, estimate)
            if video is not None:
                video.write(draw_overlay(frame, estimate, observation), frame.stamp_ns)
            bar.update(task, note=_note(frame, estimate))
    recorder.save(out / ARRAYS_NAME)
    names = [ARRAYS_NAME, *([BAG_NAME] if bag else []), *([OVERLAY_NAME] if overlay and len(recorder) else [])]
    return {**summarize(recorder.arrays()), "files": {name: str(out / name) for name in names}}


def print_summary(summary: dict[str, Any]) -> None:
    """Show a summary as a table on stdout."""
    table = Table("what", "value", title=f"{summary['frames']} frames")
    table.add_row("tracked (observed or partial)", f"{100 * summary['tracked_fraction']:.1f} %")
    table.add_row("hands by side", ", ".join(f"{count} {side}" for side, count in summary["sides"].items()))
    table.add_row("hands by status", ", ".join(f"{count} {name}" for name, count in summary["status"].items()))
    for stage, spread in summary["ms"].items():
        table.add_row(f"{stage} (ms), median / p95", _spread(spread))
    table.add_row("reprojection (px), median / p95", _spread(summary["reprojection_px"]))
    accelerations = summary["acceleration_mm_per_frame2"].items()
    table.add_row(
        "acceleration (mm/frame²)", ", ".join(f"{_number(value)} {name}" for name, value in accelerations)
    )
    for name, path in summary["files"].items():
        table.add_row(name, path)
    Console().print(table)


def write_bag(bag: HandBagWriter, observation: FrameObservation, estimate: FrameEstimate) -> None:
    """Write both messages, timed as if the image had been worked on the moment it was taken."""
    stages = estimate.stage_ms
    seen_ns = observation.stamp_ns + round((stages.get("detect", 0) + stages.get("initialize", 0)) * _NS_PER_MS)
    done_ns = seen_ns + round(stages.get("optimize", 0) * _NS_PER_MS)
    bag.write_observation(observation, Timing(observation.stamp_ns, seen_ns))
    bag.write_estimate(estimate, Timing(observation.stamp_ns, done_ns))


def _note(frame: Frame, estimate: FrameEstimate) -> str:
    hands = ", ".join(f"{hand.side.value} {hand.status.name.lower()}" for hand in estimate.hands)
    return hands or f"no hand at {frame.stamp_ns / 1e9:.2f} s"


def _spread(spread: dict[str, float | None]) -> str:
    return f"{_number(spread['median'])} / {_number(spread['p95'])}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
