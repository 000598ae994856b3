# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp view`: hands in the Rerun viewer, live from a source or from what was recorded."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hmp_core.cli.console import STDERR, progress_bar, stop_on_interrupt
from hmp_core.cli.options import (
    CameraOption,
    FovOption,
    FpsOption,
    HandLengthOption,
    ManoOption,
    MaxHandsOption,
    TopicOption,
)
from hmp_core.cli.track import INTRINSICS_HINT
from hmp_core.errors import ConfigError, ImageError
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.recorded_hands import RecordedFrame, find_recorded_hands
from hmp_core.media.sources import open_source
from hmp_core.pipeline import Pipeline, open_pipeline
from hmp_core.whole_file import whole_file

if TYPE_CHECKING:
    from hmp_core.media.rerun_view import RerunView

_SUFFIX: Final = ".rrd"


def view(
    source: Annotated[
        str,
        typer.Argument(
            help="What hmp track or hmp fit wrote, or a bag with hand/mano; else a video, image folder, bag or "
            "camera number, in which hands are tracked."
        ),
    ],
    save: Annotated[Path | None, typer.Option(help="Write this .rrd file instead of opening the viewer.")] = None,
    surface: Annotated[bool, typer.Option(help="Show the hands' surface.")] = True,
    camera: CameraOption = None,
    fov: FovOption = DEFAULT_FOV_DEG,
    mano: ManoOption = None,
    max_hands: MaxHandsOption = 2,
    hand_length: HandLengthOption = 0.0,
    fps: FpsOption = 30.0,
    topic: TopicOption = None,
    namespace: Annotated[
        str | None, typer.Option(help="Namespace of the hands in a bag with several, such as /left.")
    ] = None,
) -> None:
    """Look at hands in the Rerun viewer: image, skeleton, sigmas, surface and curves. Ctrl-C ends early."""
    if save is not None and save.suffix != _SUFFIX:
        raise ConfigError(f"--save writes {_SUFFIX} files, not {save.name!r}")
    recorded = find_recorded_hands(source, topic, namespace)
    frames: Iterator[RecordedFrame]
    if recorded is not None:
        model, frames = load_hand_model(mano), iter(recorded)
        total: int | None = recorded.count
    else:
        intrinsics = Intrinsics(load_camera(camera) if camera else None, fov, INTRINSICS_HINT)
        opened = open_source(source, intrinsics, fps=fps, topic=topic)
        pipeline = open_pipeline(mano, max_hands, hand_length)
        model, total, frames = pipeline.model, opened.frame_count, _track(opened, pipeline)
    with (
        _open_view(save, model if surface else None) as shown,
        stop_on_interrupt() as stopped,
        progress_bar() as bar,
    ):
        task = bar.add_task("showing", total=total, note="")
        for frame in frames:
            if stopped():
                STDERR.print("interrupted: what was shown so far stays")
                break
            shown.add(*frame)
            bar.advance(task)
    if save is not None:
        print(save)


def _track(source: FrameSource, pipeline: Pipeline) -> Iterator[RecordedFrame]:
    for frame in source:
        try:
            observation, estimate = pipeline.process(frame)
        except ImageError as error:
            source.skip("unusable image", str(error))
            continue
        yield estimate, observation, frame.image


@contextmanager
def _open_view(save: Path | None, model: HandModel | None) -> "Iterator[RerunView]":
    """A view into a file that appears whole or not at all, or into a viewer that stays open.

    Raises:
        ConfigError: Rerun is not installed, or there is no screen.
    """
    try:
        import rerun

        from hmp_core.media.rerun_view import RerunView, view_layout
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"hmp view needs the package {error.name}, which is not installed; it comes with the extra 'view': "
            "pip install 'hmp_ros[view]'"
        ) from error
    with rerun.RecordingStream("hmp") as stream:
        if save is None:
            if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                raise ConfigError("there is no screen for the viewer here; write a file with --save FILE.rrd")
            # The viewer sends usage statistics unless it was told not to, or takes itself to be on a CI machine.
            os.environ.setdefault("CI", "1")
            stream.spawn(default_blueprint=view_layout())
            yield RerunView(stream, model)
            return
        with whole_file(save) as partial:
            stream.save(partial, default_blueprint=view_layout())
            yield RerunView(stream, model)
            stream.disconnect()
