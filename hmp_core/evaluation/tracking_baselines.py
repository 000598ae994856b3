# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Methods without a motion model of hands, that the fitter has to beat, all from the same observations and sigmas.

A hand is its wrist's place and orientation, filtered in the camera frame, and its joints in the wrist's axes (or
finger rotations): errors of the two then do not mix, and fingers that are not seen follow the wrist. Perception
states how far each joint is to be trusted and never which one is hidden; methods that know only seen and unseen
take as unseen what is worse than a tuned sigma.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

from hmp_core.evaluation.kalman import Course, kalman_filter, rts_smooth
from hmp_core.evaluation.one_euro import OneEuroParameters, one_euro
from hmp_core.evaluation.pose_mixture import PoseMixture
from hmp_core.evaluation.tracked_hand import PALM_M, TrackedHand
from hmp_core.hand.skeleton import BONE_ENDS

Array = NDArray[np.float64]
Baseline = Callable[[TrackedHand], Array]

_UNTRUSTED_M: Final = 0.1
_FIRST_SPEED_M_S: Final = 0.3
_FIRST_TURN_RAD_S: Final = 2.0


@dataclass(frozen=True)
class TrustParameters:
    """Sigmas beyond which a joint, and the palm, count as unseen [m]."""

    joint_m: float
    palm_m: float


@dataclass(frozen=True)
class KalmanParameters:
    """Pushes on the velocities over the scale of the stated sigmas.

    Attributes:
        fingers, wrist: [m/s per root second]; ``turn``: [rad/s per root second].
        fading_s: time constant of all velocities; inf for constant velocity.
        power: of a sigma's ratio to 0.01 m; above 1 trusts bad evidence less than stated.
        trust: sigmas beyond which there is no measurement.
    """

    fingers: float
    wrist: float
    turn: float
    fading_s: float
    power: float
    trust: TrustParameters


@dataclass(frozen=True)
class PoseParameters:
    """Of the per-frame pose models.

    Attributes:
        scale: of the stated sigmas.
        memory_rad: how far a finger rotation is thought to go from one image to the next: the last output is a
            measurement with this sigma.
        palm_m: sigma beyond which the palm counts as unseen [m].
    """

    scale: float
    memory_rad: float
    palm_m: float


@dataclass(frozen=True)
class TrackingParameters:
    """What ``tools/tune_tracking_baselines.py`` found on motion of its own; the defaults are its result."""

    hold: TrustParameters = field(default=TrustParameters(0.032, 0.0144))
    slerp: TrustParameters = field(default=TrustParameters(0.0128, 0.0144))
    one_euro_trust: TrustParameters = field(default=TrustParameters(0.0288, 0.0125))
    one_euro_fingers: OneEuroParameters = field(default=OneEuroParameters(1.5625, 0.8, 0.25))
    one_euro_wrist: OneEuroParameters = field(default=OneEuroParameters(1.0, 10.0))
    one_euro_turn: OneEuroParameters = field(default=OneEuroParameters(4.0, 0.5))
    kalman: KalmanParameters = field(
        default=KalmanParameters(0.15, 0.5, 2.34375, 0.125, 1.5, TrustParameters(0.03, 0.0144))
    )
    kalman_rts: KalmanParameters = field(
        default=KalmanParameters(0.15, 0.5, 2.34375, 0.125, 1.5, TrustParameters(0.03, 0.0144))
    )
    pca: PoseParameters = field(default=PoseParameters(0.25, 0.078125, 0.0144))
    gmm: PoseParameters = field(default=PoseParameters(0.25, 0.078125, 0.0144))


def baselines(parameters: TrackingParameters, mixtures: Mapping[str, PoseMixture]) -> dict[str, Baseline]:
    """Every baseline by name: from a tracked hand to joints [T, 21, 3] in the camera frame [m]."""
    return {
        "detector": lambda hand: hand.detected,
        "initializer": lambda hand: hand.joints,
        "hold": lambda hand: hold(hand, parameters.hold),
        "slerp": lambda hand: slerp(hand, parameters.slerp),
        "one_euro": lambda hand: euro(hand, parameters),
        "kalman": lambda hand: kalman(hand, parameters.kalman, smooth=False),
        "kalman_rts": lambda hand: kalman(hand, parameters.kalman_rts, smooth=True),
        "pca": lambda hand: pose_prior(hand, parameters.pca, mixtures["pca"]),
        "gmm": lambda hand: pose_prior(hand, parameters.gmm, mixtures["gmm"]),
    }


def hold(hand: TrackedHand, trust: TrustParameters) -> Array:
    """Every joint in the wrist's axes, and the wrist, as last trusted."""
    palm = _last_true(hand.palm_sigma < trust.palm_m)
    joint = _last_true(hand.sigma[:, 1:] < trust.joint_m)
    local = np.take_along_axis(hand.local, joint[..., None], axis=0)
    return hand.assemble(hand.wrist[palm], hand.turn[palm], local)


def slerp(hand: TrackedHand, trust: TrustParameters) -> Array:
    """Rotations turn evenly from the last to the next trusted one, the wrist moves in a line; knows the future."""
    palm = hand.palm_sigma < trust.palm_m
    betas = np.broadcast_to(hand.betas[hand.seen].mean(axis=0), hand.betas.shape)
    wrist = np.stack([_linear(hand.times_s, hand.wrist[:, axis], palm) for axis in range(3)], axis=1)
    fingers = np.empty_like(hand.fingers)
    ends = hand.sigma[:, BONE_ENDS] < trust.joint_m
    for joint in range(fingers.shape[1]):
        fingers[:, joint] = _slerp(hand.times_s, hand.fingers[:, joint], ends[:, joint])
    return hand.pose(wrist, _slerp(hand.times_s, hand.turn, palm), fingers, betas.copy())


def euro(hand: TrackedHand, parameters: TrackingParameters) -> Array:
    """One-Euro filters on the wrist's place, its rotation vector and the joints in its axes."""
    trust = parameters.one_euro_trust
    palm = np.repeat((hand.palm_sigma < trust.palm_m)[:, None], 3, axis=1)
    joint = np.repeat(hand.sigma[:, 1:] < trust.joint_m, 3, axis=1)
    count = len(hand.times_s)
    filtered = [
        one_euro(hand.times_s, values, _from_the_start(seen), settings)
        for values, seen, settings in (
            (hand.wrist, palm, parameters.one_euro_wrist),
            (hand.turn, palm, parameters.one_euro_turn),
            (hand.local.reshape(count, -1), joint, parameters.one_euro_fingers),
        )
    ]
    return hand.assemble(filtered[0], filtered[1], filtered[2].reshape(count, 20, 3))


def kalman(hand: TrackedHand, parameters: KalmanParameters, smooth: bool) -> Array:
    """Kalman filters of the same numbers, or with the smoother that knows the future."""
    count = len(hand.times_s)

    def trusted(sigma: Array, limit_m: float) -> Array:
        weighed = np.where(sigma < limit_m, sigma * (sigma / 0.01) ** (parameters.power - 1), np.inf)
        # There is always a first value, however bad.
        weighed[0] = np.where(np.isfinite(weighed[0]), weighed[0], _UNTRUSTED_M)
        return np.asarray(weighed)

    def run(values: Array, sigma: Array, push: float, speed: float) -> Array:
        channels = values.shape[1]
        course: Course = kalman_filter(
            hand.times_s, values, sigma, np.full(channels, push), parameters.fading_s, np.full(channels, speed)
        )
        return rts_smooth(course)[..., 0] if smooth else course.mean[..., 0]

    palm = np.repeat(trusted(hand.palm_sigma, parameters.trust.palm_m)[:, None], 3, axis=1)
    wrist = run(hand.wrist, palm, parameters.wrist, _FIRST_SPEED_M_S)
    turn = run(hand.turn, palm / PALM_M, parameters.turn, _FIRST_TURN_RAD_S)
    joint = np.repeat(trusted(hand.sigma[:, 1:], parameters.trust.joint_m), 3, axis=1)
    local = run(hand.local.reshape(count, -1), joint, parameters.fingers, _FIRST_SPEED_M_S)
    return hand.assemble(wrist, turn, local.reshape(count, 20, 3))


def pose_prior(hand: TrackedHand, parameters: PoseParameters, mixture: PoseMixture) -> Array:
    """The likeliest pose of each image given the initializer's, its sigmas and the last output; causal."""
    palm = _last_true(hand.palm_sigma < parameters.palm_m)
    sigma = np.repeat(parameters.scale * hand.finger_sigma, 3, axis=1)
    measured = hand.fingers.reshape(len(sigma), -1)
    poses = np.empty_like(measured)
    for index in range(len(poses)):
        if index == 0:
            poses[index] = mixture.given(measured[index], sigma[index])
            continue
        # The last output and the new measurement, as one with the precision of both.
        precision, memory = sigma[index] ** -2, parameters.memory_rad**-2
        both = (precision * measured[index] + memory * poses[index - 1]) / (precision + memory)
        poses[index] = mixture.given(both, (precision + memory) ** -0.5)
    number = np.cumsum(hand.seen)
    betas = np.cumsum(hand.betas * hand.seen[:, None], axis=0) / np.maximum(number, 1)[:, None]
    betas = np.where((number > 0)[:, None], betas, hand.betas)
    return hand.pose(hand.wrist[palm], hand.turn[palm], poses.reshape(len(poses), -1, 3), betas)


def _last_true(seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Row [T, ...] of the last true entry of each column, of the first row before there is one."""
    rows = np.arange(len(seen)).reshape(-1, *([1] * (seen.ndim - 1)))
    last = np.maximum.accumulate(np.where(seen, rows, -1), axis=0)
    return np.asarray(np.maximum(last, 0))


def _from_the_start(seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The same with the first row true, so that there is always something to give."""
    started = seen.copy()
    started[0] = True
    return started


def _linear(times_s: Array, values: Array, seen: NDArray[np.bool_]) -> Array:
    return values if not seen.any() else np.interp(times_s, times_s[seen], values[seen])


def _slerp(times_s: Array, vectors: Array, seen: NDArray[np.bool_]) -> Array:
    """Rotation vectors [T, 3] through those seen; beyond them they stay."""
    if np.count_nonzero(seen) < 2:
        return vectors
    inside = np.clip(times_s, times_s[seen][0], times_s[seen][-1])
    return np.asarray(Slerp(times_s[seen], Rotation.from_rotvec(vectors[seen]))(inside).as_rotvec())
