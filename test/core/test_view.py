# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp view`, its files read back with Rerun's own reader."""

import sys

import cv2
import numpy as np
import pytest
from hand_recording import FRAMES, INFILLED, LOST, recorded_frames, write_recording
from hand_scene import CAMERA
from rosbags.rosbag2 import StoragePlugin, Writer
from typer.testing import CliRunner

from hmp_core.cli.main import app
from hmp_core.errors import ConfigError, SourceError
from hmp_core.media.message_fields import Timing, hand_array_fields, header_fields
from hmp_core.media.message_types import build_message, message_typestore
from hmp_core.media.recorded_hands import RecordedHands, find_recorded_hands

rerun = pytest.importorskip(
    "rerun", reason="hmp view is not tested: rerun-sdk is not installed (pip install '.[view]')"
)
chunk = pytest.importorskip(
    "rerun.chunk", reason="what hmp view writes is not read back: this rerun-sdk is too old"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_recording(folder)
    return folder


def image_bag(folder):
    """Every other frame's image beside all hands."""
    store, path = message_typestore(), folder / "bag"
    kinds = {"/camera/image": "sensor_msgs/msg/Image", "/hand/mano": "hmp_ros/msg/ManoHandArray"}
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {topic: writer.add_connection(topic, kind, typestore=store) for topic, kind in kinds.items()}

        def write(topic, stamp, fields):
            data = store.serialize_cdr(build_message(kinds[topic], fields), kinds[topic])
            writer.write(topics[topic], stamp, data)

        for index, (_, estimate) in enumerate(recorded_frames()):
            stamp = estimate.stamp_ns
            if index % 2 == 0:
                pixels = np.full(8 * 6 * 3, index, np.uint8)
                shape = {"height": 6, "width": 8, "encoding": "bgr8", "is_bigendian": 0, "step": 24, "data": pixels}
                write("/camera/image", stamp, {"header": header_fields(stamp, "camera"), **shape})
            write("/hand/mano", stamp, hand_array_fields(estimate, "camera", Timing()))
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["view", *map(str, arguments)], catch_exceptions=False)


def rows(path):
    """Number of rows and timelines of every entity, and a column of all rows of one."""
    counts, timelines = {}, {}
    for one in chunk.RrdReader(path).stream():
        counts[one.entity_path] = counts.get(one.entity_path, 0) + one.num_rows
        timelines.setdefault(one.entity_path, set()).update(one.timeline_names)
    return counts, timelines


def column(path, entity, name):
    """All values of a component whose name contains ``name``, in order."""
    values = []
    for one in chunk.RrdReader(path).stream():
        if one.entity_path == entity:
            batch = one.to_record_batch()
            for field in batch.schema.names:
                if name in field:
                    values += [value for value in batch.column(field).to_pylist() if value]
    return values


def test_a_folder_of_hmp_track_becomes_a_file_with_everything(folder, tmp_path):
    path = tmp_path / "out" / "run.rrd"
    assert run(folder, "--save", path).exit_code == 0
    counts, timelines = rows(path)
    seen = FRAMES - len(INFILLED) - len(LOST)
    assert counts["/camera/image"] == counts["/plots/work_ms/optimize"] == FRAMES
    assert counts["/camera"] == 1
    for what in ("skeleton", "joints", "label", "sigma", "wrist_sigma"):
        assert counts[f"/hands/right/{what}"] == FRAMES, what
    assert counts["/hands/right/surface"] == FRAMES + 1, "the faces once, the vertices in every frame"
    assert {"capture", "frame"} <= timelines["/hands/right/joints"]
    assert len(column(path, "/plots/sigma_mm/right", "scalars")) == FRAMES - len(LOST)
    assert len(column(path, "/plots/reprojection_px/right", "scalars")) == seen
    words = [value[0] for value in column(path, "/log", "text")]
    assert words == ["right observed", "left observed", "right infilled", "right lost", "right observed"]
    assert len(chunk.RrdReader(path).blueprints()) == 1
    assert [item.name for item in path.parent.iterdir()] == ["run.rrd"]


def test_joints_and_surface_lie_where_the_hand_is(folder, tmp_path):
    path = tmp_path / "run.rrd"
    run(folder, "--save", path)
    truth = [estimate.hands[0].joints_camera for _, estimate in recorded_frames()]
    joints = column(path, "/hands/right/joints", "positions")
    np.testing.assert_allclose(joints, truth, atol=1e-5)
    for vertices, hand in zip(column(path, "/hands/right/surface", "vertex_positions"), truth, strict=True):
        distance = np.linalg.norm(np.array(vertices)[None] - hand[1:, None], axis=-1).min(axis=1)
        assert distance.max() < 0.02, "every finger joint lies within the surface"


def test_a_bag_has_its_images_where_the_stamps_agree(tmp_path):
    path = image_bag(tmp_path)
    recorded = find_recorded_hands(str(path))
    assert recorded.count == FRAMES
    frames = list(recorded)
    assert [image is not None for _, _, image in frames] == [True, False] * (FRAMES // 2)
    assert [int(image[0, 0, 0]) for _, _, image in frames[::2]] == list(range(0, FRAMES, 2))
    assert all(observation is None for _, observation, _ in frames)
    assert run(path, "--no-surface", "--save", tmp_path / "bag.rrd").exit_code == 0
    counts, _ = rows(tmp_path / "bag.rrd")
    assert counts["/camera/image"] == FRAMES // 2
    assert not [entity for entity in counts if "surface" in entity]
    with pytest.raises(SourceError, match="no image topic /other"):
        RecordedHands(path, topic="/other")


def test_a_bag_of_hands_alone_is_shown_without_images(folder, caplog):
    recorded = find_recorded_hands(str(folder / "hands.mcap"))
    assert "hands without images" in caplog.text
    frames = list(recorded)
    assert len(frames) == FRAMES
    assert all(image is None and observation.camera == CAMERA for _, observation, image in frames)


def test_hands_are_tracked_where_none_are_recorded(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for index in range(3):
        cv2.imwrite(str(images / f"{index}.png"), np.full((120, 160, 3), 90, np.uint8))
    assert find_recorded_hands(str(images)) is None
    assert run(images, "--save", tmp_path / "images.rrd").exit_code == 0
    counts, _ = rows(tmp_path / "images.rrd")
    assert counts["/camera/image"] == 3
    assert "/hands/right/joints" not in counts


def test_what_is_missing_is_said(folder, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match=r"--save writes \.rrd files, not 'run.mp4'"):
        run(folder, "--save", tmp_path / "run.mp4")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(ConfigError, match="no screen for the viewer here; write a file with --save"):
        run(folder)
    monkeypatch.setitem(sys.modules, "rerun", None)
    with pytest.raises(ConfigError, match=r"pip install 'hmp_ros\[view\]'"):
        run(folder, "--save", tmp_path / "run.rrd")
    assert not list(tmp_path.iterdir())
