# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp fit`: hands of a recorded clip, fitted with past and future in view."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch
import typer

from hmp_core.cli.console import progress_bar
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
from hmp_core.cli.track import INTRINSICS_HINT, print_summary, write_bag
from hmp_core.errors import ConfigError, ImageError, SourceError
from hmp_core.estimate import FrameEstimate
from hmp_core.evaluation.run_folder import ARRAYS_NAME, BAG_NAME, OVERLAY_NAME
from hmp_core.evaluation.summary import summarize
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.fitting.sequence_fitter import SOLVERS
from hmp_core.fitting.stages import SHIPPED_TABLES, read_stage_table
from hmp_core.fitting.trajectory_store import TrajectoryStore
from hmp_core.hand.mesh import HandMesh
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import Side
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.frame_source import FrameSource
from hmp_core.media.hand_recorder import HandRecorder
from hmp_core.media.intrinsics import DEFAULT_FOV_DEG, Intrinsics, load_camera
from hmp_core.media.message_fields import Timing
from hmp_core.media.observation_bag import ObservationBag
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.sources import open_source
from hmp_core.media.video_writer import VideoWriter
from hmp_core.observation import FrameObservation
from hmp_core.perception.pipeline import HandPerception
from hmp_core.pipeline import open_perception
from hmp_core.prior.prior import load_prior
from hmp_core.whole_file import whole_file

MESHES_NAME: Final = "meshes.npz"
_OBSERVATIONS: Final = "observations.mcap"


def fit(
    source: Annotated[str, typer.Argument(help="Video, image folder or bag (mcap, sqlite3).")],
    out: Annotated[Path, typer.Option(help=f"Folder for {ARRAYS_NAME}, {OVERLAY_NAME} and {BAG_NAME}.")],
    table: Annotated[
        str, typer.Option(help=f"Stage table: {', '.join(SHIPPED_TABLES)}, or a YAML file.")
    ] = SHIPPED_TABLES[0],
    solver: Annotated[
        str, typer.Option(help="gn: Gauss-Newton until it has converged; adam: the paper's fixed schedule.")
    ] = SOLVERS[0],
    camera: CameraOption = None,
    fov: FovOption = DEFAULT_FOV_DEG,
    mano: ManoOption = None,
    prior: Annotated[Path | None, typer.Option(help="Motion prior; by default the shipped one.")] = None,
    max_hands: MaxHandsOption = 2,
    hand_length: HandLengthOption = 0.0,
    fps: FpsOption = 30.0,
    topic: TopicOption = None,
    as_json: JsonOption = False,
    overlay: OverlayOption = True,
    mesh: Annotated[bool, typer.Option(help=f"Write the surface of every frame to {MESHES_NAME}, too.")] = False,
) -> None:
    """Fit hands over a whole recording; the same command goes on after an interruption.

    Better than track: gaps are filled from both sides, and each hand has one shape.
    """
    if solver not in SOLVERS:
        raise ConfigError(f"--solver is {solver!r}, allowed are {' and '.join(SOLVERS)}")
    if source.isdecimal():
        raise ConfigError("a live camera has no end to look back from: use `hmp track`, or record it first")
    stages, config = read_stage_table(table), FitterConfig(hand_length_m=hand_length)
    intrinsics = Intrinsics(load_camera(camera) if camera else None, fov, INTRINSICS_HINT)

    def frames() -> FrameSource:
        return open_source(source, intrinsics, fps=fps, topic=topic)

    model, perception = open_perception(mano, max_hands)
    motion_prior = load_prior(prior)
    changed_ns = Path(source).stat().st_mtime_ns if Path(source).exists() else 0
    run = repr((source, changed_ns, camera, fov, mano, prior, max_hands, fps, topic))
    state = out / f".unfinished-{hashlib.sha256(run.encode()).hexdigest()[:12]}"
    if not (state / _OBSERVATIONS).exists():
        _perceive(frames(), perception, state / _OBSERVATIONS)
    observations = list(ObservationBag(state / _OBSERVATIONS))
    key = hashlib.sha256(repr((stages, solver, config)).encode()).hexdigest()[:12]
    fitter = ClipFitter(model, motion_prior, stages, solver, config)
    with progress_bar() as bar:
        task = bar.add_task("fitting windows", total=None, note="")
        estimates = fitter.fit(
            observations,
            lambda done, total: bar.update(task, completed=done, total=total),
            TrajectoryStore(state / key),
        )
    summary = _write(frames(), observations, estimates, model, out, overlay, mesh)
    shutil.rmtree(state)
    if as_json:
        print(json.dumps(summary))
    else:
        print_summary(summary)


def _perceive(source: FrameSource, perception: HandPerception, path: Path) -> None:
    """See every image and keep what was seen, whole or not at all."""
    with whole_file(path) as partial, ExitStack() as stack:
        bar = stack.enter_context(progress_bar())
        task = bar.add_task("looking", total=source.frame_count, note="")
        bag: HandBagWriter | None = None
        newest_ns: int | None = None
        for frame in source:
            bar.advance(task)
            if newest_ns is not None and frame.stamp_ns <= newest_ns:
                source.skip("recording starts again", f"{frame.stamp_ns} ns after {newest_ns} ns")
                continue
            newest_ns = frame.stamp_ns
            try:
                observation = perception.process(frame)
            except ImageError as error:
                source.skip("unusable image", str(error))
                continue
            if bag is None:  # the frame id is known from the first image on
                bag = stack.enter_context(HandBagWriter(partial, source.frame_id))
            bag.write_observation(observation, Timing())
        if bag is None:
            raise SourceError(f"{source.name} holds no image that can be used")


def _write(
    source: FrameSource,
    observations: Sequence[FrameObservation],
    estimates: Sequence[FrameEstimate],
    model: HandModel,
    out: Path,
    overlay: bool,
    mesh: bool,
) -> dict[str, Any]:
    """All files, and their summary."""
    recorder, names = HandRecorder(model), [ARRAYS_NAME, BAG_NAME]
    pairs = list(zip(observations, estimates, strict=True))
    with ExitStack() as stack:
        video = stack.enter_context(VideoWriter(out / OVERLAY_NAME)) if overlay else None
        bag = stack.enter_context(HandBagWriter(out / BAG_NAME, source.frame_id))
        bar = stack.enter_context(progress_bar())
        task = bar.add_task("writing", total=len(estimates), note="")
        for observation, estimate in pairs:
            write_bag(bag, observation, estimate)
            recorder.add(observation, estimate)
        if video is not None:
            names.append(OVERLAY_NAME)
            waiting = {observation.stamp_ns: (observation, estimate) for observation, estimate in pairs}
            for frame in source:
                if frame.stamp_ns in waiting:
                    bar.advance(task)
                    observation, estimate = waiting.pop(frame.stamp_ns)
                    video.write(draw_overlay(frame, estimate, observation), frame.stamp_ns)
    recorder.save(out / ARRAYS_NAME)
    if mesh:
        _write_meshes(estimates, model, out / MESHES_NAME)
        names.append(MESHES_NAME)
    return {**summarize(recorder.arrays()), "files": {name: str(out / name) for name in names}}


def _write_meshes(estimates: Sequence[FrameEstimate], model: HandModel, path: Path) -> None:
    """``left``, ``right`` [T, V, 3] m, camera frame, NaN without that hand; ``faces_left``, ``faces_right``."""
    arrays: dict[str, Any] = {}
    for side, own in ((Side.LEFT, model.mirrored()), (Side.RIGHT, model)):
        surface = np.full((len(estimates), len(own.v_template), 3), np.nan, dtype=np.float32)
        mesh = HandMesh(own)
        for index, estimate in enumerate(estimates):
            for hand in estimate.hands:
                if hand.side is side:
                    pose = torch.from_numpy(hand.mano.rotation_vectors)[None]
                    betas, place = torch.from_numpy(hand.mano.betas), torch.from_numpy(hand.mano.translation)[None]
                    surface[index] = mesh.vertices(pose, betas, place)[0]
        arrays |= {side.value: surface, f"faces_{side.value}": own.faces}
    arrays["stamps_ns"] = np.array([estimate.stamp_ns for estimate in estimates])
    with whole_file(path) as partial:
        np.savez_compressed(partial, **arrays)
