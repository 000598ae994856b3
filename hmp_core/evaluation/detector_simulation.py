# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations that perception would have made of a hand whose truth is known, hidden joints included.

Nothing in an observation says which joints are hidden: their points are false, their sigmas those that the product
states in such a case. The initializer is the real one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from scipy.special import ndtr

from hmp_core.camera import Camera
from hmp_core.evaluation.detector_model import (
    COMMON,
    HALF,
    KEYPOINT,
    KEYPOINT_SIGMA,
    KINDS,
    LANDMARK,
    LANDMARK_SIGMA,
    LEVELS,
    NUMBERS,
    PLACES,
    RATE_HZ,
    REFERENCE_HAND_M,
    STATES,
    DetectorModel,
    error_size,
    joint_states,
)
from hmp_core.evaluation.true_crop import true_crop
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import MIDDLE_MCP, WRIST, Side
from hmp_core.observation import FrameObservation, HandObservation
from hmp_core.perception.keypoint_model import KEYPOINTS_FROM_JOINTS
from hmp_core.perception.pipeline import PoseInitializer
from hmp_core.perception.roi import roi_from_landmarks

_BLANK: Final = np.zeros((1, 1, 3), dtype=np.uint8)
_JITTER: Final = 1e-6
_BURST_SPREAD: Final = 1.0
_BURST_S: Final = 0.15
_LARGEST_BURST: Final = 4.0
"""What is new in an image comes in bursts: its scale, one for all numbers of an image, is log-normal, with this
spread of the logarithm, and fades exponentially with this time [s]; scales end at the largest."""
_FEWEST_INSIDE: Final = 5
"""Keypoints inside the image below which the tracker gives a hand up."""


@dataclass(frozen=True)
class TrueHand:
    """A right hand over time, as nobody but the judge knows it.

    Attributes:
        times_s: [T] from 0, increasing.
        joints: [T, 21, 3] camera frame [m].
        hidden: [T, 21] behind something, or outside of the image.
        camera: that looks at it.
    """

    times_s: NDArray[np.float64]
    joints: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    camera: Camera


class DetectorSimulation:
    """Sees hands with the errors of a :class:`DetectorModel`.

    Args:
        model: the measured figures.
        initializer: gives each observation its pose.
    """

    def __init__(self, model: DetectorModel, initializer: PoseInitializer) -> None:
        self._model = model
        self._initializer = initializer
        self._factor = np.linalg.cholesky(model.correlation.astype(np.float64) + 1e-3 * np.eye(NUMBERS))

    def observe(self, hand: TrueHand, rng: np.random.Generator) -> list[FrameObservation]:
        """What perception says of each image [T]; images in which the hand is not found are empty."""
        model, count = self._model, len(hand.times_s)
        states = joint_states(hand.hidden)
        numbers = self._numbers(hand, rng)
        seen = self._seen(hand, rng)
        crops = [true_crop(joints, hand.camera) for joints in hand.joints]
        size = np.linalg.norm(hand.joints[0, MIDDLE_MCP] - hand.joints[0, WRIST])
        points = np.stack(
            [(joints - joints[WRIST]) @ crop.R_camera_crop for joints, crop in zip(hand.joints, crops, strict=True)]
        ) * (REFERENCE_HAND_M / size)

        places = np.stack(
            [
                crop.from_image(hand.camera.project(KEYPOINTS_FROM_JOINTS @ joints))
                for joints, crop in zip(hand.joints, crops, strict=True)
            ]
        )
        said, said_3d = model.said(places, points)
        average, average_3d = model.keypoint_average, model.landmark_average
        error = self._errors(numbers[:, KEYPOINT].reshape(count, -1, 2), states, model.keypoint_quantiles)
        error_3d = np.zeros_like(points)
        beyond = numbers[:, LANDMARK].reshape(count, -1, 3)
        error_3d[:, 1:] = self._errors(beyond, states[:, 1:], model.landmark_quantiles)
        sigma, sigma_3d = (
            np.exp(
                table[0][states, PLACES]
                + table[1][states, PLACES] * np.clip(numbers[:, where], -3, 3)
                + slope[states] * error_size(errors)
            )
            for table, slope, errors, where in (
                (model.keypoint_sigma, model.keypoint_candour, error, KEYPOINT_SIGMA),
                (model.landmark_sigma, model.landmark_candour, error_3d, LANDMARK_SIGMA),
            )
        )
        error *= model.keypoint_scale[states, PLACES][..., None]
        error_3d *= model.landmark_scale[states, PLACES][..., None]
        keypoints = average + model.keypoint_shrink[states, PLACES][..., None] * (said - average) + error
        landmarks = (
            average_3d + model.landmark_shrink[states, PLACES][..., None] * (said_3d - average_3d) + error_3d
        )
        landmarks = self._with_common_part(landmarks, numbers[:, COMMON], hand.hidden)

        share = hand.hidden.mean(axis=1)
        presence = model.presence[np.where(share == 0, 0, np.where(share < HALF, 1, 2))]
        frames, roi = [], None
        for index in range(count):
            stamp_ns = 1 + round(1e9 * hand.times_s[index])
            hands: tuple[HandObservation, ...] = ()
            pixels = crops[index].to_image(keypoints[index])
            inside = hand.camera.contains(pixels)
            if seen[index] and np.count_nonzero(inside) >= _FEWEST_INSIDE:
                observation = HandObservation(
                    track_id=0,
                    side=Side.RIGHT,
                    side_score=1.0,
                    presence=float(presence[index]),
                    roi=crops[index].roi if roi is None else roi,
                    keypoints_px=pixels,
                    keypoint_sigma_px=np.where(inside, sigma[index] * crops[index].roi.size_px, np.inf),
                    landmarks_m=landmarks[index] @ crops[index].R_camera_crop.T,
                    landmark_sigma_m=np.where(inside, sigma_3d[index], np.inf),
                )
                roi = roi_from_landmarks(pixels)
                hands = (self._initializer.observe(Frame(_BLANK, stamp_ns, hand.camera), observation),)
            else:
                roi = None
            frames.append(FrameObservation(stamp_ns, hand.camera, hands))
        return frames

    def _numbers(self, hand: TrueHand, rng: np.random.Generator) -> NDArray[np.float64]:
        """Normal numbers [T, 148], correlated with each other and over time as measured."""
        count = len(hand.times_s)
        stays, slow, fresh = (rng.normal(size=(rows, NUMBERS)) @ self._factor.T for rows in (1, count, count))
        covered = hand.hidden.any(axis=1).astype(int)
        steps = np.diff(hand.times_s, prepend=hand.times_s[0])
        fresh *= _bursts(steps, rng)[:, None]
        numbers = np.empty_like(slow)
        for row, kind in enumerate(KINDS):
            constant, fading, tau = self._model.persistence[covered, row].astype(np.float64).T
            # Errors change faster under cover: time itself runs faster there.
            passed = np.cumsum(steps / tau)
            apart = np.abs(passed[:, None] - passed)
            kernel = (1 + apart) * np.exp(-apart) + _JITTER * np.eye(count)
            course = np.linalg.cholesky(kernel) @ slow[:, kind]
            fixed, faded, rest = (
                np.sqrt(np.maximum(share, 0.0))[:, None] for share in (constant, fading, 1 - constant - fading)
            )
            numbers[:, kind] = fixed * stays[:, kind] + faded * course + rest * fresh[:, kind]
        return numbers

    @staticmethod
    def _errors(
        numbers: NDArray[np.float64], states: NDArray[np.int64], quantiles: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Errors [T, J, D] by the tables of the joints' states [T, J]."""
        level, errors = ndtr(numbers), np.empty_like(numbers)
        for state in range(STATES):
            chosen = states == state
            errors[chosen] = np.interp(level[chosen], LEVELS, quantiles[state])
        return errors

    def _with_common_part(
        self, landmarks: NDArray[np.float64], numbers: NDArray[np.float64], hidden: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Landmarks [T, 21, 3] turned and scaled as a whole."""
        share = hidden.mean(axis=1)
        cover = np.where(share == 0, 0, np.where(share < HALF, 1, 2))
        level, common = ndtr(numbers), np.empty_like(numbers)
        for axis in range(numbers.shape[1]):
            for some in range(3):
                table = self._model.common_quantiles[some, axis]
                common[cover == some, axis] = np.interp(level[cover == some, axis], LEVELS, table)
        turn = Rotation.from_rotvec(common[:, :3]).as_matrix()
        turned = np.exp(common[:, 3, None, None]) * (landmarks @ turn.swapaxes(1, 2))
        return np.asarray(turned - turned[:, :1])

    def _seen(self, hand: TrueHand, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Whether the hand is found, image by image [T]."""
        model, share = self._model, hand.hidden.mean(axis=1)
        images = np.diff(hand.times_s, prepend=hand.times_s[0] - 1 / RATE_HZ) * RATE_HZ
        lose, find = (
            1 - (1 - np.interp(share, model.cover, chance)) ** images for chance in (model.lose, model.find)
        )
        drawn, seen = rng.random(len(images)), np.empty(len(images), dtype=bool)
        now = True
        for index, number in enumerate(drawn):
            now = bool(number >= lose[index]) if now else bool(number < find[index])
            seen[index] = now
        return seen


def _bursts(steps_s: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Scales [T] of what is new in each image, of unit mean square."""
    kept = np.exp(-steps_s / _BURST_S)
    level = rng.normal(size=len(steps_s))
    for index in range(1, len(level)):
        level[index] = kept[index] * level[index - 1] + np.sqrt(1 - kept[index] ** 2) * level[index]
    return np.asarray(np.minimum(np.exp(_BURST_SPREAD * level - _BURST_SPREAD**2), _LARGEST_BURST))
