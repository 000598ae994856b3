# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Grasp postures, found by closing the hand on objects of random size and place.

The kinds are the common branches of Feix et al. (2016, "The GRASP taxonomy of human grasp types"): power grasps of
cylinders and spheres, hooks, precision grasps with two to five digits, and the lateral (key) pinch. Each posture
solves for the twenty angles: contacts on the object's surface, no bone inside it, near the kind's own posture, and
the last two joints of a finger coupled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hmp_core.prior.chain import CHAIN_LENGTH, NUM_FINGERS, FingerBones, rotations_in_wrist
from hmp_core.training.anatomy import ANGLE_RANGES, NEUTRAL, AnatomicalHand, clamp_to_ranges

_PULP_M: Final = 0.0075
"""Half a finger's thickness: bones stay this far from a surface."""
_STEPS: Final = 80
_RATE: Final = 0.08
_LARGEST_GAP_M: Final = 0.007
_CENTER_FREEDOM_M: Final = 0.012
_TIPS: Final = {"thumb": 14, "index": 2, "middle": 5, "ring": 11, "pinky": 8}


@dataclass(frozen=True)
class GraspKind:
    """One kind of grasp.

    Attributes:
        posture_deg: [20] angles that the solution stays near, beyond the neutral hand [degrees].
        contacts: bone ends (of 15) that touch the object.
        radius_m: range of the object's radius.
        center_m: range of the distance of the object's centre from the palm's plane, beyond its radius.
        reach: range of the centre's place along the middle finger, in lengths from wrist to middle knuckle.
        length: object's half length over its radius: 0 a sphere, large a cylinder.
    """

    posture_deg: tuple[float, ...]
    contacts: tuple[int, ...]
    radius_m: tuple[float, float]
    center_m: tuple[float, float]
    reach: tuple[float, float]
    length: float


def _posture(thumb: tuple[float, ...], *fingers: tuple[float, ...]) -> tuple[float, ...]:
    """Angles of a hand from the thumb's and one or four fingers' (one stands for all)."""
    four = fingers if len(fingers) == 4 else fingers * 4
    return tuple(angle for digit in (thumb, *four) for angle in digit)


def _pinch(finger: str, bend_deg: tuple[int, ...], radius_m: tuple[float, float]) -> GraspKind:
    """Thumb against one finger's tip, all four bent by so much at base and middle joint, half of it at the last."""
    digits = [(0.0, float(bend), float(bend), 0.5 * bend) for bend in bend_deg]
    tips = (_TIPS["thumb"], _TIPS[finger])
    return GraspKind(_posture(_OPPOSED_THUMB, *digits), tips, radius_m, (0.035, 0.065), (1.0, 1.4), 0.0)


_OPEN_THUMB: Final = (20.0, 24.0, 2.0, 12.0)
_OPPOSED_THUMB: Final = (34.0, 36.0, 10.0, 20.0)
_CURLED: Final = (0.0, 75.0, 85.0, 50.0)
_ALL_TIPS: Final = tuple(_TIPS.values())
_WRAP: Final = (1, 2, 4, 5, 7, 8, 10, 11, 14)

GRASP_KINDS: Final = {
    "power_cylinder": GraspKind(
        _posture(_OPPOSED_THUMB, (0.0, 50.0, 60.0, 35.0)), _WRAP, (0.012, 0.045), (0.016, 0.024), (0.9, 1.15), 8.0
    ),
    "power_sphere": GraspKind(
        _posture(
            _OPPOSED_THUMB,
            (10.0, 35.0, 45.0, 30.0),
            (0.0, 35.0, 45.0, 30.0),
            (-6.0, 35.0, 45.0, 30.0),
            (-16.0, 35.0, 45.0, 30.0),
        ),
        (1, 2, 4, 5, 7, 8, 10, 11, 14),
        (0.025, 0.055),
        (0.014, 0.025),
        (0.9, 1.2),
        0.0,
    ),
    "tool": GraspKind(
        _posture(_OPPOSED_THUMB, (0.0, 30.0, 35.0, 20.0), *((0.0, 55.0, 65.0, 40.0),) * 3),
        (4, 5, 7, 8, 10, 11, 14),
        (0.008, 0.022),
        (0.014, 0.022),
        (0.9, 1.15),
        8.0,
    ),
    "index_extension": GraspKind(
        _posture(_OPPOSED_THUMB, (0.0, 25.0, 15.0, 8.0), *((0.0, 55.0, 65.0, 40.0),) * 3),
        (2, 4, 5, 7, 8, 10, 11, 14),
        (0.006, 0.016),
        (0.014, 0.022),
        (0.9, 1.15),
        10.0,
    ),
    "lateral": GraspKind(
        _posture((3.0, 46.0, 5.0, 20.0), *((0.0, 45.0, 70.0, 40.0), (0.0, 55.0, 75.0, 45.0)) * 2),
        (_TIPS["thumb"], 1),
        (0.0, 0.004),
        (0.02, 0.045),
        (1.0, 1.4),
        0.0,
    ),
    "hook": GraspKind(
        _posture(_OPEN_THUMB, (0.0, 25.0, 75.0, 45.0)),
        (1, 2, 4, 5, 7, 8, 10, 11),
        (0.006, 0.018),
        (0.010, 0.022),
        (1.25, 1.55),
        8.0,
    ),
    "precision_all": GraspKind(
        _posture(_OPPOSED_THUMB, (0.0, 45.0, 40.0, 20.0)), _ALL_TIPS, (0.012, 0.045), (0.02, 0.055), (1.1, 1.5), 0.0
    ),
    "precision_prism": GraspKind(
        _posture(_OPPOSED_THUMB, (0.0, 55.0, 35.0, 15.0)), _ALL_TIPS, (0.004, 0.02), (0.04, 0.07), (1.0, 1.4), 8.0
    ),
    "disk": GraspKind(
        _posture(
            _OPEN_THUMB,
            (10.0, 30.0, 45.0, 25.0),
            (2.0, 30.0, 45.0, 25.0),
            (-6.0, 30.0, 45.0, 25.0),
            (-14.0, 30.0, 45.0, 25.0),
        ),
        _ALL_TIPS,
        (0.030, 0.050),
        (-0.005, 0.02),
        (1.05, 1.4),
        0.0,
    ),
    "pen": GraspKind(
        _posture(
            _OPPOSED_THUMB, (0.0, 48.0, 45.0, 15.0), (0.0, 55.0, 55.0, 30.0), (0.0, 62.0, 75.0, 45.0), _CURLED
        ),
        (_TIPS["thumb"], _TIPS["index"], _TIPS["middle"]),
        (0.003, 0.007),
        (0.035, 0.06),
        (1.05, 1.35),
        15.0,
    ),
    "tripod": GraspKind(
        _posture(
            _OPPOSED_THUMB, (0.0, 50.0, 45.0, 20.0), (0.0, 55.0, 50.0, 25.0), (0.0, 65.0, 70.0, 40.0), _CURLED
        ),
        (_TIPS["thumb"], _TIPS["index"], _TIPS["middle"]),
        (0.003, 0.02),
        (0.035, 0.065),
        (1.05, 1.4),
        0.0,
    ),
    "pinch_index": _pinch("index", (50, 30, 25, 20), (0.0, 0.020)),
    "pinch_index_curled": _pinch("index", (50, 80, 80, 80), (0.0, 0.012)),
    "pinch_middle": _pinch("middle", (20, 55, 30, 25), (0.0, 0.012)),
    "pinch_ring": _pinch("ring", (15, 30, 60, 40), (0.0, 0.010)),
    "pinch_pinky": _pinch("pinky", (10, 15, 40, 65), (0.0, 0.010)),
}


def solve_grasps(bones: FingerBones, kind: GraspKind, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Close hands on random objects, each with fingers of its own length.

    Args:
        bones: the mean hand.
        kind: grasp and range of objects.
        count: objects to try.
        rng: source of randomness.

    Returns:
        [n, 20] angles [rad] of those, at most ``count``, whose contacts all touch to 7 mm.
    """
    hand, own_bones = AnatomicalHand(), _individual_bones(bones, count, rng)
    center, distance = _random_objects(bones.bases, kind, count, rng)
    shift = torch.zeros_like(center).requires_grad_()
    posture = NEUTRAL + torch.deg2rad(torch.tensor(kind.posture_deg))
    noise = torch.from_numpy(rng.normal(0.0, np.deg2rad(8.0), (count, 20))).float()
    near = clamp_to_ranges(posture + noise)
    middle = 0.5 * ANGLE_RANGES.sum(1)
    half = 0.5 * (ANGLE_RANGES[:, 1] - ANGLE_RANGES[:, 0])
    raw = torch.atanh(((near - middle) / half).clamp(-0.97, 0.97)).requires_grad_()
    contacts = list(kind.contacts)
    optimizer = torch.optim.Adam([{"params": [raw], "lr": _RATE}, {"params": [shift], "lr": 5e-4}])
    with torch.enable_grad():
        for _ in range(_STEPS):
            angles = middle + half * torch.tanh(raw)
            points = own_bones(rotations_in_wrist(hand.rotations(angles)))
            gaps = distance(points - (center + shift).unsqueeze(1)) - _PULP_M
            fingers = torch.unflatten(angles, -1, (5, 4))[:, 1:]
            cost = (
                (gaps[:, contacts] / 0.003).square().sum()
                + (gaps.clamp_max(0.0) / 0.002).square().sum()
                + (shift / _CENTER_FREEDOM_M).square().sum()
                + 0.5 * ((angles - near) / 0.25).square().sum()
                + ((fingers[..., 3] - fingers[..., 2] * (2.0 / 3.0)) / 0.25).square().sum()
            )
            optimizer.zero_grad()
            cost.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    worst = gaps[:, contacts].abs().amax(-1)
    inside = gaps.amin(-1)
    good = (worst < _LARGEST_GAP_M) & (inside > -_LARGEST_GAP_M)
    return angles.detach()[good].double().numpy()


def _individual_bones(bones: FingerBones, count: int, rng: np.random.Generator) -> FingerBones:
    """As many hands: fingers differ in length, together and one by one, by a few percent as people's do."""
    length = rng.normal(1.0, 0.04, (count, 1, 1)) + rng.normal(0.0, 0.03, (count, NUM_FINGERS, 1))
    scale = torch.from_numpy(np.repeat(length, CHAIN_LENGTH, axis=1)).float()
    return FingerBones(bones.bases.expand(count, -1, -1), bones.bones * scale)


def _random_objects(
    bases: Tensor, kind: GraspKind, count: int, rng: np.random.Generator
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Centres [n, 3] of objects, and the signed distance [n, P] of points [n, P, 3] seen from them [m]."""

    def draw(bounds: tuple[float, float]) -> Tensor:
        return torch.from_numpy(rng.uniform(*bounds, count)).to(bases.dtype)

    knuckle = bases[1]  # middle
    forward = knuckle / knuckle.norm()
    palm = torch.tensor([0.0, -1.0, 0.0])
    across = torch.linalg.cross(palm, forward)
    radius = draw(kind.radius_m)
    sideways = torch.from_numpy(rng.normal(0.0, 0.006, count)).to(bases.dtype)
    touching = [bone // CHAIN_LENGTH for bone in kind.contacts if bone != _TIPS["thumb"]]
    contact = bases[touching].mean(0)
    lateral = (contact * across).sum() + sideways
    center = (
        forward * (knuckle.norm() * draw(kind.reach)).unsqueeze(-1)
        + across * lateral.unsqueeze(-1)
        + palm * (radius + draw(kind.center_m)).unsqueeze(-1)
    )
    # Cylinders lie across the palm, turned a little in its plane and out of it, as handles do.
    turn, lift = draw((-0.5, 0.35)), draw((-0.15, 0.15))
    axis = torch.nn.functional.normalize(across + forward * turn.unsqueeze(-1) + palm * lift.unsqueeze(-1), dim=-1)
    half = kind.length * radius

    def distance(offset: Tensor) -> Tensor:
        along = (offset * axis.unsqueeze(1)).sum(-1)
        along = torch.minimum(torch.maximum(along, -half.unsqueeze(-1)), half.unsqueeze(-1))
        beside: Tensor = offset - along.unsqueeze(-1) * axis.unsqueeze(1)
        gap: Tensor = torch.linalg.vector_norm(beside, dim=-1) - radius.unsqueeze(-1)
        return gap

    return center, distance
