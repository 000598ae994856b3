# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera to ``hand/mano`` through what happens to cameras, nodes and readers; the nodes live through all of it.

What loops, and what is compressed, is in ``test_bag_playback.py``; wrong images are in ``test_bad_input.py``.
"""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from graph import START_S, Process, stamps_of
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo
from stage import Picture, Stage

from hmp_core.assets import asset_path
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.video_source import VideoSource
from hmp_core.media.video_writer import VideoWriter
from hmp_ros import qos
from hmp_ros.msg import ManoHand, ManoHandArray, ManoInfo

SECOND = 1_000_000_000
LEFT, RIGHT, BOTH = ManoHand.SIDE_LEFT, ManoHand.SIDE_RIGHT, {ManoHand.SIDE_LEFT, ManoHand.SIDE_RIGHT}
EXPIRED = "skipped: hand already expired"
PLACES = 12
"""Where an image can be on its way: five in the reader's queue, one in the mailbox, one in perception, two in the
window, and some in the transport."""

Start = Callable[..., Process]


def joints_camera(hand: ManoHand) -> NDArray[np.float64]:
    """[21, 3] in metres."""
    return np.array([(p.x, p.y, p.z) for p in hand.joints])


@pytest.fixture(scope="module")
def the_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("nodes"))
    yield stage
    stage.close()


@pytest.fixture
def stage(the_stage: Stage) -> Stage:
    the_stage.run_nodes()
    return the_stage


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """The shipped clip, and beside it what a mirror shows: a right hand and a left one, 1280x480."""
    images = VideoSource(asset_path("demo/video.mp4"), Intrinsics()).images()
    return [np.hstack([image, image[:, ::-1]]) for _, image in images]


@pytest.fixture(scope="module")
def two_hands(pictures: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a video at 30 Hz."""
    path = tmp_path_factory.mktemp("clip") / "two_hands.mp4"
    with VideoWriter(path) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, round(index * SECOND / 30))
    return path


@pytest.mark.slow
def test_a_left_and_a_right_hand_in_one_image(stage: Stage, pictures: list[Picture]) -> None:
    wrists = {
        side: stage.recorder.record(PoseStamped, f"hand/{name}/wrist_pose", qos.HANDS)
        for side, name in ((LEFT, "left"), (RIGHT, "right"))
    }
    still = pictures[16]  # on a busy machine a hand that moves on may be somewhere else in the next picture
    both = stage.show_until([still], BOTH)
    left, right = joints_camera(both[LEFT]), joints_camera(both[RIGHT])
    assert left[0, 0] > 0.02
    assert right[0, 0] < -0.02
    mirrored = (left - left[0]) * [-1, 1, 1]
    assert np.linalg.norm(mirrored - (right - right[0]), axis=1).mean() < 0.012
    assert stage.recorder.spin_until(lambda: bool(wrists[LEFT] and wrists[RIGHT]), START_S)
    # One of them leaves: it is lost by and by, and the other does not notice.
    only_right = still.copy()
    only_right[:, only_right.shape[1] // 2 :] = 0
    seen = stage.show_until([only_right], {RIGHT})
    while len((answer := stage.show(only_right)).hands) == 2:
        assert {hand.side for hand in answer.hands} == BOTH
    assert [hand.track_id for hand in answer.hands] == [seen[RIGHT].track_id] == [both[RIGHT].track_id]


@pytest.mark.slow
def test_the_camera_changes_its_resolution(stage: Stage, pictures: list[Picture]) -> None:
    large = {side: joints_camera(hand) for side, hand in stage.show_until(pictures[10:30], BOTH).items()}
    halves = [np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5), np.uint8) for picture in pictures[10:30]]
    small = {side: joints_camera(hand) for side, hand in stage.show_until(halves, BOTH).items()}
    assert stage.observations[-1].camera.width == halves[0].shape[1]
    assert "the image size changed" in stage.nodes["initializer_node"].output
    for side in BOTH:  # the same field of view: in the same directions
        before, after = (joints[side][:, :2] / joints[side][:, 2:] for joints in (large, small))
        assert np.abs(after - before).mean() < 0.04
    stage.check()


@pytest.mark.slow
def test_no_image_comes_for_five_seconds(stage: Stage, pictures: list[Picture]) -> None:
    before = stage.show_until(pictures[:30], BOTH)
    last_ns, count, ticks = stamps_of(stage.hands)[-1], len(stage.hands), len(stage.diagnostics)
    stage.wait_until_gone()
    lost, empty = stage.hands[count:]
    assert {hand.status for hand in lost.hands} == {ManoHand.STATUS_LOST}
    assert not empty.hands

    def told() -> bool:
        return any(
            status.level == DiagnosticStatus.STALE and "images on /image stopped" in status.message
            for message in stage.diagnostics[ticks:]
            for status in message.status
        )

    assert stage.recorder.spin_until(told, START_S)
    stage.recorder.spin_until(lambda: time.time_ns() > last_ns + 5 * SECOND, 10.0)
    after = stage.show_until(pictures[:30], BOTH)
    assert "images on /image again, after" in stage.nodes["initializer_node"].output
    assert len(stage.hands) > count + 2
    assert all(nanoseconds(hand.since_observed) == 0 for hand in after.values())
    assert not {hand.track_id for hand in after.values()} & {hand.track_id for hand in before.values()}
    assert (np.diff(stamps_of(stage.hands[count - 1 :])) > 0).all()


@pytest.mark.slow
def test_who_asks_for_what_is_not_offered_is_told_and_nobody_else_suffers(
    stage: Stage, pictures: list[Picture], start: Start
) -> None:
    latched = stage.recorder.record(ManoHandArray, "hand/mano", qos.LATCHED)
    best_effort = stage.recorder.record(ManoHandArray, "hand/mano", qos.IMAGES)
    stage.nodes["window_node"].wait_for("incompatible QoS", START_S)
    demanding = start(
        "initializer_node",
        remappings={"hand/observations": "elsewhere"},
        **{"qos_overrides./image.subscription.reliability": "reliable"},
    )
    demanding.wait_for("incompatible QoS")
    assert "RELIABILITY" in demanding.output
    answers = [stage.show(picture) for picture in pictures[:3]]
    assert stage.recorder.spin_until(lambda: set(stamps_of(answers)) <= set(stamps_of(best_effort)), START_S)
    assert not latched
    assert demanding.end() == 0


@pytest.mark.slow
def test_images_at_120_hz_are_dropped_and_counted_and_never_queue_up(
    stage: Stage, pictures: list[Picture], two_hands: Path, start: Start
) -> None:
    counted = stage.show(pictures[0]).latency  # since the start
    expired_before = stage.reported("window_node", EXPIRED)
    messages_before = len(stage.hands), len(stage.observations)
    infos: list[CameraInfo] = stage.recorder.record(CameraInfo, "camera_info", qos.HANDS)
    camera = start("video_publisher", video=two_hands, wait_for_subscribers=1, loop=True, speed=4.0)
    assert stage.recorder.spin_until(
        lambda: len(infos) > 240 and len(stage.hands) > messages_before[0] + 20, 2 * START_S
    )
    assert camera.end() == 0
    last = stage.show(pictures[0])  # comes out when everything before it has
    assert stage.recorder.spin_until(lambda: stage.observations[-1].header.stamp == last.header.stamp, START_S)

    seen = stage.observations[messages_before[1] :]
    seen_at = set(stamps_of(seen))
    answers = [message for message in stage.hands[messages_before[0] :] if stamps_of([message])[0] in seen_at]
    skipped = last.latency.dropped_solves - counted.dropped_solves
    expired = stage.reported("window_node", EXPIRED) - expired_before  # on a machine that is slow beyond measure
    assert len(answers) + skipped + expired == len(seen)
    dropped = last.latency.dropped_images - counted.dropped_images
    assert dropped > 0
    # None between the first and the last that was seen got lost uncounted.
    of_camera = [stamp for stamp in stamps_of(seen) if stamp in set(stamps_of(infos))]
    sent = sum(of_camera[0] <= stamp <= of_camera[-1] for stamp in stamps_of(infos))
    assert len(of_camera) + dropped >= sent
    # How many of what was there at any instant are answered after it: a queue would grow along the stream.
    for messages in (seen, answers):
        stamps = np.array(stamps_of(messages))
        published_at = np.array([nanoseconds(message.latency.published_at) for message in messages])
        assert max(int(((stamps <= at) & (published_at > at)).sum()) for at in stamps_of(infos)) <= PLACES
    assert stage.reported("initializer_node", "dropped images") == last.latency.dropped_images


@pytest.mark.slow
def test_a_camera_is_killed_and_comes_back_with_its_clock_at_zero(
    stage: Stage, two_hands: Path, start: Start
) -> None:
    count = len(stage.hands)
    camera = start("video_publisher", video=two_hands, loop=True, speed=0.5)
    stage.wait_until_observed(count, BOTH)
    camera.kill()
    stage.wait_until_gone()
    count = len(stage.hands)
    start("video_publisher", video=two_hands, loop=True, speed=0.5, own_stamps=True)
    seen = stage.wait_until_observed(count, BOTH)
    assert all(nanoseconds(hand.header.stamp) < 10 * SECOND for hand in seen.values())
    assert "time ran backwards" in stage.nodes["window_node"].output
    stage.check()


@pytest.mark.slow
def test_a_node_is_killed_and_started_again(stage: Stage, two_hands: Path, start: Start) -> None:
    infos = stage.recorder.record(ManoInfo, "hand/info", qos.LATCHED)
    count = first = len(stage.hands)
    start("video_publisher", video=two_hands, loop=True, speed=0.5)
    stage.wait_until_observed(count, BOTH)
    assert stage.recorder.spin_until(lambda: bool(infos), START_S)

    def five_more_seen() -> bool:
        count = len(stage.observations)
        return stage.recorder.spin_until(lambda: len(stage.observations) >= count + 5, START_S)

    stage.nodes["window_node"].kill()
    described = len(infos)
    assert five_more_seen(), "and what was on its way has come"
    silent = len(stage.hands)
    assert five_more_seen()
    assert len(stage.hands) == silent
    stage.run_nodes()
    stage.wait_until_observed(silent, BOTH)
    assert stage.recorder.spin_until(lambda: len(infos) > described, START_S), "described anew"

    stage.nodes["initializer_node"].kill()
    stage.wait_until_gone()
    count = len(stage.hands)
    stage.run_nodes()
    stage.wait_until_observed(count, BOTH)
    assert (np.diff(stamps_of(stage.hands[first:])) > 0).all()


@pytest.mark.slow
def test_signals_end_nodes_that_are_at_work(stage: Stage, pictures: list[Picture]) -> None:
    stage.show(pictures[0])
    stage.publish(pictures[1])
    for name, number in (("initializer_node", signal.SIGINT), ("window_node", signal.SIGTERM)):
        deadline = time.monotonic() + START_S
        while stage.nodes[name].running and time.monotonic() < deadline:  # from the terminal, and from a launcher
            stage.nodes[name].send(number)
            time.sleep(0.01)
        assert stage.nodes[name].wait(START_S) == 0
        assert "Traceback" not in stage.nodes[name].output
