# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the real detector's errors are like, as measured numbers.

The numbers come from ``tools/measure_detector.py``: rendered hands behind things that pass, seen by the product's
own perception at 30 Hz, with exact truth. What is modelled, and how:

* What the network says of a hand in plain sight is the truth (keypoints as
  :mod:`~hmp_core.perception.keypoint_model` defines them) and a bias of every joint that is linear in the first
  components of the hand's true shape in its crop, by ridge regression; depth told too flat is in it.
* A joint's *state* is whether it is hidden, and what share of the hand is. Under cover the network says less of the
  truth: its word is shrunk towards its average by a factor for each state and place in the finger. It invents the
  rest, and says it with confidence: the error that is left does not follow the joint's true motion.
* How large errors are is a table of quantiles for each state, with a scale for each state and place. What sigma the
  product states for a joint in that image follows from the error by a regression of its logarithm on that of the
  error: the slope says how candid it is.
* The rotation and the scale of the landmarks that all joints share have tables of their own.
* All of these numbers, made normal by their tables, are correlated among each other (one matrix) and over time: a
  part stays for the whole sequence, a part fades exponentially, the rest is new in every image. That rest is
  measured by second differences, and comes in bursts: calm images and restless ones follow each other.
* Whether the hand is seen at all is a Markov chain whose rates depend on the share that is hidden.

Measured on 21 scenes, 2,400 sightings. Under cover of more than half of the hand a fingertip's keypoint holds
0.41 of the truth and errs by 0.089 of the region's side per axis (in plain sight 0.024); of the sigma stated there
the error explains next to nothing (slope 0.03). Errors fade within 0.15 s in sight, 0.1 s under cover. In an image
the hand is lost with a chance of 0.02 where a third of it is hidden, 0.08 at a half, 0.14 at 0.7, 0.50 at 0.9.

Scenes seen by the real detector and, with the same truth, by the simulated one (7 scenes, means): initializer,
joints in sight 21.1 and 21.0 mm, hidden 42.9 and 36.5 mm, its acceleration error in sight 12.0 and 11.3
mm/frame^2, hidden 8.7 and 7.8; images with a hand 0.64 and 0.63. Second differences of errors in plain sight (21
scenes) have a median of 1.4 and 1.5 px, a mean of 2.5 and 2.5 and a 95th percentile of 7.8 and 8.0 at keypoints,
5.8 and 6.0 mm, 8.5 and 9.3, 25.5 and 29.3 at landmarks. Before there were bursts, which change no size of errors:
keypoints in sight 6.5 and 8.2 px, hidden 31.2 and 25.4 px; palm turned by 17.0 and 18.7 degrees; rank correlation
of sigma and error within a hand 0.47 and 0.44; keypoints within two sigmas 0.99 and 0.97, hidden 0.85 and 0.87.
Motion blur is in neither.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from hmp_core.assets import asset_path
from hmp_core.errors import AssetError
from hmp_core.hand.skeleton import FINGERS, NUM_JOINTS

SHIPPED_DETECTOR_MODEL: Final = "detector_model.safetensors"
MAKE_COMMAND: Final = "python tools/measure_detector.py"
RATE_HZ: Final = 30.0
"""Images a second while measuring; rates of the Markov chain belong to it."""
REFERENCE_HAND_M: Final = 0.09
"""Wrist to middle knuckle of the hand that landmarks are measured on: one camera does not see size."""
PLACES: Final = np.zeros(NUM_JOINTS, dtype=np.int64)
"""Place of each joint in its finger: 0 the wrist, 1 to 4 from base to tip."""
for _finger in FINGERS:
    PLACES[list(_finger)] = (1, 2, 3, 4)
STATES: Final = 5
HALF: Final = 0.5
LEVELS: Final = (np.arange(65) + 0.5) / 65
"""Where the tables hold quantiles."""
KEYPOINT, LANDMARK, COMMON, KEYPOINT_SIGMA, LANDMARK_SIGMA = (
    slice(0, 42), slice(42, 102), slice(102, 106), slice(106, 127), slice(127, 148),
)  # fmt: skip
"""Where the kinds of numbers lie in the vector of all of them."""
KINDS: Final = (KEYPOINT, LANDMARK, COMMON, KEYPOINT_SIGMA, LANDMARK_SIGMA)
NUMBERS: Final = 148
_FARTHEST: Final = 2.5
_LEAST_SIZE: Final = 0.3


def joint_states(hidden: NDArray[np.bool_]) -> NDArray[np.int64]:
    """States [..., 21]: 0 to 2 in sight with none, under half, or more of the hand hidden; 3, 4 hidden alike."""
    share = hidden.mean(axis=-1, keepdims=True)
    sight = np.where(share == 0, 0, np.where(share < HALF, 1, 2))
    return np.asarray(np.where(hidden, np.where(share < HALF, 3, 4), sight))


def error_size(error: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log size [...] of errors [..., D] over their scale; very small ones count alike."""
    return np.asarray(np.log(_LEAST_SIZE + np.linalg.norm(error, axis=-1)))


@dataclass(frozen=True)
class DetectorModel:
    """Measured figures; see the module. Crop units are fractions of the region's side, landmarks metres of a
    hand of ``REFERENCE_HAND_M``; both in crop axes (x right, y down, z away).

    Attributes:
        shape_mean, shape_axes: [60], [F, 60] features, of unit spread, of a hand's true points 1 to 20.
        keypoint_map, landmark_map: [1 + F, 42], [1 + F, 60] from features (after a one) to the bias.
        keypoint_average, landmark_average: [21, 2], [21, 3] what is said on average.
        keypoint_shrink, landmark_shrink: [5, 5] by state and place; 1 says the truth, 0 the average.
        keypoint_scale, landmark_scale: [5, 5] root mean square error per axis, by state and place.
        keypoint_quantiles, landmark_quantiles: [5, 65] of the errors over their scale, by state.
        common_quantiles: [3, 4, 65] of rotation vector [rad] and log scale, by share hidden (none, some, most).
        keypoint_sigma, landmark_sigma: [2, 5, 5] mean and spread of the log of the stated sigma (over region size;
            in metres), by state and place, beside what :func:`error_size` explains.
        keypoint_candour, landmark_candour: [5] slope of that on the error's size, by state.
        correlation: [148, 148] between all numbers of one image.
        persistence: [2, 5, 3] with nothing and something hidden, for each kind: share that stays for the sequence,
            share that fades as (1 + t / tau) exp(-t / tau), tau [s].
        presence: [3] mean presence by share hidden.
        cover: [B] middles of shares hidden; ``lose``, ``find``: [B] chances per image at 30 Hz.
    """

    shape_mean: NDArray[np.float32]
    shape_axes: NDArray[np.float32]
    keypoint_map: NDArray[np.float32]
    landmark_map: NDArray[np.float32]
    keypoint_average: NDArray[np.float32]
    landmark_average: NDArray[np.float32]
    keypoint_shrink: NDArray[np.float32]
    landmark_shrink: NDArray[np.float32]
    keypoint_scale: NDArray[np.float32]
    landmark_scale: NDArray[np.float32]
    keypoint_quantiles: NDArray[np.float32]
    landmark_quantiles: NDArray[np.float32]
    common_quantiles: NDArray[np.float32]
    keypoint_sigma: NDArray[np.float32]
    landmark_sigma: NDArray[np.float32]
    keypoint_candour: NDArray[np.float32]
    landmark_candour: NDArray[np.float32]
    correlation: NDArray[np.float32]
    persistence: NDArray[np.float32]
    presence: NDArray[np.float32]
    cover: NDArray[np.float32]
    lose: NDArray[np.float32]
    find: NDArray[np.float32]

    def said(
        self, keypoints: NDArray[np.float64], points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the network says of hands in plain sight: the truth and its bias.

        Args:
            keypoints: [T, 21, 2] true keypoints, as shares of the region.
            points: [T, 21, 3] true points relative to the wrist, crop axes, reference size [m].
        """
        features = (points[:, 1:].reshape(-1, 60) - self.shape_mean) @ self.shape_axes.T
        # Poses beyond those measured are told as the outermost of these.
        features = np.clip(features, -_FARTHEST, _FARTHEST)
        features = np.concatenate([np.ones((len(features), 1)), features], axis=1)
        landmarks = points.copy()
        landmarks[:, 1:] += (features @ self.landmark_map).reshape(-1, 20, 3)
        return keypoints + (features @ self.keypoint_map).reshape(-1, NUM_JOINTS, 2), landmarks


def save_detector_model(path: Path, model: DetectorModel) -> None:
    """Write the figures in half precision, which appear whole or not at all."""
    partial = path.with_suffix(".tmp")
    arrays = {item.name: np.ascontiguousarray(getattr(model, item.name), np.float16) for item in fields(model)}
    save_file(arrays, partial)
    partial.replace(path)


def load_detector_model(path: Path | None = None) -> DetectorModel:
    """Read the figures, by default those shipped.

    Raises:
        AssetError: missing, altered, or not such a file.
    """
    path = asset_path(SHIPPED_DETECTOR_MODEL) if path is None else path
    try:
        arrays = load_file(path)
        return DetectorModel(**{name: array.astype(np.float32) for name, array in arrays.items()})
    except (OSError, SafetensorError, TypeError) as error:
        raise AssetError(
            f"the detector's measured errors {path} cannot be used: {error}; make them with `{MAKE_COMMAND}`"
        ) from error
