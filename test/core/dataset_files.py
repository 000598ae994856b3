# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Miniature data sets in the layouts of HO-3D and DexYCB: a rendered hand, and a board in front of its fingers."""

import pickle
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import torch
import yaml
from mano_pickle import VERTICES, write
from rendered_hand import CAMERA, Placed, render_clip, rotation_vectors
from rendered_hand import pose as pose_of
from scipy.spatial.transform import Rotation

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import PUBLIC_FROM_MANO, Side

FRAMES = 24
COVERED = range(10, 17)
"""Frames in which a board is in front of the fingers."""
BOARD = (slice(60, 262), slice(150, 520))
OPENGL = np.diag([1.0, -1.0, -1.0])
HO3D_TIPS = (744, 320, 443, 554, 671)
"""Thumb to pinky."""
MANOPTH_TIPS = (745, 317, 444, 556, 673)


@dataclass(frozen=True)
class Film:
    """A clip and all that is true of it.

    Attributes:
        images: BGR.
        labels: [T, 480, 640] 0 background, 1 hand, 2 thing.
        joints: [T, 21, 3] public order, optical frame, of the open hand.
        vectors, translation: [T, 16, 3] and [T, 3] MANO parameters, optical frame.
    """

    side: Side
    images: list
    labels: np.ndarray
    joints: np.ndarray
    vectors: np.ndarray
    translation: np.ndarray


@cache
def film(side=Side.RIGHT):
    images, labels, joints, vectors, translation = [], [], [], [], []
    rest = HandKinematics(model_of(side), torch.float64).rest_wrist(torch.zeros(10).double()).numpy()
    course = [
        Placed(
            side,
            position=(0.02 * np.sin(index / 5), 0.08, 0.45),
            turn=(0.1 * np.sin(index / 7), 0.15 * np.sin(index / 6), 0.0),
            curl=0.35 - 0.3 * np.cos(index / 4),
        )
        for index in range(FRAMES)
    ]
    for index, (hand, (image, truth)) in enumerate(zip(course, render_clip(course), strict=True)):
        label = np.zeros(image.shape[:2], np.uint8)
        hull = cv2.convexHull(CAMERA.project(pose_of(hand)[0]).astype(np.int32))
        cv2.fillConvexPoly(label, hull, 1)
        if index in COVERED:
            image[BOARD], label[BOARD] = (60, 90, 40), 2
        images.append(image)
        labels.append(label)
        joints.append(truth)
        vectors.append(rotation_vectors(hand))
        translation.append(np.array(hand.position) - rest)
    return Film(side, images, np.stack(labels), *(np.stack(part) for part in (joints, vectors, translation)))


@cache
def model_of(side):
    model = load_hand_model()
    return model if side is Side.RIGHT else model.mirrored()


def mano_like_fields():
    """The open hand cut down to MANO's number of vertices: same joints, same skin, none of MANO's data."""
    hand = load_hand_model()
    rng = np.random.default_rng(5)
    keep = np.sort(rng.choice(len(hand.v_template), VERTICES, replace=False))
    near = [np.argsort(np.linalg.norm(hand.v_template - hand.v_template[tip], axis=1)) for tip in hand.tip_vertices]
    keep[list(MANOPTH_TIPS)] = [order[0] for order in near]
    keep[list(HO3D_TIPS)] = [order[40] for order in near]  # elsewhere on the same fingertips
    everything = np.concatenate([hand.shapedirs, hand.v_template[..., None]], axis=2)
    joints = np.einsum("jv,vab->jab", hand.J_regressor, everything).reshape(16, -1)
    regressor = np.linalg.lstsq(everything[keep].reshape(VERTICES, -1).T, joints.T, rcond=None)[0].T
    basis = np.linalg.qr(rng.normal(size=(45, 45)))[0]
    return {
        "v_template": hand.v_template[keep],
        "shapedirs": hand.shapedirs[keep],
        "posedirs": np.zeros((VERTICES, 3, 135)),
        "J_regressor": regressor,
        "weights": hand.weights[keep],
        "f": np.arange(VERTICES - 1).reshape(-1, 3)[: VERTICES // 3].astype(np.uint32),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14], range(16)]),
        "hands_mean": 0.1 * rng.normal(size=45),
        "hands_components": basis,
    }


def write_mano(path):
    write(path, mano_like_fields(), protocol=4, chumpy=False)
    return path


def mano_joints(clip, tips):
    """The film's joints [T, 21, 3] as MANO with these tips has them, optical frame."""
    fields = mano_like_fields()
    hand = load_hand_model()
    small = replace(
        hand,
        v_template=fields["v_template"],
        shapedirs=fields["shapedirs"],
        posedirs=fields["posedirs"],
        J_regressor=fields["J_regressor"],
        weights=fields["weights"],
        faces=fields["f"].astype(np.int64),
        tip_vertices=np.array(tips),
    )
    rotations = torch.from_numpy(
        Rotation.from_rotvec(clip.vectors.reshape(-1, 3)).as_matrix().reshape(-1, 16, 3, 3)
    )
    kinematics = HandKinematics(small, torch.float64)
    betas = torch.zeros(10).double()
    return kinematics.joints(rotations, betas, torch.from_numpy(clip.translation)).numpy()


def ho3d_meta(clip, index, joints):
    """One training annotation, as the data set's README lists its fields."""
    rest = HandKinematics(load_hand_model(), torch.float64).rest_wrist(torch.zeros(10).double()).numpy()
    vectors = clip.vectors[index].copy()
    vectors[0] = Rotation.from_matrix(OPENGL @ Rotation.from_rotvec(vectors[0]).as_matrix()).as_rotvec()
    unused = np.zeros(3)
    return {
        "handPose": vectors.ravel(),
        "handBeta": np.zeros(10),
        "handTrans": OPENGL @ (clip.translation[index] + rest) - rest,
        "handJoints3D": joints[index][np.argsort(PUBLIC_FROM_MANO)] @ OPENGL,
        "camMat": CAMERA.matrix,
        "objTrans": unused,
        "objRot": unused[:, None],
        "objCorners3D": np.zeros((8, 3)),
        "objName": "003_cracker_box",
        "objLabel": np.int64(3),
        "camIDList": ["0", "1"],
        "handVertContact": np.zeros(778, bool),
    }


def write_ho3d(root, sequences=("ABF10",), joints=None):
    """A training split; the first two frames of each sequence are in no list and have no labels."""
    clip = film()
    joints = clip.joints if joints is None else joints
    lines = []
    for name in sequences:
        folder = root / "train" / name
        segmentations = root / "HO3D_v3_segmentations_rendered" / "train" / name / "seg"
        for path in (folder / "rgb", folder / "meta", segmentations):
            path.mkdir(parents=True)
        for index, image in enumerate(clip.images):
            meta = ho3d_meta(clip, index, joints)
            if index < 2:
                meta = dict.fromkeys(meta)
            else:
                lines.append(f"{name}/{index:04d}")
                label = clip.labels[index, ::4, ::4]
                drawn = np.stack([255 * (label == 1), 255 * (label == 2), 0 * label], axis=-1)
                cv2.imwrite(str(segmentations / f"{index:04d}.png"), drawn.astype(np.uint8))
            cv2.imwrite(str(folder / "rgb" / f"{index:04d}.jpg"), image)
            (folder / "meta" / f"{index:04d}.pkl").write_bytes(pickle.dumps(meta, protocol=2 + 2 * (index % 2)))
    (root / "train.txt").write_text("\n".join(lines) + "\n")
    return root


def write_ho3d_evaluation(root, names=("SM1", "AP10"), frames=FRAMES):
    """An evaluation split that lists its sequences in an order of its own."""
    clip = film()
    lines = [f"{name}/{index:04d}" for name in names for index in range(frames)]
    for name in names:
        folder = root / "evaluation" / name
        for path in (folder / "rgb", folder / "meta"):
            path.mkdir(parents=True)
        for index, image in enumerate(clip.images[:frames]):
            cv2.imwrite(str(folder / "rgb" / f"{index:04d}.jpg"), image)
            meta = {
                "handJoints3D": OPENGL @ clip.joints[index, 0],
                "handBoundingBox": [200, 100, 400, 400],
                "camMat": CAMERA.matrix,
                "objTrans": np.zeros(3),
            }
            (folder / "meta" / f"{index:04d}.pkl").write_bytes(pickle.dumps(meta, protocol=2))
    (root / "evaluation.txt").write_text("\n".join(lines))
    return root


SUBJECT, SERIAL = "20200820-subject-03", "841412060263"


def write_dexycb(root, side=Side.RIGHT, recording="20200820_135508", fields=None):
    """One view of one recording; the last frame but one has no joints, the last no hand in its mask."""
    clip = film(side)
    folder = root / SUBJECT / recording / SERIAL
    folder.mkdir(parents=True)
    meta = {
        "serials": [SERIAL],
        "num_frames": FRAMES,
        "ycb_ids": [1, 11],
        "ycb_grasp_ind": 0,
        "mano_sides": [side.value],
        "mano_calib": ["20200820-subject-03_right"],
    }
    (folder.parent / "meta.yml").write_text(yaml.safe_dump(meta))
    intrinsics = {"fx": CAMERA.fx, "fy": CAMERA.fy, "ppx": CAMERA.cx, "ppy": CAMERA.cy}
    for path, content in {
        f"intrinsics/{SERIAL}_640x480.yml": {"color": intrinsics, "depth": dict.fromkeys(intrinsics, 0.0)},
        "mano_20200820-subject-03_right/mano.yml": {"betas": [0.0] * 10},
    }.items():
        (root / "calibration" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "calibration" / path).write_text(yaml.safe_dump(content))
    joints = clip.joints if fields is None else mano_joints(clip, MANOPTH_TIPS)
    for index, image in enumerate(clip.images):
        cv2.imwrite(str(folder / f"color_{index:06d}.jpg"), image)
        seg = np.array([0, 255, 11], np.uint8)[clip.labels[index]]
        pose_m = np.zeros((1, 51), np.float32)
        if fields is not None:
            fingers = clip.vectors[index, 1:].ravel() - fields["hands_mean"]
            pose_m[0] = np.concatenate(
                [clip.vectors[index, 0], fingers @ fields["hands_components"].T, clip.translation[index]]
            )
        truth = joints[index][None].astype(np.float32)
        if index == FRAMES - 2:
            truth, pose_m = np.full_like(truth, -1), 0 * pose_m
        if index == FRAMES - 1:
            seg[seg == 255] = 0
        np.savez_compressed(
            folder / f"labels_{index:06d}.npz",
            seg=seg,
            pose_y=np.zeros((2, 3, 4), np.float32),
            pose_m=pose_m,
            joint_3d=truth,
            joint_2d=CAMERA.project(truth).astype(np.float32),
        )
    return root
