# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network of the user's own that looks at the hand's picture, in the landmark initializer's place.

The file is an ONNX network of this signature, which exports of HMR-like regressors (HaMeR, WiLoR, PyMAF-X's hand
branch) have or get by a few added nodes. It only ever sees right hands: left ones are shown to it mirrored.

========== ================ ==========================================================================
name       shape            meaning
========== ================ ==========================================================================
image      [1, 3, S, S]     input: the region, RGB; float32 0 to 1, or uint8 0 to 255, as the file says
rotations  [1, 16, 3, 3]    MANO order, global orientation in the axes of the crop first
betas      [1, 10]          of the hand model that is in use
camera     [1, 3]           weak perspective (s, t_x, t_y): a joint (x, y) of the posed model, ``transl``
                            zero, lies at s (x + t_x, y + t_y), the crop's edges at -1 and 1
========== ================ ==========================================================================

Where the landmark network sees no hand, the projected joints serve as keypoints, with sigmas that say how rough
they are. No such network is shipped.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hmp_core.camera import Camera
from hmp_core.errors import AssetError
from hmp_core.frame import Frame
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.mirror import mirror_points, mirror_rotation_vector
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, WRIST, Side
from hmp_core.observation import HandObservation, ManoPose, Roi
from hmp_core.perception.landmark_frame import camera_from_crop
from hmp_core.perception.roi import crop_image, image_from_crop
from hmp_core.perception.root import solve_wrist_position
from hmp_core.perception.sessions import open_session

_OUTPUTS: Final = ("rotations", "betas", "camera")
_SHAPES: Final = ((1, NUM_MANO_JOINTS, 3, 3), (1, NUM_BETAS), (1, 3))
_KEYPOINT_SIGMA_OF_REGION: Final = 0.06
_LANDMARK_SIGMA_M: Final = 0.04


@dataclass(frozen=True)
class _CropHand:
    """What the network says about a region, for the hand's own side, in the crop's axes.

    Attributes:
        rotation_vectors: [16, 3]; betas: [10].
        joints: [21, 3], ``transl`` zero [m]; rest_wrist: [3] [m].
        keypoints: [21, 2] in the crop, its edges at -1 and 1.
    """

    rotation_vectors: NDArray[np.float64]
    betas: NDArray[np.float64]
    joints: NDArray[np.float64]
    rest_wrist: NDArray[np.float64]
    keypoints: NDArray[np.float64]


class ImageRegressor:
    """Completes observations from the picture.

    Args:
        path: the ONNX file.
        hand_model: right hand that the network's pose and betas are for.

    Raises:
        AssetError: the file is no ONNX network of the signature above.
    """

    def __init__(self, path: Path, hand_model: HandModel) -> None:
        self._session = open_session(path, ("image",), _OUTPUTS)
        image = self._session.get_inputs()[0]
        shape = image.shape
        square = len(shape) == 4 and shape[:2] == [1, 3] and isinstance(shape[2], int) and shape[2] == shape[3]
        if not square or image.type not in ("tensor(float)", "tensor(uint8)"):
            raise AssetError(f"{path}: image is {image.type} {shape}; it must be float or uint8 [1, 3, S, S]")
        self._size: int = shape[2]
        self._bytes = image.type == "tensor(uint8)"
        self._kinematics = HandKinematics(hand_model)

    def observe(self, frame: Frame, hand: HandObservation) -> HandObservation:
        """The observation with the network's pose; with its joints too where there is no other evidence."""
        if hand.side is None:
            return hand
        seen = self._look(frame.image, hand.roi, hand.side)
        if seen is None:
            return hand
        if np.isfinite(hand.keypoint_sigma_px).any():
            return replace(hand, initial=_pose(seen, hand, frame.camera))
        to_image = image_from_crop(hand.roi, self._size)
        keypoints = (seen.keypoints + 1) * (self._size / 2) @ to_image[:, :2].T + to_image[:, 2]
        relative = (seen.joints - seen.joints[WRIST]) @ camera_from_crop(hand.roi, frame.camera).T
        guessed = replace(
            hand,
            keypoints_px=keypoints,
            keypoint_sigma_px=np.full(NUM_JOINTS, _KEYPOINT_SIGMA_OF_REGION * hand.roi.size_px),
            landmarks_m=relative,
            landmark_sigma_m=np.full(NUM_JOINTS, _LANDMARK_SIGMA_M),
        )
        pose = _pose(seen, guessed, frame.camera)
        return hand if pose is None else replace(guessed, initial=pose)

    def _look(self, image: NDArray[np.uint8], roi: Roi, side: Side) -> _CropHand | None:
        """Run the network on a region; None when its answer is not finite or not of the promised shape."""
        crop = cv2.cvtColor(crop_image(image, roi, self._size), cv2.COLOR_BGR2RGB)
        if side is Side.LEFT:
            crop = crop[:, ::-1]
        planes = np.ascontiguousarray(crop.transpose(2, 0, 1)[None])
        fed = planes if self._bytes else planes.astype(np.float32) / 255
        outputs = self._session.run(list(_OUTPUTS), {"image": fed})
        fits = all(value.shape == shape for value, shape in zip(outputs, _SHAPES, strict=True))
        if not fits or not all(np.isfinite(value).all() for value in outputs) or outputs[2][0, 0] <= 0:
            return None
        rotations, betas, weak = (np.asarray(value[0], dtype=np.float64) for value in outputs)
        with torch.inference_mode():
            shape = torch.from_numpy(betas).float()
            turn = torch.from_numpy(rotations).float()[None]
            joints = self._kinematics.joints(turn, shape, torch.zeros(1, 3))[0].double().numpy()
            rest_wrist = self._kinematics.rest_wrist(shape).double().numpy()
        keypoints = weak[0] * (joints[:, :2] + weak[1:])
        vectors = Rotation.from_matrix(rotations).as_rotvec()
        if side is Side.LEFT:
            joints, rest_wrist, keypoints = (mirror_points(points) for points in (joints, rest_wrist, keypoints))
            vectors = mirror_rotation_vector(vectors)
        return _CropHand(vectors, betas, joints, rest_wrist, keypoints)


def _pose(seen: _CropHand, hand: HandObservation, camera: Camera) -> ManoPose | None:
    """The pose in the camera frame, its wrist where the keypoints' rays put it; None where they fix no place."""
    R_camera_crop = camera_from_crop(hand.roi, camera)
    relative = (seen.joints - seen.joints[WRIST]) @ R_camera_crop.T
    wrist = solve_wrist_position(relative, *camera.rays_and_sigmas(hand.keypoints_px, hand.keypoint_sigma_px))
    if wrist is None:
        return None
    vectors = seen.rotation_vectors.copy()
    vectors[0] = (Rotation.from_matrix(R_camera_crop) * Rotation.from_rotvec(vectors[0])).as_rotvec()
    return ManoPose(vectors, seen.betas, wrist.position - seen.rest_wrist)
