# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands read back from bags: in any namespace, whatever single messages are like."""

from dataclasses import replace

import numpy as np
import pytest
from hand_recording import FRAMES, LATENCY_NS, recorded_frames, write_recording
from rosbags.rosbag2 import StoragePlugin, Writer
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.errors import SourceError
from hmp_core.evaluation.run_folder import read_run_folder
from hmp_core.media.hand_bag import HandBag
from hmp_core.media.message_fields import Timing, hand_array_fields, observation_array_fields
from hmp_core.media.message_types import build_message, message_typestore
from hmp_core.media.recorded_hands import RecordedHands, find_recorded_hands

KIND = "hmp_ros/msg/ManoHandArray"
OBSERVED_KIND = "hmp_ros/msg/HandObservationArray"
COUNT = 6


@pytest.fixture(scope="module")
def frames():
    """The first observations and estimates."""
    return [frame for frame, _ in zip(recorded_frames(), range(COUNT), strict=False)]


def write(path, topics, damage=lambda index, data: data):
    """Write the messages of topics ``{name: (type, [(stamp, fields)])}``; ``damage`` sees the bytes of each."""
    store = message_typestore()
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, (kind, stamped) in topics.items():
            connection = writer.add_connection(topic, kind, typestore=store)
            for index, (stamp_ns, fields) in enumerate(stamped):
                data = store.serialize_cdr(build_message(kind, fields), kind)
                writer.write(connection, stamp_ns, damage(index, data))
    return path


def hands(frames, change=lambda index, estimate: estimate):
    """The messages of ``hand/mano``."""
    changed = [change(index, estimate) for index, (_, estimate) in enumerate(frames)]
    return KIND, [
        (item.stamp_ns, hand_array_fields(item, "camera", Timing(item.stamp_ns, item.stamp_ns + LATENCY_NS)))
        for item in changed
    ]


def stamps(bag):
    return [estimate.stamp_ns for estimate, _ in bag]


@pytest.mark.parametrize("namespace", ["", "/left", "/robot/head"])
def test_hands_are_found_in_any_namespace_with_their_observations(frames, tmp_path, namespace):
    seen = [
        (item.stamp_ns, observation_array_fields(item, "camera", Timing(item.stamp_ns, item.stamp_ns)))
        for item, _ in frames
    ]
    path = write(
        tmp_path / "bag",
        {
            f"{namespace}/hand/mano": hands(frames),
            f"{namespace}/hand/mano_smoothed": hands(frames),
            f"{namespace}/hand/observations": (OBSERVED_KIND, seen),
        },
    )
    bag = HandBag(path)
    assert (bag.topic, bag.namespace, bag.frame_count) == (f"{namespace}/hand/mano", namespace, COUNT)
    assert [latency for _, latency in bag] == [LATENCY_NS] * COUNT
    assert not bag.skipped
    recorded = find_recorded_hands(str(path))
    assert recorded is not None
    assert [observation.stamp_ns for _, observation, _ in recorded] == [item.stamp_ns for item, _ in frames]


def test_of_several_cameras_one_is_named(frames, tmp_path):
    path = write(tmp_path / "bag", {"/left/hand/mano": hands(frames), "/right/hand/mano": hands(frames[:2])})
    with pytest.raises(SourceError, match=r"namespace named; its hands: /left/hand/mano, /right/hand/mano"):
        find_recorded_hands(str(path))
    with pytest.raises(SourceError, match=r"no topic /top/hand/mano; its hands: /left/hand/mano, /right/"):
        HandBag(path, "top")
    assert len(stamps(HandBag(path, "right"))) == 2
    assert RecordedHands(path, namespace="/left").count == COUNT
    rerun_file = tmp_path / "run.rrd"
    result = CliRunner().invoke(app, ["view", str(path), "--namespace", "/none", "--save", str(rerun_file)])
    assert isinstance(result.exception, SourceError)


def test_a_bag_of_smoothed_hands_alone_is_no_recording_of_hands(frames, tmp_path):
    path = write(tmp_path / "bag", {"/hand/mano_smoothed": hands(frames)})
    assert find_recorded_hands(str(path)) is None
    with pytest.raises(SourceError, match="has no topic hand/mano of hmp_ros/msg/ManoHandArray"):
        HandBag(path)


def broken(index, estimate):
    """Hands that nobody can use, one kind a frame; the first and the last are as they should be."""
    hand = estimate.hands[0]
    worse = {
        1: replace(hand, joints_camera=np.full((21, 3), np.nan)),
        2: replace(hand, wrist_covariance=np.full((6, 6), np.inf)),
    }.get(index, hand)
    return replace(estimate, hands=(worse,))


def test_messages_that_cannot_be_used_are_counted_and_the_others_come(frames, tmp_path, caplog):
    kind, stamped = hands(frames, broken)
    stamped[3][1]["hands"][0]["wrist_pose"]["pose"]["orientation"] = dict.fromkeys("xyzw", 0.0)
    path = write(
        tmp_path / "bag", {"/hand/mano": (kind, stamped)}, lambda index, data: data[:40] if index == 4 else data
    )
    bag = HandBag(path)
    assert stamps(bag) == [frames[0][1].stamp_ns, frames[5][1].stamp_ns]
    assert bag.skipped == {"unusable hands": 4}
    assert "joints holds numbers that are not finite" in caplog.text
    assert "wrist orientation of zeros" in caplog.text
    assert "further ones are only counted" in caplog.text
    with pytest.raises(SourceError, match=r"no message on /hand/mano of .* is usable"):
        list(HandBag(write(tmp_path / "none", {"/hand/mano": hands(frames)}, lambda _, data: data[:40])))


def test_a_repeated_message_is_shown_once(frames, tmp_path):
    kind, stamped = hands(frames)
    bag = HandBag(write(tmp_path / "bag", {"/hand/mano": (kind, [*stamped[:3], *stamped[2:]])}))
    assert stamps(bag) == [estimate.stamp_ns for _, estimate in frames]
    assert bag.skipped == {"repeated stamp": 1}


def test_a_report_goes_on_past_an_unusable_message(frames, tmp_path, caplog):
    write_recording(tmp_path, overlay=False)
    assert len(read_run_folder(tmp_path).latency_ms) == FRAMES
    (tmp_path / "hands.mcap").unlink()
    folder = write(tmp_path / "bag", {"/hand/mano": hands(frames, broken)})
    next(folder.glob("*.mcap")).rename(tmp_path / "hands.mcap")
    run = read_run_folder(tmp_path)
    np.testing.assert_allclose(run.latency_ms, [LATENCY_NS / 1e6] * (COUNT - 2))
    assert "skipped a frame: unusable hands" in caplog.text
