# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From frames to observations, on rendered pictures and on the real clips."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from rendered_hand import CAMERA, Placed, render

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, ImageError
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import NUM_JOINTS, Side
from hmp_core.observation import ManoPose
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.pipeline import HandPerception

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "video"
REFERENCE = Path(__file__).resolve().parents[1] / "data" / "mediapipe_dexr_hand.npz"
needs_clips = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real clips are not at {DATA}")


def clip(name, first=0, last=None, mirror=False, boxed=None):
    """Frames of a clip; ``boxed`` maps frame numbers to boxes (x0, y0, x1, y1) painted grey."""
    capture = cv2.VideoCapture(str(DATA / name))
    rate, index = capture.get(cv2.CAP_PROP_FPS), -1
    while last is None or index + 1 < last:
        read, image = capture.read()
        index += 1
        if not read:
            return
        if index < first:
            continue
        if boxed and index in boxed:
            x0, y0, x1, y1 = np.maximum(boxed[index], 0).astype(int)
            image[y0:y1, x0:x1] = 128
        image = np.ascontiguousarray(image[:, ::-1]) if mirror else image
        camera = Camera.from_field_of_view(image.shape[1], image.shape[0], 60.0)
        yield Frame(image, round((index + 1) * 1e9 / rate), camera)


def observe(frames, perception=None):
    perception = perception or HandPerception()
    return [perception.process(frame).hands for frame in frames]


@pytest.fixture(scope="module")
def dexr():
    """The whole clip, observed once."""
    if not DATA.is_dir():
        pytest.skip(f"the real clips are not at {DATA}")
    return observe(clip("dexr_hand.mp4"))


def test_every_frame_of_the_clip_shows_one_right_hand(dexr):
    assert len(dexr) == 621
    assert sum(len(hands) == 1 for hands in dexr) >= 0.99 * 621
    assert {hand.track_id for hands in dexr for hand in hands} == {0}
    assert all(hands[0].side is None for hands in dexr[:4])
    assert all(hand.side is Side.RIGHT for hands in dexr[4:] for hand in hands)
    assert dexr[-1][0].side_score > 0.9


def test_keypoints_agree_with_the_mediapipe_package(dexr):
    """Measured: median 0.05 px, 95 % within 0.3 px; the record holds MediaPipe 1.2.2's own output."""
    reference = np.load(REFERENCE)
    hands = [dexr[index][0] for index in reference["frames"]]
    errors = np.linalg.norm([hand.keypoints_px for hand in hands] - reference["keypoints_px"], axis=-1)
    assert np.median(errors) < 0.3
    assert np.percentile(errors, 95) < 2.0
    assert reference["right"].all()


def test_landmarks_agree_with_the_mediapipe_package_up_to_the_viewing_ray(dexr):
    reference = np.load(REFERENCE)
    ours = np.array([dexr[index][0].landmarks_m for index in reference["frames"]])
    theirs = reference["landmarks_m"] - reference["landmarks_m"][:, :1]
    # A rotation changes no distance from the wrist.
    lengths = np.abs(np.linalg.norm(ours, axis=-1) - np.linalg.norm(theirs, axis=-1))
    assert np.median(lengths) < 0.0005


def test_sigmas_are_finite_inside_the_image_and_plausible(dexr):
    pixels = np.array([hands[0].keypoint_sigma_px for hands in dexr])
    metres = np.array([hands[0].landmark_sigma_m for hands in dexr])
    assert np.isfinite(pixels).all()
    assert 2.0 < np.median(pixels) < 15.0
    assert 0.005 < np.median(metres) < 0.03


@needs_clips
def test_the_mirrored_clip_shows_a_left_hand():
    hands = observe(clip("dexr_hand.mp4", last=40, mirror=True))
    assert all(len(hand) == 1 for hand in hands)
    assert {hand[0].side for hand in hands[6:]} == {Side.LEFT}


@needs_clips
def test_the_portrait_clip_shows_a_right_hand():
    hands = observe(clip("asl_hand.mp4", last=60))
    assert all(len(hand) == 1 for hand in hands)
    assert {hand[0].side for hand in hands[6:]} == {Side.RIGHT}


@pytest.mark.parametrize("start", [60, 380])
def test_a_box_over_the_whole_hand_leaves_no_observation_and_the_track_goes_on_behind_it(dexr, start):
    boxed = {}
    for index in range(start, start + 30):
        keypoints = dexr[index][0].keypoints_px
        boxed[index] = np.concatenate([keypoints.min(axis=0) - 40, keypoints.max(axis=0) + 40])
    first = start - 12
    observed = observe(clip("dexr_hand.mp4", first, start + 45, boxed=boxed))
    gap, after = observed[12:42], observed[42:]
    assert sum(len(hands) > 0 for hands in gap) <= 1
    assert [len(hands) for hands in after[1:]] == [1] * 14
    assert {hand.track_id for hands in observed for hand in hands} == {0}
    assert all(hand.side is Side.RIGHT for hands in after for hand in hands)
    errors = [np.linalg.norm(hands[0].keypoints_px - dexr[start + 31 + i][0].keypoints_px, axis=1).mean()
              for i, hands in enumerate(after[1:])]  # fmt: skip
    assert np.median(errors) < 3.0


def test_joints_behind_an_occluder_get_larger_sigmas(dexr):
    boxed = {}
    for index in range(100, 130):
        # The outer half of the fingers.
        keypoints = dexr[index][0].keypoints_px
        low, high = keypoints.min(axis=0) - 30, keypoints.max(axis=0) + 30
        boxed[index] = np.array([low[0], low[1], high[0], low[1] + 0.5 * (high[1] - low[1])])
    ratios, errors = [], []
    for offset, hands in enumerate(observe(clip("dexr_hand.mp4", 96, 130, boxed=boxed))[4:]):
        clean = dexr[100 + offset][0]
        x0, y0, x1, y1 = boxed[100 + offset]
        covered = ((clean.keypoints_px > (x0, y0)) & (clean.keypoints_px < (x1, y1))).all(axis=1)
        for hand in hands:
            ratios.append(np.median(hand.keypoint_sigma_px[covered]) / np.median(clean.keypoint_sigma_px[covered]))
            errors.append(np.linalg.norm(hand.keypoints_px - clean.keypoints_px, axis=1)[covered].mean())
    assert np.median(ratios) > 2.0, (np.median(ratios), np.median(errors))


class RecordingInitializer:
    """Remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def observe(self, frame, hand):
        self.asked.append(hand)
        return replace(hand, initial=ManoPose(np.zeros((16, 3)), np.zeros(10), np.zeros(3)))


@pytest.mark.parametrize("side", list(Side))
def test_the_initializer_is_asked_once_the_side_is_known(side):
    initializer = RecordingInitializer()
    perception = HandPerception(initializer=initializer)
    image, _ = render([Placed(side)])
    hands = [perception.process(Frame(image, 1000 * step, CAMERA)).hands[0] for step in range(1, 10)]
    known = [hand for hand in hands if hand.side is not None]
    assert {hand.side for hand in known} == {side}
    assert [hand.initial is None for hand in hands] == [hand.side is None for hand in hands]
    assert len(initializer.asked) == len(known)
    asked = initializer.asked[-1]
    assert asked.initial is None
    np.testing.assert_array_equal(asked.landmarks_m, known[-1].landmarks_m)
    assert asked.side is side


def test_an_observation_carries_stamp_camera_times_and_wrist_relative_points():
    image, _ = render([Placed()])
    seen = HandPerception().process(Frame(image, 42, CAMERA))
    assert (seen.stamp_ns, seen.camera) == (42, CAMERA)
    assert set(seen.stage_ms) == {"detect", "initialize"}
    assert all(value >= 0 for value in seen.stage_ms.values())
    (hand,) = seen.hands
    np.testing.assert_array_equal(hand.landmarks_m[0], 0)
    assert hand.keypoints_px.shape == (NUM_JOINTS, 2)


@pytest.mark.parametrize(
    "image",
    [np.zeros((480, 640), np.uint8), np.zeros((480, 640, 4), np.uint8), np.zeros((480, 640, 3), np.float32),
     np.zeros((240, 320, 3), np.uint8), np.zeros((0, 0, 3), np.uint8)],
)  # fmt: skip
def test_an_unusable_image_is_refused_and_counted(image):
    perception = HandPerception()
    with pytest.raises(ImageError, match="640x480"):
        perception.process(Frame(image, 1, CAMERA))
    assert perception.counters.unusable_images == 1
    assert perception.process(Frame(np.zeros((480, 640, 3), np.uint8), 1, CAMERA)).hands == ()


def test_a_repeated_stamp_is_refused_and_an_earlier_one_starts_afresh():
    perception = HandPerception()
    image, _ = render([Placed()])
    for stamp in (1000, 2000, 3000):
        (hand,) = perception.process(Frame(image, stamp, CAMERA)).hands
    assert hand.track_id == 0
    with pytest.raises(ImageError, match="3000"):
        perception.process(Frame(image, 3000, CAMERA))
    assert perception.counters.repeated_stamps == 1
    (hand,) = perception.process(Frame(image, 500, CAMERA)).hands
    assert hand.track_id == 1
    assert perception.counters.resets == 1


def test_a_hand_is_known_again_within_patience_and_not_later():
    perception = HandPerception(PerceptionConfig(patience_s=3.0))
    image, _ = render([Placed()])
    nothing = np.zeros_like(image)

    def ids_after(gap_s, begin_s):
        seen = [(begin_s, image), (begin_s + 0.1, nothing), (begin_s + gap_s, image)]
        frames = [perception.process(Frame(shown, round(at_s * 1e9), CAMERA)) for at_s, shown in seen]
        return [[hand.track_id for hand in frame.hands] for frame in frames]

    assert ids_after(2.9, begin_s=1.0) == [[0], [], [0]]
    assert ids_after(3.1, begin_s=4.0) == [[0], [], [1]]


def test_a_change_of_resolution_starts_afresh():
    perception = HandPerception()
    image, _ = render([Placed()])
    perception.process(Frame(image, 1, CAMERA))
    half = Camera(320, 240, 280.0, 280.0, 159.5, 119.5)
    (hand,) = perception.process(Frame(cv2.resize(image, (320, 240)), 2, half)).hands
    assert hand.track_id == 1
    assert half.contains(hand.keypoints_px).all()
    assert perception.counters.resets == 1


def test_other_thresholds_count_from_the_next_image_on():
    perception = HandPerception()
    image, _ = render([Placed()])
    assert len(perception.process(Frame(image, 1000, CAMERA)).hands) == 1
    perception.reconfigure(PerceptionConfig(min_presence=0.99, min_palm_score=0.99))
    nothing = np.zeros_like(image)
    assert perception.process(Frame(nothing, 2000, CAMERA)).hands == ()
    presence = [perception.process(Frame(image, 3000 + k, CAMERA)).hands for k in range(3)]
    assert all(hand.presence >= 0.99 for hands in presence for hand in hands)
    perception.reconfigure(PerceptionConfig())
    (hand,) = perception.process(Frame(image, 9000, CAMERA)).hands
    assert hand.track_id == 0, "hands that are followed stay"


@pytest.mark.parametrize(
    "settings",
    [{"max_hands": 0}, {"max_hands": 3}, {"max_hands": 1.5}, {"min_presence": 0.0}, {"min_presence": float("nan")},
     {"min_palm_score": 1.0}, {"patience_s": -1.0}, {"search_interval_s": -0.1}, {"reacquire_interval_s": 99.0}],
)  # fmt: skip
def test_a_value_outside_its_range_is_refused_by_name(settings):
    (name,) = settings
    with pytest.raises(ConfigError, match=name):
        PerceptionConfig(**settings)
