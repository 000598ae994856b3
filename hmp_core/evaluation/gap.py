# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well gaps are filled on real video: hide the hand by a grey box, compare with the run that saw it.

The clean run is a reference for agreement and no ground truth. Besides the output itself and ``offline``, which is
``hmp fit`` on the images with the box, the baselines SLERP
(every rotation between the clean poses at both ends, the wrist's place linear; it knows the future) and hold
(the last pose) are measured against it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from hmp_core.errors import ConfigError, DataError
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.evaluation.metrics import camera_mpjpe, ra_mpjpe
from hmp_core.fitting.sequence import ClipFitter
from hmp_core.fitting.stages import SHIPPED_TABLES, read_stage_table
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.media.overlay import draw_overlay
from hmp_core.observation import FrameObservation
from hmp_core.pipeline import Pipeline
from hmp_core.prior.prior import load_prior

METHODS: Final = ("output", "revised", "offline", "slerp", "hold")
REVISION_LAG: Final = 6
"""Frames after a gap's end at which ``revised`` looks back on it."""

_GREY: Final = 128
_BOX_MARGIN: Final = 0.35
_SETTLING: Final = 3
_PICTURE_PX: Final = 1000


@dataclass(frozen=True)
class Gap:
    """Frames ``first`` to ``last``, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class GapResult:
    """What happened in one gap.

    Attributes:
        gap: the frames.
        statuses: of the hand in each of them; UNKNOWN where it was absent.
        relative_mm: mean wrist-relative joint error per method, against the clean run.
        camera_mm: the same in the camera frame.
        rejoin_jump_mm: largest step of the joints' mean over the first frames after the gap, beyond the clean
            run's own step.
        course_mm: [gap's frames] of the mean error in ``relative_mm``, per method.
        picture: BGR, the gap's middle: the output on the image with the box, and on the image itself.
    """

    gap: Gap
    statuses: tuple[HandStatus, ...]
    relative_mm: dict[str, float]
    camera_mm: dict[str, float]
    rejoin_jump_mm: float
    course_mm: dict[str, NDArray[np.float64]]
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Run:
    """One hand through a clip.

    Attributes:
        side: whose; the side most often there.
        hands: its estimates, None where it was absent.
        keypoints_px: [T, 21, 2] its keypoints, NaN where unseen.
    """

    side: Side
    hands: tuple[HandEstimate | None, ...]
    keypoints_px: NDArray[np.float64]


def spread_gaps(frames: int, length: int = 30, count: int = 5, lead: int = 45) -> list[Gap]:
    """Gaps evenly over a clip, each with time to settle before and after.

    Raises:
        ConfigError: they do not fit.
    """
    spacing = (frames - lead) // max(count, 1)
    if length < 1 or count < 1 or spacing < length + lead:
        raise ConfigError(f"{count} gaps of {length} frames, {lead} frames apart, do not fit into {frames} frames")
    return [Gap(lead + index * spacing, lead + index * spacing + length - 1) for index in range(count)]


def paint_over(frame: Frame, keypoints_px: NDArray[np.floating]) -> Frame:
    """The frame with a grey box over a hand, wider by a third of its size, given its keypoints [21, 2]."""
    low, high = keypoints_px.min(axis=0), keypoints_px.max(axis=0)
    margin = _BOX_MARGIN * (high - low).max()
    left, top = np.maximum(np.floor(low - margin), 0).astype(int)
    right, bottom = np.maximum(np.ceil(high + margin), 0).astype(int)
    image = frame.image.copy()
    image[top:bottom, left:right] = _GREY
    return replace(frame, image=image)


def clean_run(frames: Iterable[Frame], pipeline: Pipeline) -> Run:
    """Run a clip as it is.

    Raises:
        DataError: no hand in it.
    """
    processed = [pipeline.process(frame) for frame in frames]
    sides = Counter(hand.side for _, estimate in processed for hand in estimate.hands)
    if not sides:
        raise DataError("no hand was found in the clip, so no gap can be painted over one")
    side = sides.most_common(1)[0][0]
    keypoints = np.full((len(processed), NUM_JOINTS, 2), np.nan)
    for index, (observation, _) in enumerate(processed):
        for seen in observation.hands:
            if seen.side is side or seen.side is None:
                keypoints[index] = seen.keypoints_px
    return Run(side, tuple(_of_side(estimate, side) for _, estimate in processed), keypoints)


def evaluate_gaps(
    frames: Callable[[], Iterable[Frame]], open_pipeline: Callable[[], Pipeline], gaps: list[Gap]
) -> tuple[Run, list[GapResult]]:
    """Run a clip clean and with all gaps painted, and compare.

    Args:
        frames: gives the clip's frames anew at each call.
        open_pipeline: gives a fresh pipeline.
        gaps: in order, apart by more than ``REVISION_LAG`` frames.

    Returns:
        The clean run and one result a gap.

    Raises:
        DataError: no hand in the clip, or none in the clean run at a gap's frames and ends.
    """
    pipeline = open_pipeline()
    clean = clean_run(frames(), pipeline)
    for gap in gaps:
        around = range(gap.first - 1, min(gap.last + _SETTLING + 1, len(clean.hands)))
        if any(clean.hands[index] is None or np.isnan(clean.keypoints_px[index]).any() for index in around):
            raise DataError(f"the clean run does not see the hand throughout frames {around[0]} to {around[-1]}")
    hidden = {index for gap in gaps for index in range(gap.first, gap.last + 1)}
    pipeline = open_pipeline()
    observations, estimates = list[FrameObservation](), list[FrameEstimate]()
    pictures: dict[Gap, NDArray[np.uint8]] = {}
    revised: dict[int, HandEstimate | None] = {}
    for index, frame in enumerate(frames()):
        shown = paint_over(frame, clean.keypoints_px[index]) if index in hidden else frame
        observation, estimate = pipeline.process(shown)
        observations.append(observation)
        estimates.append(estimate)
        for gap in gaps:
            if index == (gap.first + gap.last) // 2:
                views = [draw_overlay(view, estimate) for view in (shown, frame)]
                pictures[gap] = _small(np.hstack(views))
            if index == gap.last + REVISION_LAG:
                for past in range(gap.first, gap.last + 1):
                    revised[past] = _of_side(pipeline.fitter.revise(estimates[past]), clean.side)
    offline = ClipFitter(pipeline.model, load_prior(), read_stage_table(SHIPPED_TABLES[0])).fit(observations)
    painted, fitted = ([_of_side(estimate, clean.side) for estimate in run] for run in (estimates, offline))
    kinematics = HandKinematics(_model_of(pipeline.model, clean.side), torch.float64)
    return clean, [_compare(gap, clean, painted, revised, fitted, kinematics, pictures[gap]) for gap in gaps]


def slerp_joints(
    start: HandEstimate, end: HandEstimate, steps: int, kinematics: HandKinematics
) -> NDArray[np.float64]:
    """Joints [steps, 21, 3] m strictly between two poses: rotations by SLERP, the wrist's place and β linear."""
    fractions = np.arange(1, steps + 1) / (steps + 1)
    ends = np.stack([start.mano.rotation_vectors, end.mano.rotation_vectors])
    rotations = np.stack(
        [
            Slerp([0, 1], Rotation.from_rotvec(ends[:, joint]))(fractions).as_matrix()
            for joint in range(ends.shape[1])
        ],
        axis=1,
    )
    mix = fractions[:, None]
    betas = (1 - mix) * start.mano.betas + mix * end.mano.betas
    wrists = (1 - mix) * start.joints_camera[0] + mix * end.joints_camera[0]
    zero = torch.zeros(steps, 3, dtype=torch.float64)
    joints = kinematics.joints(torch.from_numpy(rotations), torch.from_numpy(betas), zero).numpy()
    return np.asarray(joints - joints[:, :1] + wrists[:, None])


def _compare(
    gap: Gap,
    clean: Run,
    painted: list[HandEstimate | None],
    revised: dict[int, HandEstimate | None],
    fitted: list[HandEstimate | None],
    kinematics: HandKinematics,
    picture: NDArray[np.uint8],
) -> GapResult:
    inside = range(gap.first, gap.last + 1)
    truth = _joints([clean.hands[index] for index in inside])
    start, end = clean.hands[gap.first - 1], clean.hands[min(gap.last + 1, len(clean.hands) - 1)]
    assert start is not None
    assert end is not None
    filled = {
        "output": _joints([painted[index] for index in inside]),
        "revised": _joints([revised.get(index) for index in inside]),
        "offline": _joints([fitted[index] for index in inside]),
        "slerp": slerp_joints(start, end, len(inside), kinematics),
        "hold": np.repeat(start.joints_camera[None], len(inside), axis=0),
    }
    after = range(gap.last, min(gap.last + _SETTLING + 1, len(painted)))
    steps, own = (
        np.diff(_joints([hands[index] for index in after]), axis=0) for hands in (painted, list(clean.hands))
    )
    course = {name: ra_mpjpe(joints, truth) for name, joints in filled.items()}
    jumps = 1000 * (np.linalg.norm(steps, axis=-1) - np.linalg.norm(own, axis=-1)).mean(axis=1)
    return GapResult(
        gap=gap,
        statuses=tuple(
            hand.status if hand else HandStatus.UNKNOWN for hand in (painted[index] for index in inside)
        ),
        relative_mm={name: float(errors.mean()) for name, errors in course.items()},
        camera_mm={name: float(camera_mpjpe(joints, truth).mean()) for name, joints in filled.items()},
        rejoin_jump_mm=float(jumps.max()) if jumps.size else 0.0,
        course_mm=course,
        picture=picture,
    )


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, _PICTURE_PX / picture.shape[1])
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _joints(hands: list[HandEstimate | None]) -> NDArray[np.float64]:
    """Joints [T, 21, 3], NaN where the hand was absent."""
    absent = np.full((NUM_JOINTS, 3), np.nan)
    return np.stack([absent if hand is None else hand.joints_camera for hand in hands])


def _of_side(estimate: FrameEstimate, side: Side) -> HandEstimate | None:
    return next((hand for hand in estimate.hands if hand.side is side), None)


def _model_of(model: HandModel, side: Side) -> HandModel:
    return model if side is Side.RIGHT else model.mirrored()
