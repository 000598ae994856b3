# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from bag_files import CAMERA, PERIOD_NS, START_NS, compressed, info, raw, stamps, write_bag
from rosbags.rosbag2 import StoragePlugin

from hmp_core.camera import Camera
from hmp_core.errors import SourceError
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.sources import open_source

PLUGINS = pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])


@PLUGINS
@pytest.mark.parametrize("kind", [raw, compressed])
def test_bag_gives_images_header_stamps_and_the_recorded_camera(tmp_path, plugin, kind):
    records = [("/cam/image", stamp + 7, kind(index, stamp)) for index, stamp in enumerate(stamps(6))]
    records.insert(4, ("/cam/camera_info", START_NS + 4 * PERIOD_NS, info(START_NS)))
    records.insert(0, ("/other/camera_info", START_NS, info(START_NS, Camera(64, 48, 999, 999, 0, 0))))
    bag = write_bag(tmp_path / "bag", records, plugin)
    storage = next(file for file in bag.iterdir() if file.suffix in (".mcap", ".db3"))
    for path in (bag, storage):
        source = open_source(str(path))
        frames = list(source)
        assert [frame.stamp_ns for frame in frames] == stamps(6)
        assert all(frame.camera == CAMERA for frame in frames)
        np.testing.assert_array_equal([frame.image[5, 5, 2] for frame in frames], 5 * np.arange(6))
        assert (source.frame_count, source.frame_id, dict(source.skipped)) == (6, "cam_optical", {})


def test_the_users_camera_goes_before_the_recorded_one(tmp_path):
    bag = write_bag(tmp_path / "bag", [("/i/camera_info", 0, info(0)), ("/i/image_raw", 1, raw(1, START_NS))])
    mine = Camera(64, 48, 55, 55, 31, 23)
    assert next(iter(open_source(str(bag), Intrinsics(mine)))).camera == mine


def test_zero_intrinsics_fall_back_with_one_warning(tmp_path, caplog):
    broken = info(0)
    broken.k[:] = 0
    records = [("/cam/camera_info", START_NS, broken)]
    for index, stamp in enumerate(stamps(5)):
        records += [("/cam/camera_info", stamp, broken), ("/cam/image", stamp, raw(index, stamp))]
    frames = list(open_source(str(write_bag(tmp_path / "bag", records)), Intrinsics(fov_deg=70)))
    assert [frame.camera for frame in frames] == [Camera.from_field_of_view(64, 48, 70)] * 5
    assert caplog.text.count("assuming a field of view of 70 degrees") == 1
    assert "CameraInfo is not usable" in caplog.text


def test_topic_must_be_named_among_several(tmp_path):
    records = [("/a/image", 1, raw(1, START_NS)), ("/b/image/compressed", 2, compressed(2, START_NS + 5))]
    bag = str(write_bag(tmp_path / "bag", records))
    with pytest.raises(SourceError, match="/a/image, /b/image/compressed"):
        open_source(bag)
    with pytest.raises(SourceError, match="no image topic /c"):
        open_source(bag, topic="/c")
    (frame,) = open_source(bag, topic="/b/image/compressed")
    assert frame.image[0, 0, 2] == 10


def test_unusable_images_are_skipped_and_counted(tmp_path, caplog):
    messages = [raw(0, stamps(9)[0]), raw(1, stamps(9)[1], cut=1), raw(2, stamps(9)[2], encoding="odd64")]
    messages += [raw(3, stamps(9)[3]), raw(4, stamps(9)[3]), raw(5, stamps(9)[3] - 1), raw(6, stamps(9)[6])]
    bag = write_bag(tmp_path / "bag", [("/image", 10 + i, message) for i, message in enumerate(messages)])
    source = open_source(str(bag))
    assert [frame.image[0, 0, 2] for frame in source] == [0, 15, 30]
    assert source.skipped == {"unusable image": 2, "repeated stamp": 1, "stamp runs backwards": 1}
    assert "unknown image encoding 'odd64'" in caplog.text
    assert "short" in caplog.text


def test_a_looping_recording_goes_on_and_unset_stamps_take_the_time_of_recording(tmp_path):
    order = [*stamps(30), *stamps(4)]
    records = [("/image", START_NS + index, raw(1, stamp)) for index, stamp in enumerate(order)]
    assert [frame.stamp_ns for frame in open_source(str(write_bag(tmp_path / "loop", records)))] == order
    records = [("/image", 1_000 + index, raw(1, 0)) for index in range(3)]
    frames = open_source(str(write_bag(tmp_path / "unset", records)))
    assert [frame.stamp_ns for frame in frames] == [1_000, 1_001, 1_002]


@PLUGINS
def test_damaged_and_foreign_bags_are_refused(tmp_path, plugin):
    (tmp_path / "bad.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    (tmp_path / "bad.db3").write_bytes(b"SQLite format 3\0" + bytes(100))
    (tmp_path / "empty.mcap").write_bytes(b"")
    for name in ("bad.mcap", "bad.db3", "empty.mcap"):
        with pytest.raises(SourceError, match="cannot read bag"):
            open_source(str(tmp_path / name))
    bag = write_bag(tmp_path / "bag", [("/cam/camera_info", 0, info(0))], plugin)
    with pytest.raises(SourceError, match="image topics: none"):
        open_source(str(bag))
    nothing_usable = write_bag(tmp_path / "nothing", [("/image", 0, raw(1, 5, encoding="odd64"))], plugin)
    with pytest.raises(SourceError, match="no image on /image"):
        list(open_source(str(nothing_usable)))


@PLUGINS
@pytest.mark.parametrize("metadata", ["rosbag2_bagfile_information: [", "a: 1", ""])
def test_damaged_metadata_leave_the_messages(tmp_path, plugin, metadata, caplog):
    bag = write_bag(tmp_path / "bag", [("/image", stamp, raw(1, stamp)) for stamp in stamps(3)], plugin)
    (bag / "metadata.yaml").write_text(metadata)
    assert [frame.stamp_ns for frame in open_source(str(bag))] == stamps(3)
    assert "what its files hold is used" in caplog.text


@PLUGINS
def test_damage_anywhere_gives_what_is_left_or_a_clear_error(tmp_path, plugin):
    records = [("/image", stamp, raw(1, stamp)) for stamp in stamps(20)]
    bag = write_bag(tmp_path / "bag", records, plugin)
    storage = next(file for file in bag.iterdir() if file.suffix != ".yaml")
    data = storage.read_bytes()
    rng = np.random.default_rng(0)
    readable = refused = 0
    for trial in range(60):
        if trial % 2:
            damaged = data[: rng.integers(len(data))]
        else:
            start, size = rng.integers(len(data)), rng.integers(1, 5000)
            damaged = data[:start] + rng.bytes(len(data[start : start + size])) + data[start + size :]
        storage.write_bytes(damaged)
        try:
            source = open_source(str(storage))
            frames = list(source)
        except SourceError:
            refused += 1
        else:
            readable += 1
            assert len(frames) + sum(source.skipped.values()) == source.frame_count
    assert readable > refused > 0
