# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an arm may rely on, over DDS with the real fitter: no jump on re-entry, no swap of sides, ages that tell."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from graph import PATIENCE_S, START_S, Process, Recorder, stamps_of

from hmp_core.hand.skeleton import Side
from hmp_core.media.message_fields import Timing
from hmp_core.media.message_reader import nanoseconds
from hmp_core.observation import FrameObservation
from hmp_ros import qos
from hmp_ros.messages import build_observation_array
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray

sys.path.append(str(Path(__file__).parents[1] / "core"))
from hand_scene import CAMERA, HandScene, moving_hand

PERIOD_S = 1 / 30
GAP_S = 0.5
BLEND_SPEED = 1.0
"""The parameter's default [m/s]."""
SCENE_HZ = 200
NOISE_M = 0.01
"""By which the output may tremble with what it is shown."""


class Arm:
    """Shows ``window_node`` a hand in real time and hears what an arm would follow."""

    def __init__(self, recorder: Recorder, scene: HandScene) -> None:
        self.hands: list[ManoHandArray] = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
        self._recorder, self.scene = recorder, scene
        self._observations = recorder.node.create_publisher(
            HandObservationArray, "hand/observations", qos.OBSERVATIONS
        )
        self._epoch_ns = time.time_ns()

    def frame(self, stamp_ns: int) -> int:
        """The scene's frame at an instant; the motion goes back and forth for as long as it takes."""
        frame = round((stamp_ns - self._epoch_ns) * 1e-9 * SCENE_HZ) % (2 * len(self.scene.stamps_ns) - 2)
        return min(frame, 2 * len(self.scene.stamps_ns) - 2 - frame)

    def look(self, seen: bool = True, side: Side | None = None, offset_m: float = 0.0) -> None:
        """One image of the hand, if it is seen: taken for another side, or moved to the right."""
        stamp_ns = time.time_ns()
        hands = ()
        if seen:
            aside = np.array([offset_m, 0.0, 0.0])
            moved = replace(self.scene, joints_camera=self.scene.joints_camera + aside)
            hand = moved.observation(self.frame(stamp_ns), seed=stamp_ns % 1000, side=side)
            hands = (replace(hand, initial=replace(hand.initial, translation=hand.initial.translation + aside)),)
        observation = FrameObservation(stamp_ns, CAMERA, hands)
        self._observations.publish(build_observation_array(observation, "optical", Timing()))
        self._recorder.spin_until(lambda: False, PERIOD_S)

    def look_for(self, seconds: float, **how: object) -> None:
        """Images for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look(**how)

    def look_until(self, count: int, **how: object) -> None:
        """Images until that many were answered in all."""
        deadline = time.monotonic() + START_S
        while len(self.hands) < count:
            assert time.monotonic() < deadline, f"{len(self.hands)} of {count} answers"
            self.look(**how)


@pytest.fixture
def arm(recorder: Recorder, start: Callable[..., Process]) -> Arm:
    node = start("window_node", infill_timeout_s=PATIENCE_S)
    arm = Arm(recorder, moving_hand(8 * SCENE_HZ, rate_hz=SCENE_HZ))
    deadline = time.monotonic() + START_S
    while not (arm.hands and arm.hands[-1].hands):
        assert node.running, node.output
        assert time.monotonic() < deadline, node.output
        arm.look()
    arm.look_for(1.0)
    return arm


def _joints(message: ManoHandArray) -> np.ndarray:
    (hand,) = message.hands
    return np.array([(joint.x, joint.y, joint.z) for joint in hand.joints])


@pytest.mark.slow
def test_a_hand_that_comes_back_elsewhere_is_led_over_at_a_bounded_speed(arm: Arm) -> None:
    arm.look_for(GAP_S, seen=False)
    back_ns = time.time_ns()
    arm.look_for(1.5, offset_m=0.15)
    unseen = [
        message for message in arm.hands if message.hands and message.hands[0].status != ManoHand.STATUS_OBSERVED
    ]
    infilled = [message.hands[0] for message in unseen if message.hands[0].status == ManoHand.STATUS_INFILLED]
    ages_s = [1e-9 * nanoseconds(hand.since_observed) for hand in infilled]
    assert ages_s == sorted(ages_s)
    assert ages_s[-1] > GAP_S / 2
    seen = next(hand for hand in arm.hands[-1].hands if hand.status == ManoHand.STATUS_OBSERVED)
    assert np.mean(infilled[-1].joint_stddev) > np.mean(seen.joint_stddev), "less sure of what it does not see"

    followed = [message for message in arm.hands if message.hands]
    stamps, joints = np.array(stamps_of(followed)), [_joints(message) for message in followed]
    scene = arm.scene.joints_camera
    for k in range(int(np.argmax(stamps > back_ns)), len(stamps)):
        frames = [arm.frame(int(stamp)) for stamp in stamps[k - 1 : k + 1]]
        true = np.linalg.norm(scene[frames[1]] - scene[frames[0]], axis=-1).max()
        step = np.linalg.norm(joints[k] - joints[k - 1], axis=-1).max()
        assert step < true + BLEND_SPEED * 1e-9 * (stamps[k] - stamps[k - 1]) + NOISE_M
    off = np.linalg.norm(joints[-1] - scene[arm.frame(int(stamps[-1]))] - (0.15, 0.0, 0.0), axis=-1).mean()
    assert off < 0.03, "it arrives"
    assert arm.hands[-1].hands[0].status == ManoHand.STATUS_OBSERVED


@pytest.mark.slow
def test_a_track_keeps_its_side_though_perception_doubts_it(arm: Arm) -> None:
    doubted = len(arm.hands)
    arm.look_until(doubted + 10, side=Side.LEFT)
    arm.look_until(doubted + 20)
    answers = [hand for message in arm.hands[doubted:] for hand in message.hands]
    assert len(answers) >= 20
    assert {hand.side for message in arm.hands for hand in message.hands} == {ManoHand.SIDE_RIGHT}
    assert len({hand.track_id for hand in answers}) == 1
    assert min(np.linalg.norm(_joints(message)[0]) for message in arm.hands if message.hands) > 0.1, "no zero pose"
