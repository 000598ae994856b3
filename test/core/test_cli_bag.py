# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest
from bag_files import START_NS, STORE, header
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from hmp_core.cli.main import main
from hmp_core.errors import SourceError
from hmp_core.media.bag_copy import BagCopy
from hmp_core.media.bag_reader import BagReader
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.hand_topics import HANDS, OBSERVATIONS
from hmp_core.media.intrinsics import load_camera
from hmp_core.media.message_fields import camera_info_fields
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.message_types import serialize
from hmp_core.media.sources import open_source

ROOT = Path(__file__).resolve().parents[2]
ENTRY = [sys.executable, "-c", "from hmp_core.cli.main import main; main()"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
FOREVER = QosTime(9_223_372_036, 854_775_807)
LATCHED = Qos(
    QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL,
    FOREVER, FOREVER, QosLiveliness.AUTOMATIC, FOREVER, False,
)  # fmt: skip
ODD_HASH = "RIHS01_02f127fed715f4472b49880ee19b6dd4f9f9ca4fbd283277371504a601400bb4"
ODD = ("odd_pkg/msg/Odd", "uint32 seq\nstring text\n", ODD_HASH)
COUNT = 75
GAP = range(20, 57)
"""Frames, and those that the camera did not deliver: 1.2 s."""


def stored(path):
    with BagReader(path) as reader:
        return [(item.connection.topic, item.recorded_ns, bytes(item.data)) for item in reader.records()]


def messages(path, topic):
    """Time of recording and message."""
    with BagReader(path) as reader:
        return [(item.recorded_ns, reader.decode(item)) for item in reader.records(reader.on(topic))]


def record(clip, path, plugin, compressed_images=True, count=COUNT):
    """The clip over and over with a gap, its camera info, a latched topic, and one of a type that nobody knows."""
    camera = load_camera(Path(clip.camera))
    writer = Writer(path, version=9, storage_plugin=plugin)
    with writer:
        kind = "sensor_msgs/msg/CompressedImage" if compressed_images else "sensor_msgs/msg/Image"
        name = "/cam/image_raw/compressed" if compressed_images else "/cam/image_raw"
        latched = writer.add_connection(
            "/map", "std_msgs/msg/String", typestore=STORE, offered_qos_profiles=[LATCHED]
        )
        images = writer.add_connection(name, kind, typestore=STORE)
        infos = writer.add_connection("/cam/camera_info", "sensor_msgs/msg/CameraInfo", typestore=STORE)
        odd = writer.add_connection("/odd", ODD[0], msgdef=ODD[1], rihs01=ODD[2])
        text = STORE.types["std_msgs/msg/String"]("hello")
        writer.write(latched, START_NS, STORE.serialize_cdr(text, "std_msgs/msg/String"))
        for index, frame in enumerate(islice(cycle([*open_source(clip.video)]), count)):
            if index in GAP:
                continue
            stamp = START_NS + round(index * 1e9 / 30)
            recorded = stamp + 8_000_000 + index % 7
            info = camera_info_fields(camera, stamp, "cam_optical")
            writer.write(infos, recorded - 1, serialize("sensor_msgs/msg/CameraInfo", info))
            if compressed_images:
                data = cv2.imencode(".jpg", frame.image)[1].ravel()
                message = STORE.types[kind](header(stamp), "jpeg", data)
            else:
                height, width, _ = frame.image.shape
                pixels = frame.image.ravel()
                message = STORE.types[kind](header(stamp), height, width, "bgr8", 0, 3 * width, pixels)
            writer.write(images, recorded, STORE.serialize_cdr(message, kind))
            writer.write(odd, recorded + 3, b"\0\1\0\0" + bytes([index % 256]) * (index % 50))
    return path


@pytest.fixture
def hmp(monkeypatch, capsys):
    """Run the command in this process; returns exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hmp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def replayed(clip, tmp_path_factory):
    """A recording, and the same with hands."""
    folder = tmp_path_factory.mktemp("bags")
    source = record(clip, folder / "recording", StoragePlugin.MCAP)
    done = subprocess.run(
        [*ENTRY, "bag", source, folder / "hands", "--json"], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr
    return source, folder / "hands", json.loads(done.stdout)


def test_the_originals_are_there_byte_for_byte_and_hands_beside_them(replayed, clip):
    source, out, summary = replayed
    originals = stored(source)
    topics = {topic for topic, *_ in originals}
    assert [item for item in stored(out) if item[0] in topics] == originals
    with BagReader(source) as before, BagReader(out) as after:
        assert after.storage == before.storage
        for connection in before.connections:
            (copy,) = after.on(connection.topic)
            assert copy[1:-1] == connection[1:-1], "type, definition, hash, count, qualities of service"
        counts = {item.topic: item.msgcount for item in after.connections if item.topic not in topics}
        (info,) = after.on("/hand/info")
        assert info.ext.offered_qos_profiles == [LATCHED]
    with AnyReader([out]) as reader:  # metadata, definitions and hashes are consistent
        assert reader.message_count == len(originals) + sum(counts.values())
    images = COUNT - len(GAP)
    # Where images stop, hands are lost, and leave before the images are back or stay.
    assert counts == {
        "/hand/observations": images, "/hand/mano": images + 1, "/hand/mano_smoothed": images + 1,
        "/hand/mano_predicted": images + 1, "/hand/info": 1,
    }  # fmt: skip
    assert (summary["frames"], summary["complete"], summary["skipped"]) == (images, True, {})
    assert summary["copied"] == len(originals)
    assert summary["status"]["observed"] > 30


def test_stamps_are_the_images_and_times_those_of_their_recording(replayed):
    source, out, _ = replayed
    taken = {
        nanoseconds(image.header.stamp): recorded
        for recorded, image in messages(source, "/cam/image_raw/compressed")
    }
    hands = [(at, estimate_from_message(message)) for at, message in messages(out, "/hand/mano")]
    lost = [hand.status.name for at, frame in hands if frame.stamp_ns not in taken for hand in frame.hands]
    assert lost
    assert set(lost) == {"LOST"}
    assert {frame.stamp_ns: at for at, frame in hands if frame.stamp_ns in taken} == taken
    seen = messages(out, "/hand/observations")
    assert {nanoseconds(message.header.stamp): at for at, message in seen} == taken
    assert {message.header.frame_id for _, message in seen} == {"cam_optical"}
    assert all(message.camera_calibrated for _, message in seen), "the camera info beside the images"
    smoothed = messages(out, "/hand/mano_smoothed")
    assert [nanoseconds(message.header.stamp) for _, message in smoothed] == [frame.stamp_ns for _, frame in hands]
    ((_, info),) = messages(out, "/hand/info")
    assert (len(info.joint_names), len(info.prior_sha256), info.window) == (21, 64, pytest.approx(1.7))


def test_it_is_the_same_bit_by_bit_from_another_run_and_from_the_observations_alone(replayed, tmp_path, hmp):
    source, out, _ = replayed
    again, third = tmp_path / out.name, tmp_path / "from_observations"
    assert hmp("bag", source, again)[0] == 0
    assert (again / "hands.mcap").read_bytes() == (out / "hands.mcap").read_bytes()
    blind = tmp_path / "blind"
    with BagReader(out) as reader, Writer(blind, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        (seen,) = reader.on("/hand/observations")
        copy = writer.add_connection(
            "/left/hand/observations", seen.msgtype, msgdef=seen.msgdef.data, rihs01=seen.digest
        )
        for item in reader.records([seen]):
            writer.write(copy, item.recorded_ns, item.data)
    code, stdout, stderr = hmp("bag", blind, third, "--namespace", "left", "--json")
    assert code == 0, stderr
    assert json.loads(stdout)["from"] == "observations"
    for name in ("mano", "mano_smoothed", "mano_predicted"):
        first = [item[1:] for item in stored(out) if item[0] == f"/hand/{name}"]
        assert first == [item[1:] for item in stored(third) if item[0] == f"/left/hand/{name}"]
    assert not list(third.glob("*.mcap")), "as stored before"
    # A bag that has ours already.
    code, _, stderr = hmp("bag", out, tmp_path / "taken")
    assert code == 2
    assert "--namespace replay" in stderr


def test_interrupted_it_keeps_what_was_done(clip, tmp_path):
    source = record(clip, tmp_path / "recording", StoragePlugin.MCAP, compressed_images=False, count=300)
    out = tmp_path / "out"
    run = subprocess.Popen([*ENTRY, "bag", source, out, "--json"], env=ENVIRONMENT, stdout=-1, stderr=-1)
    deadline = time.monotonic() + 100
    storage = out / "out.mcap"
    while not (storage.exists() and storage.stat().st_size > 3e6) and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 0, stderr
    assert b"interrupted" in stderr
    summary = json.loads(stdout)
    assert not summary["complete"]
    assert 0 < summary["copied"] < 700
    copied, originals = stored(out), stored(source)
    topics = {topic for topic, *_ in originals}
    assert [item for item in copied if item[0] in topics] == originals[: summary["copied"]]
    assert sum(item[0] == "/hand/observations" for item in copied) == summary["frames"]


@pytest.mark.parametrize(
    ("plugin", "mode"),
    [
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
    ],
)
def test_a_copy_is_compressed_as_the_original(tmp_path, plugin, mode):
    writer = Writer(tmp_path / "bag", version=8, storage_plugin=plugin)
    writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        odd = writer.add_connection("/odd", ODD[0], msgdef=ODD[1], rihs01=ODD[2])
        for index in range(9):
            writer.write(odd, index, b"\0\1\0\0" + bytes(1000))
    with BagReader(tmp_path / "bag") as reader, BagCopy(tmp_path / "copy", tmp_path / "bag", "/", [HANDS]) as copy:
        for item in reader.records():
            copy.copy(item)
    with BagReader(tmp_path / "copy") as reader:
        assert (reader.storage, reader.compression) == (plugin, mode)
    assert stored(tmp_path / "copy") == stored(tmp_path / "bag")


def test_types_without_definition_are_copied(tmp_path):
    for plugin in (StoragePlugin.SQLITE3, StoragePlugin.MCAP):
        bag, out = tmp_path / f"{plugin.name}", tmp_path / f"{plugin.name}_copy"
        with Writer(bag, version=8, storage_plugin=plugin) as writer:
            if plugin == StoragePlugin.SQLITE3:
                writer.added_types |= {ODD[0], "std_msgs/msg/String"}
            for name, kind in (("/odd", ODD[0]), ("/text", "std_msgs/msg/String")):
                connection = writer.add_connection(name, kind, msgdef="", rihs01="RIHS01_x")
                writer.write(connection, 5, b"\0\1\0\0\2\0\0\0a\0")
        with BagReader(bag) as reader, BagCopy(out, bag, "/", [OBSERVATIONS]) as copy:
            for item in reader.records():
                copy.copy(item)
        assert stored(out) == stored(bag)


def test_a_disk_that_is_full_is_said_and_what_was_written_can_be_read(tmp_path, monkeypatch, caplog):
    bag, out = tmp_path / "bag", tmp_path / "copy"
    with Writer(bag, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        odd = writer.add_connection("/odd", ODD[0], msgdef=ODD[1], rihs01=ODD[2])
        for index in range(9):
            writer.write(odd, index, b"\0\1\0\0")
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))
    write = Writer.write

    def full(writer, connection, timestamp, data):
        if timestamp == 5:
            raise OSError(28, "No space left on device")
        write(writer, connection, timestamp, data)

    monkeypatch.setattr(Writer, "write", full)

    def copy_all():
        with BagReader(bag) as reader, BagCopy(out, bag, "/", [HANDS]) as copy:
            for item in reader.records():
                copy.copy(item)

    with pytest.raises(SourceError, match="No space left"):
        copy_all()
    assert "only 0.0 GB are left" in caplog.text
    assert stored(out) == stored(bag)[:5]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["images", "exists"], "exists already and is not overwritten"),
        (["images", "new.mcap"], "leave out .mcap"),
        (["images", "new", "--image-topic", "/b"], "no image topic /b; its image topics: /a, /c"),
        (["images", "new"], "needs the image topic named; its image topics: /a, /c"),
        (["images", "new", "--from", "observations"], "its observation topics: none"),
        (["missing", "new"], "cannot read bag missing"),
        (["broken.mcap", "new"], "cannot read bag broken.mcap"),
    ],
)
def test_bad_requests_end_with_one_line_and_leave_nothing(tmp_path, monkeypatch, hmp, arguments, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exists").mkdir()
    (tmp_path / "broken.mcap").write_bytes(bytes(1000))
    with Writer(tmp_path / "images", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        for name in ("/a", "/c"):
            connection = writer.add_connection(name, "sensor_msgs/msg/CompressedImage", typestore=STORE)
            writer.write(connection, 1, b"\0\1\0\0")
    before = sorted(tmp_path.iterdir())
    code, _, stderr = hmp("bag", *arguments)
    assert code == 2
    (line,) = [line for line in stderr.splitlines() if line.startswith("error:")]
    assert told in line
    assert sorted(tmp_path.iterdir()) == before
