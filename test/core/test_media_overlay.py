# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import Side
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.palette import joint_colours
from hmp_core.observation import FrameObservation, HandObservation, ManoPose, Roi

CAMERA = Camera(640, 480, 600, 600, 319.5, 239.5)
FRAME = Frame(np.full((480, 640, 3), 100, np.uint8), 0, CAMERA)


def spread_hand(status=HandStatus.OBSERVED, observed=True, sigma=0.002):
    """A flat fan of fingers around the middle of the image, 0.5 m away."""
    joints = np.zeros((21, 3)) + np.array([0, 0.08, 0.5])
    for finger in range(5):
        for joint in range(4):
            angle = np.radians(-50 + 25 * finger)
            joints[1 + 4 * finger + joint, :2] += (0.05 + 0.03 * joint) * np.array([np.sin(angle), -np.cos(angle)])
    return HandEstimate(
        track_id=1,
        side=Side.RIGHT,
        side_score=1.0,
        status=status,
        score=1.0,
        since_observed_ns=0,
        joints_camera=joints,
        joint_stddev_m=np.full(21, -1.0 if status is HandStatus.LOST else sigma),
        joint_observed=np.full(21, observed),
        mano=ManoPose(np.zeros((16, 3)), np.zeros(10), np.zeros(3)),
        R_camera_wrist=np.eye(3),
        wrist_covariance=np.eye(6),
    )


def drawn(*hands):
    return draw_overlay(FRAME, FrameEstimate(0, hands))


def at(image, pixel):
    """RGB."""
    return image[round(pixel[1]), round(pixel[0]), ::-1].astype(int)


def test_skeleton_lies_on_the_projected_joints_in_each_fingers_colour():
    hand = spread_hand()
    image = drawn(hand)
    pixels = CAMERA.project(hand.joints_camera)
    for joint, colour in enumerate(joint_colours(hand)):
        np.testing.assert_allclose(at(image, pixels[joint]), colour, atol=40)
    for joint in (2, 7, 12):  # half way along a bone
        middle = (pixels[joint] + pixels[joint - 1]) / 2
        np.testing.assert_allclose(at(image, middle), joint_colours(hand)[joint], atol=40)
    assert (FRAME.image == 100).all()  # the frame itself is left alone
    np.testing.assert_array_equal(image[300:, :150], 100)


def test_filled_in_joints_are_hollow_and_lost_hands_grey():
    filled, hollow = spread_hand(), spread_hand(HandStatus.INFILLED, observed=False)
    pixel = CAMERA.project(filled.joints_camera[8])
    assert at(drawn(filled), pixel).max() > 200
    assert at(drawn(hollow), pixel).max() < 90
    lost = at(drawn(spread_hand(HandStatus.LOST)), pixel)
    assert np.ptp(lost) < 10


def test_haze_grows_with_sigma_up_to_a_limit():
    def changed(sigma):
        return (drawn(spread_hand(sigma=sigma)) != drawn(spread_hand(sigma=1e-6))).any(axis=-1).sum()

    assert changed(0.004) < changed(0.012) < changed(0.05)
    assert changed(0.05) == changed(5.0)


def test_status_is_told_by_colour_of_the_label():
    pictures = [
        drawn(spread_hand(status)) for status in (HandStatus.OBSERVED, HandStatus.PARTIAL, HandStatus.INFILLED)
    ]
    wrist = CAMERA.project(spread_hand().joints_camera[0])
    labels = [picture[int(wrist[1]) + 14 : int(wrist[1]) + 40] for picture in pictures]
    assert (labels[0] != labels[1]).any()
    assert (labels[1] != labels[2]).any()


def test_raw_keypoints_are_crosses_and_nobody_is_just_the_picture_with_a_legend():
    keypoints = np.full((21, 2), 400.0)
    seen = HandObservation(
        1, Side.RIGHT, 1.0, 1.0, Roi(np.zeros(2), 1.0, 0.0), keypoints, np.ones(21), np.zeros((21, 3)), np.ones(21)
    )
    image = draw_overlay(FRAME, FrameEstimate(0), FrameObservation(0, CAMERA, (seen,)))
    assert image[400, 400].min() > 200
    nobody = draw_overlay(FRAME, FrameEstimate(0), FrameObservation(0, CAMERA))
    np.testing.assert_array_equal(nobody[60:], FRAME.image[60:])


@pytest.mark.parametrize("depth", [-0.5, 0.0, 1e-5, np.nan])
def test_impossible_joints_are_left_out(depth):
    hand = spread_hand()
    joints = hand.joints_camera.copy()
    joints[5:9, 2] = depth
    image = drawn(replace(hand, joints_camera=joints))
    assert image.shape == FRAME.image.shape
    np.testing.assert_allclose(at(image, CAMERA.project(joints[12])), joint_colours(hand)[12], atol=40)


@pytest.mark.parametrize("size", [(64, 48), (33, 200), (1920, 1080)])
def test_any_image_size_can_be_drawn_on(size):
    camera = Camera.from_field_of_view(*size, 60)
    frame = Frame(np.zeros((size[1], size[0], 3), np.uint8), 0, camera)
    assert draw_overlay(frame, FrameEstimate(0, (spread_hand(),))).shape == (size[1], size[0], 3)
