# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded bags into the live nodes, with the recording's clock, and against what ``hmp bag`` makes of them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from graph import START_S, Process, Recorder, stamps_of
from rosbags.rosbag2 import StoragePlugin, Writer

from hmp_core.camera import Camera
from hmp_core.media.bag_reader import BagReader
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.hand_replay import PREDICTION_HORIZON_S, SMOOTHING_LAG_S
from hmp_core.media.hand_topics import HANDS, INFO, OBSERVATIONS, PREDICTED, SMOOTHED
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.message_fields import camera_info_fields, header_fields
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.message_types import message_typestore, serialize
from hmp_core.media.video_source import VideoSource
from hmp_ros import qos
from hmp_ros.messages import stamp_ns
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray
from hmp_ros.window_node import WindowParameters

ROOT = Path(__file__).parents[2]
START_NS = 1_600_000_000_000_000_000
FRAMES, PERIOD_NS = 45, 33_333_333
LAST_NS = START_NS + (FRAMES - 1) * PERIOD_NS
DELAY_NS = 12_000_000
SPEED = 0.25

Play = Callable[..., "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Bags:
    """A recording of a camera, and what ``hmp bag`` made of it."""

    camera: Path
    hands: Path


@pytest.fixture(scope="module")
def bags(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Bags:
    """JPEG images, as long ago."""
    folder = tmp_path_factory.mktemp("bags")
    with Writer(folder / "camera", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        kinds = {
            "/image/compressed": "sensor_msgs/msg/CompressedImage",
            "/camera_info": "sensor_msgs/msg/CameraInfo",
        }
        topics = {
            name: writer.add_connection(name, kind, typestore=message_typestore(), offered_qos_profiles=[HANDS.qos])
            for name, kind in kinds.items()
        }
        images = VideoSource(short_clip, Intrinsics()).images()
        for index, (_, image) in enumerate(islice(images, FRAMES)):
            stamp = START_NS + index * PERIOD_NS
            height, width, _ = image.shape
            camera = Camera.from_field_of_view(width, height, 60.0)
            jpeg = cv2.imencode(".jpg", image)[1].ravel()
            for name, fields in (
                ("/camera_info", camera_info_fields(camera, stamp, "optical")),
                (
                    "/image/compressed",
                    {"header": header_fields(stamp, "optical"), "format": "jpeg", "data": jpeg},
                ),
            ):
                writer.write(topics[name], stamp + DELAY_NS, serialize(kinds[name], fields))
    entry = [sys.executable, "-c", "from hmp_core.cli.main import main; main()"]
    subprocess.run(
        [*entry, "bag", folder / "camera", folder / "hands"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return Bags(folder / "camera", folder / "hands")


@pytest.fixture
def play() -> Iterator[Play]:
    """Start the player; see ``bag_player.py``."""
    started: list[subprocess.Popen[bytes]] = []

    def play_one(bag: Path, rounds: int, rest_s: float, *topics: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, Path(__file__).with_name("bag_player.py"), bag, SPEED, rounds, rest_s, *topics]
        started.append(subprocess.Popen([str(part) for part in command], cwd=ROOT))
        return started[-1]

    yield play_one
    for process in started:
        process.kill()
        process.wait()


def _rounds(stamps: list[int]) -> list[list[int]]:
    """Cut where time goes back."""
    cuts = [0, *(index for index, (a, b) in enumerate(pairwise(stamps), 1) if b <= a), len(stamps)]
    return [stamps[a:b] for a, b in pairwise(cuts)]


@pytest.mark.slow
def test_a_bag_that_loops_with_its_clock(
    bags: Bags, recorder: Recorder, start: Callable[..., Process], play: Play
) -> None:
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    smoothed = recorder.record(ManoHandArray, "hand/mano_smoothed", qos.HANDS)
    predicted = recorder.record(ManoHandArray, "hand/mano_predicted", qos.HANDS)
    diagnostics = recorder.record(DiagnosticArray, "/diagnostics", qos.HANDS)
    node = start("hmp_node", use_sim_time=True, compressed=True)
    node.wait_for("publishing /hand/mano")
    player = play(bags.camera, 2, 3.0, "/image/compressed", "/camera_info")
    assert recorder.spin_until(lambda: player.poll() is not None, 3 * START_S)
    assert player.returncode == 0
    assert recorder.spin_until(lambda: smoothed[-1].header.stamp == hands[-1].header.stamp, START_S)

    # Each round on its own: the hands start anew, and nothing of the round before comes after it.
    first, second = _rounds(stamps_of(hands))
    assert len(set(first)) + len(set(second)) == len(hands)
    assert START_NS <= second[0] < START_NS + 20 * PERIOD_NS
    restart = hands[len(first) :]
    ages = [nanoseconds(hand.since_observed) for message in restart for hand in message.hands if hand.status < 4]
    assert max(ages) < 0.5e9, "none from before"
    assert len({hand.track_id for message in restart for hand in message.hands}) == 1
    assert [part[0] for part in _rounds(stamps_of(predicted))] == [part[0] + 50_000_000 for part in (first, second)]
    # What still waited for its lag when time went back is not published any more.
    before, after = _rounds(stamps_of(smoothed))
    assert before == first[: len(before)]
    assert after == second
    assert "start anew" in node.output
    # At the end the clock goes on: lost at the time-out, once, and gone; at the loop it was not.
    assert max(first) <= LAST_NS
    assert {hand.status for hand in hands[-2].hands} == {ManoHand.STATUS_LOST}
    assert stamps_of(hands)[-2] == pytest.approx(second[-3] + 1e9, abs=10)
    assert not hands[-1].hands
    # Everything is on the recording's clock, timers too, which live through its jump.
    for message in hands:
        for at in (message.latency.received_at, message.latency.published_at):
            assert START_NS <= nanoseconds(at) < LAST_NS + 4e9
    ticks = [stamp_ns(message.header) for message in diagnostics if message.status[0].name == "/window_node"]
    ticks = [tick for tick in ticks if tick > 0]
    assert all(START_NS <= tick < LAST_NS + 5e9 for tick in ticks)
    assert max(ticks) > LAST_NS
    assert node.end() == 0
    assert "Traceback" not in node.output


@pytest.mark.slow
def test_recorded_observations_give_the_live_window_what_hmp_bag_gives(
    bags: Bags, recorder: Recorder, start: Callable[..., Process]
) -> None:
    hands = recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
    observations = recorder.node.create_publisher(HandObservationArray, "hand/observations", qos.OBSERVATIONS)
    node = start("window_node")
    node.wait_for("publishing /hand/mano")
    with BagReader(bags.hands) as reader:
        recorded = [record.data for record in reader.records(reader.on("/hand/observations"))]
        records = reader.records(reader.on("/hand/mano"))
        offline = [estimate_from_message(reader.decode(record)) for record in records]
    assert recorder.spin_until(lambda: observations.get_subscription_count() == 1, START_S)
    for index, data in enumerate(recorded, 1):  # as fast as they are answered, so that no solve is skipped
        observations.publish(bytes(data))
        assert recorder.spin_until(lambda: len(hands) == index, START_S)  # noqa: B023
    assert len(hands) == len(offline) == FRAMES
    assert hands[-1].latency.dropped_solves == 0
    for message, theirs in zip(hands, offline, strict=True):
        mine = estimate_from_message(message)
        assert mine.stamp_ns == theirs.stamp_ns
        assert [hand.status for hand in mine.hands] == [hand.status for hand in theirs.hands]
        for a, b in zip(mine.hands, theirs.hands, strict=True):
            np.testing.assert_array_equal(a.joints_camera, b.joints_camera)
    assert node.end() == 0


def test_bags_are_written_as_the_nodes_publish() -> None:
    profiles = {OBSERVATIONS: qos.OBSERVATIONS, INFO: qos.LATCHED}
    profiles |= dict.fromkeys((HANDS, SMOOTHED, PREDICTED), qos.HANDS)
    for topic, profile in profiles.items():
        stored: Any = topic.qos
        assert stored.depth == profile.depth
        assert stored.reliability.name == profile.reliability.name
        assert stored.durability.name in (profile.durability.name, "VOLATILE")
        assert topic.latched == (profile is qos.LATCHED)
    parameters = WindowParameters()
    assert parameters.smoothing_lag_s == SMOOTHING_LAG_S
    assert parameters.prediction_horizon_s == PREDICTION_HORIZON_S
