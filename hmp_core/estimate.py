# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the fitter concludes about a hand: the output, in the true camera frame, left hands as left hands."""

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import ManoPose


class HandStatus(IntEnum):
    """How a pose came about; values are those of ``ManoHand.msg``.

    A joint is observed when its evidence sigma is small (``FitterConfig.observed_sigma_m``). OBSERVED: at least
    18 such joints; PARTIAL: 1 to 17; INFILLED: none, the prior and the past speak; PREDICTED: ahead of the
    newest image; LOST: nothing seen for longer than the time-out, the pose is the last one, frozen.
    """

    UNKNOWN = 0
    OBSERVED = 1
    PARTIAL = 2
    INFILLED = 3
    PREDICTED = 4
    LOST = 5


@dataclass(frozen=True)
class WindowStatus:
    """How the window behind an estimate was solved.

    Attributes:
        track_id: the hand.
        first_stamp_ns, last_stamp_ns: span of the window.
        steps, steps_observed: time steps in it, and those with evidence.
        iterations: Gauss-Newton iterations spent.
        warm_started: False for the first solve of a track.
        converged: the last step was below the tolerance.
        initial_cost, final_cost: half the sum of weighted squared residuals.
        reprojection_rmse_px: of the predicted keypoints at the newest step, NaN without evidence [px].
    """

    track_id: int
    first_stamp_ns: int
    last_stamp_ns: int
    steps: int
    steps_observed: int
    iterations: int
    warm_started: bool
    converged: bool
    initial_cost: float
    final_cost: float
    reprojection_rmse_px: float


@dataclass(frozen=True)
class HandEstimate:
    """One hand at one instant.

    Attributes:
        track_id, side, side_score: as in the observation; the side is always decided.
        status: see :class:`HandStatus`.
        score: detector confidence at this stamp, 0 when nothing was seen.
        since_observed_ns: age of the newest image in which a joint was observed [ns].
        joints_camera: [21, 3] [m], public order.
        joint_stddev_m: [21] per axis, relative to the wrist [m]; -1 when unknown (LOST).
        joint_observed: [21] bool.
        mano: MANO parameters that reproduce ``joints_camera``.
        R_camera_wrist: [3, 3] operator frame (x out of the palm, z wrist to fingertips) in the camera.
        wrist_covariance: [6, 6] of the wrist's position [m] and rotation vector [rad], camera axes;
            the diagonal is -1 when unknown (LOST).
        window: how it was solved; None for LOST.
    """

    track_id: int
    side: Side
    side_score: float
    status: HandStatus
    score: float
    since_observed_ns: int
    joints_camera: NDArray[np.float64]
    joint_stddev_m: NDArray[np.float64]
    joint_observed: NDArray[np.bool_]
    mano: ManoPose
    R_camera_wrist: NDArray[np.float64]
    wrist_covariance: NDArray[np.float64]
    window: WindowStatus | None = None

    def lost(self, since_observed_ns: int) -> "HandEstimate":
        """The same pose, frozen, with status LOST and nothing known about it."""
        return replace(
            self,
            status=HandStatus.LOST,
            score=0.0,
            since_observed_ns=since_observed_ns,
            joint_stddev_m=np.full(NUM_JOINTS, -1.0),
            joint_observed=np.zeros(NUM_JOINTS, dtype=bool),
            wrist_covariance=np.diag(np.full(6, -1.0)),
            window=None,
        )


@dataclass(frozen=True)
class FrameEstimate:
    """All hands at one stamp; ``hands`` is empty when none is tracked ("looked and saw none").

    Attributes:
        stamp_ns: capture time of the image, or of the last image plus the time-out for LOST without images.
        hands: at most one per track.
        stage_ms: wall time per stage [ms]; adds ``optimize`` to the observation's.
    """

    stamp_ns: int
    hands: tuple[HandEstimate, ...] = ()
    stage_ms: dict[str, float] = field(default_factory=dict)
