# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of recorded motion in front of a simulated camera, with a gap in each: truth for ``hmp eval motion``."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.errors import DataError
from hmp_core.evaluation.detector_simulation import TrueHand
from hmp_core.evaluation.occlusion_pattern import GAPS_S, KINDS, SWEEP_S, hide_joints
from hmp_core.evaluation.prior_gaps import ACTIVE_M_PER_S, HAND_M
from hmp_core.evaluation.recorded_motion import RecordedMotion, WristCourse
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_BETAS, NUM_JOINTS, WRIST
from hmp_core.media.wrist_motion import move_wrist

CAMERA: Final = Camera(1280, 720, 912.0, 911.0, 643.0, 361.0)
"""Intrinsics as a RealSense D435's colour stream reports them at this size, rounded."""
SETTLING_S: Final = 0.4
"""Frames at a window's start that are seen and not judged: nobody has settled then [s]."""
SIZE_SPREAD: Final = 0.07
_LEAD_S: Final = (0.8, 1.4)
_TAIL_S: Final = 0.5
_SHAPE_SPREAD: Final = 0.7
_NEAREST_M: Final = 0.25
_LEAST_INSIDE: Final = 0.95
_REACH_M: Final = 0.12
"""Farthest that a recorded wrist goes from its window's middle."""
_TRIES: Final = 8
_PALM_SHARE: Final = 0.75


@dataclass(frozen=True)
class OccludedWindow:
    """One hand through one gap.

    Attributes:
        hand: the truth.
        kind, gap_s: how it is hidden, and the gap's nominal length [s].
        in_gap: [T] frames with something hidden by the pattern.
        judged: [T] frames that count.
        active: whether the hidden joints move over 1 mm a frame in the mean, as ``hmp eval prior`` defines it.
        label: sign or activity.
    """

    hand: TrueHand
    kind: str
    gap_s: float
    in_gap: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    active: bool
    label: str


def occluded_windows(motion: RecordedMotion, model: HandModel, count: int, seed: int) -> Iterator[OccludedWindow]:
    """Draw windows, evenly over patterns, gap lengths and signs.

    Recordings too short for a gap of a length leave it to others.

    Raises:
        DataError: no recording is long enough for any gap.
    """
    fingers = motion.fingers
    length_s = (fingers.lengths.numpy() - 1) / fingers.rate_hz
    fitting = {gap: np.flatnonzero(length_s >= _needed_s(gap)) for gap in GAPS_S}
    gaps = [gap for gap in GAPS_S if len(fitting[gap])]
    if not gaps:
        raise DataError(f"no recording lasts the {_needed_s(GAPS_S[0]):.1f} s that the shortest gap needs")
    builder = _Builder(motion, model)
    cells = [(kind, gap) for gap in gaps for kind in KINDS]
    for number in range(count):
        kind, gap_s = cells[number % len(cells)]
        rng = np.random.default_rng((seed, number))
        labels = sorted({fingers.labels[index] for index in fitting[gap_s]})
        # Every sign has its turn before any comes again.
        label = labels[(number // len(cells) + 7 * (number % len(cells))) % len(labels)]
        own = [index for index in fitting[gap_s] if fingers.labels[index] == label]
        yield builder.build(int(rng.choice(own)), kind, gap_s, rng)


def _needed_s(gap_s: float) -> float:
    return _LEAD_S[0] + gap_s + _TAIL_S


class _Builder:
    def __init__(self, motion: RecordedMotion, model: HandModel) -> None:
        self._motion = motion
        self._starts = (motion.fingers.lengths.cumsum(0) - motion.fingers.lengths).numpy()
        self._kinematics = HandKinematics(model, torch.float64)

    def build(self, recording: int, kind: str, gap_s: float, rng: np.random.Generator) -> OccludedWindow:
        fingers = self._motion.fingers
        rate = fingers.rate_hz
        length = int(fingers.lengths[recording])
        lead = min(rng.uniform(*_LEAD_S), (length - 1) / rate - gap_s - _TAIL_S)
        count = min(round((lead + gap_s + _TAIL_S) * rate) + 1, length)
        first = int(self._starts[recording] + rng.integers(0, length - count + 1))
        rows = slice(first, first + count)
        times = np.arange(count) / rate
        vectors = fingers.rotation_vectors[rows].double().numpy()
        betas, size = rng.normal(0, _SHAPE_SPREAD, NUM_BETAS), 1 + SIZE_SPREAD * rng.normal()
        for _ in range(_TRIES):
            joints = self._in_front(vectors, betas, size, rows, times, rng)
            inside = CAMERA.contains(CAMERA.project(joints))
            if joints[..., 2].min() > _NEAREST_M and inside.mean() >= _LEAST_INSIDE:
                break
        behind = hide_joints(kind, CAMERA.project(joints), times, lead, gap_s, rng)
        hidden = behind | ~inside
        return OccludedWindow(
            hand=TrueHand(times, joints, hidden, CAMERA),
            kind=kind,
            gap_s=gap_s,
            in_gap=np.asarray(behind.any(axis=1)),
            judged=(times >= SETTLING_S) & (times < lead + gap_s + SWEEP_S + _TAIL_S),
            active=self._moves(vectors, behind, rate),
            label=fingers.labels[recording],
        )

    def _in_front(
        self,
        vectors: NDArray[np.float64],
        betas: NDArray[np.float64],
        size: float,
        rows: slice,
        times: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Joints [T, 21, 3] somewhere in front of the camera."""
        course = move_wrist(times, CAMERA, rng)
        R, centre = course.R_camera_mano, course.centre
        if self._motion.wrist is not None:
            recorded = self._motion.wrist
            own = WristCourse(recorded.R_world_wrist[rows], recorded.position[rows])
            # A camera from which the recording's mean pose looks as one of the made-up motion's.
            R_camera_world = R[0] @ Rotation.from_matrix(own.R_world_wrist).mean().as_matrix().T
            R = R_camera_world @ own.R_world_wrist
            middle = (own.position.min(axis=0) + own.position.max(axis=0)) / 2
            way = own.position - middle
            # People walk out of a camera's sight; theirs goes along, as far as it must.
            way *= min(1.0, _REACH_M / np.linalg.norm(way, axis=1).max())
            centre = centre[0] + way @ R_camera_world.T
        relative = self._relative(R, vectors, betas)
        length = np.linalg.norm(relative[0, MIDDLE_MCP])
        average = np.linalg.norm(self._relative(R[:1], vectors[:1], np.zeros(NUM_BETAS))[0, MIDDLE_MCP])
        relative *= size * average / length
        palm = _PALM_SHARE * relative[:, MIDDLE_MCP]
        # Fingers turn about the wrist; only the made-up course speaks of the palm's middle.
        anchor = palm.mean(axis=0) if self._motion.wrist is not None else palm
        return np.asarray(relative + (centre - anchor)[:, None])

    def _relative(
        self, R: NDArray[np.float64], vectors: NDArray[np.float64], betas: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        turns = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape[:2], 3, 3)
        rotations = torch.from_numpy(np.concatenate([R[:, None], turns], axis=1))
        nowhere = torch.zeros(len(R), 3, dtype=torch.float64)
        joints = self._kinematics.joints(rotations, torch.from_numpy(betas), nowhere).numpy()
        return np.asarray(joints - joints[:, :1])

    def _moves(self, vectors: NDArray[np.float64], behind: NDArray[np.bool_], rate_hz: float) -> bool:
        """Whether the hidden joints move in the wrist's axes, on a hand of the size that the limit is for."""
        local = self._relative(np.tile(np.eye(3), (len(vectors), 1, 1)), vectors, np.zeros(NUM_BETAS))
        scale = HAND_M / np.linalg.norm(local[0, MIDDLE_MCP])
        speed = scale * rate_hz * np.linalg.norm(np.diff(local, axis=0), axis=-1)
        moving = np.setdiff1d(np.arange(NUM_JOINTS), (WRIST, 1, 5, 9, 13, 17))
        hidden = behind[1:, moving]
        return bool(hidden.any() and speed[:, moving][hidden].mean() > ACTIVE_M_PER_S)
