# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Windows of motion as rendered images, things in the way of the hand: truth for ``hmp eval render``.

Patterns and gaps are those of ``hmp eval motion``, but a solid thing hides the hand, and a joint is hidden where
the ray to it meets the thing's surface, or where it lies outside the image:

* ``whole``: a large thing sweeps over the hand, stays before it for the gap's length, and sweeps off on the other
  side;
* ``fingers``: a small thing comes from beyond the fingertips, stays before one to four fingers, and leaves as it
  came;
* ``object``: a large thing comes from anywhere, covers 25 to 95 % of the hand's extent for the gap's length, and
  goes back.

Things are carried along with the hand, or they would uncover a moving one too early.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.evaluation.detector_simulation import TrueHand
from hmp_core.evaluation.occluded_window import OccludedWindow, WindowPlan
from hmp_core.evaluation.staged_hand import Stage, StagedHand
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import FINGERS, MIDDLE_MCP, TIPS, WRIST
from hmp_core.media.occluder import OCCLUDER_SHAPES, CarriedPass, Occluder, OcclusionPass, make_occluder
from hmp_core.media.scene import HandCourse, Scene

CAMERA: Final = Camera(640, 480, 608.0, 607.5, 321.7, 240.7)
"""Intrinsics as a RealSense D435's colour stream reports them at this size, rounded."""
RATE_HZ: Final = 30.0
_NEARER: Final = (0.6, 0.8)
"""How far away a thing is, as share of the hand's distance."""
_MOVE_S: Final = 0.35
"""Time in which a thing comes from outside the image, and in which it goes."""
_DEPTH: Final = (0.25, 0.95)
_MOST_FINGERS: Final = 4
_FOREARM_M: Final = 0.3
_BELOW: Final = np.array([0.0, 0.4, 0.1])
"""How much a forearm is drawn downwards and away from the camera; under 1, so that it stays behind the wrist."""
_FLAT: Final = ("box", "book")
"""Things that are wide enough to hide a hand."""
_WIDTH: Final = 0.72
"""Smaller over larger side of these."""


@dataclass(frozen=True)
class RenderedWindow:
    """What is to be rendered.

    Attributes:
        plan: of the window.
        hand: in front of :data:`CAMERA`.
        scene: with the hand and the thing.
    """

    plan: WindowPlan
    hand: StagedHand
    scene: Scene

    def judged_by(self, stage: Stage, behind: NDArray[np.bool_]) -> OccludedWindow:
        """The truth about the window.

        Args:
            stage: that it was played on.
            behind: [T, 21] joints that the thing hides, or that are outside the image.
        """
        return OccludedWindow(
            hand=TrueHand(self.hand.times_s, self.hand.joints, behind, CAMERA),
            kind=self.plan.kind,
            gap_s=self.plan.gap_s,
            in_gap=np.asarray((behind & self.hand.inside).any(axis=1)),
            judged=self.plan.judged(self.hand.times_s),
            active=stage.moves(self.hand, behind & self.hand.inside),
            label=self.hand.label,
        )


def stage_window(stage: Stage, model: HandModel, plan: WindowPlan) -> RenderedWindow:
    """Put a window's hand and thing in front of the camera.

    Args:
        stage: with the motion at :data:`RATE_HZ` and :data:`CAMERA`.
        model: the right hand.
        plan: of the window.
    """
    hand, rng = stage.put(plan.recording, plan.frames, plan.rng), plan.rng
    own = _scaled(model, hand.scale)
    rest = HandKinematics(own, torch.float64).rest_wrist(torch.from_numpy(hand.betas)).numpy()
    place = hand.joints[:, WRIST] - rest
    course = HandCourse(own, hand.rotation_vectors, hand.betas, place, hand.joints, _elbow(hand))
    thing = _in_the_way(plan, hand, rng)
    return RenderedWindow(plan, hand, Scene(hand.times_s, CAMERA, (course,), (thing,), rng))


def _scaled(model: HandModel, scale: float) -> HandModel:
    """The same hand in another size."""
    arrays = {name: scale * getattr(model, name) for name in ("v_template", "shapedirs", "posedirs")}
    return replace(model, **arrays)


def _elbow(hand: StagedHand) -> NDArray[np.float64]:
    """Where the forearm comes from [T, 3]: from below, and from behind the wrist, or it would hide the hand."""
    back = hand.joints[:, WRIST] - hand.joints[:, MIDDLE_MCP]
    back /= np.linalg.norm(back, axis=1, keepdims=True)
    return np.asarray(hand.joints[:, WRIST] + _FOREARM_M * (back + _BELOW))


def _in_the_way(plan: WindowPlan, hand: StagedHand, rng: np.random.Generator) -> tuple[Occluder, CarriedPass]:
    """A thing and its pass, as the pattern has it, laid out at the hand's distance and then drawn nearer."""
    middle_s = plan.lead_s + plan.gap_s / 2
    at = min(int(np.searchsorted(hand.times_s, middle_s)), len(hand.times_s) - 1)
    joints, centres = hand.joints[at], hand.joints.mean(axis=1)
    angle = rng.uniform(0, 2 * np.pi)
    toward, leaves = np.array([np.cos(angle), np.sin(angle), 0.0]), -1.0  # the way in, and that way or back
    extent = np.ptp(joints[:, :2], axis=0).max()
    shape = str(rng.choice(_FLAT))
    if plan.kind == "whole":
        size, centre, leaves = extent * rng.uniform(1.3, 1.5) / _WIDTH, centres[at], 1.0
    elif plan.kind == "fingers":
        first = int(rng.integers(len(FINGERS)))
        count = int(rng.integers(1, _MOST_FINGERS + 1))
        chosen = [joint for finger in range(first, first + count) for joint in FINGERS[finger % len(FINGERS)][1:]]
        shape, centre = str(rng.choice(OCCLUDER_SHAPES)), joints[chosen].mean(axis=0)
        size = max(np.ptp(joints[chosen][:, :2], axis=0).max() * rng.uniform(0.8, 1.1), 0.3 * extent)
        outward = (joints[list(TIPS)].mean(axis=0) - joints[WRIST])[:2]
        toward = np.append(-outward / max(float(np.linalg.norm(outward)), 1e-9), 0.0)
    else:
        size, along = extent * rng.uniform(1.3, 1.6) / _WIDTH, joints @ toward
        front = along.min() + rng.uniform(*_DEPTH) * np.ptp(along)
        centre = centres[at] + (front - _WIDTH * size / 2 - along.mean()) * toward
    nearer = rng.uniform(*_NEARER)
    # Out of the image: its half diagonal and the thing itself, at the thing's depth.
    away = nearer * (0.6 * centre[2] * np.hypot(CAMERA.width, CAMERA.height) / CAMERA.fx + size) * toward
    upright = Rotation.from_rotvec([0.0, 0.0, np.arctan2(toward[1], toward[0])])
    tilt = upright * Rotation.from_euler("xyz", rng.uniform(-0.3, 0.3, 3))
    colour = tuple(int(value) for value in rng.integers(30, 230, 3))
    passing = OcclusionPass(
        start_s=plan.lead_s,
        hold_s=plan.gap_s,
        move_s=_MOVE_S,
        position=nearer * centre,
        entry=nearer * centre - away,
        exit=nearer * centre + leaves * away,
        R=np.asarray(tilt.as_matrix()),
        spin=rng.uniform(-0.15, 0.15, 3),
    )
    thing = make_occluder(shape, float(nearer * size), (colour[0], colour[1], colour[2]))
    return thing, CarriedPass(passing, hand.times_s, nearer * (centres - centres[at]))
