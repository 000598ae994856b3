# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest

from hmp_core.camera import Camera
from hmp_core.errors import ConfigError, SourceError
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.sources import open_source
from hmp_core.media.video_writer import VideoWriter

PERIOD_NS = 1_000_000_000 // 30


def picture(index, width=64, height=48):
    """A grey picture whose brightness is its number, red in the upper left corner."""
    image = np.full((height, width, 3), 40 + 8 * index, np.uint8)
    image[: height // 2, : width // 2] = (0, 0, 255)
    return image


def write_video(path, count=10, stamps_ns=None, **size):
    with VideoWriter(path) as writer:
        for index, stamp_ns in enumerate(stamps_ns or [index * PERIOD_NS for index in range(count)]):
            writer.write(picture(index, **size), stamp_ns)


def brightness(frame):
    return float(frame.image[-5:, -5:].mean())


def test_video_round_trip_keeps_times_order_and_colour(tmp_path):
    path = tmp_path / "clip.mp4"
    stamps_ns = [5_000_000_000 + stamp for stamp in (0, 33_000_000, 66_000_000, 200_000_000, 216_000_000)]
    write_video(path, stamps_ns=stamps_ns)
    source = open_source(str(path), Intrinsics(Camera(64, 48, 80, 80, 31.5, 23.5)))
    frames = list(source)
    assert source.frame_count == 5
    np.testing.assert_allclose(
        [frame.stamp_ns for frame in frames], np.array(stamps_ns) - stamps_ns[0], atol=12_000
    )
    np.testing.assert_allclose([brightness(frame) for frame in frames], 40 + 8 * np.arange(5), atol=4)
    assert frames[0].image[10, 10, 2] > 200
    assert frames[0].image[10, 10, :2].max() < 60
    assert frames[0].camera.calibrated


def test_opencv_reads_the_written_video(tmp_path):
    write_video(tmp_path / "clip.mp4", count=8, width=65, height=47)
    capture = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    shapes = []
    while (result := capture.read())[0]:
        shapes.append(result[1].shape)
    assert shapes == [(48, 66, 3)] * 8


def test_writer_fits_other_sizes_and_survives_repeated_stamps(tmp_path):
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        writer.write(picture(0), 100)
        writer.write(picture(10, width=32, height=48), 100)
        writer.write(picture(10, width=640, height=480), 50)
    frames = list(open_source(str(tmp_path / "clip.mp4")))
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 3
    assert frames[1].image[40, 10].min() > 100
    assert frames[1].image[40, 60].max() < 20
    assert abs(brightness(frames[2]) - 120) < 4


def test_writer_leaves_a_playable_file_after_an_interrupt_and_none_without_images(tmp_path):
    def record_until_interrupted():
        with VideoWriter(tmp_path / "clip.mp4") as writer:
            writer.write(picture(0), 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record_until_interrupted()
    assert len(list(open_source(str(tmp_path / "clip.mp4")))) == 1
    with VideoWriter(tmp_path / "none.mp4"):
        pass
    assert not (tmp_path / "none.mp4").exists()
    with pytest.raises(SourceError, match="cannot write"), VideoWriter(tmp_path / "no" / "clip.mp4") as writer:
        writer.write(picture(0), 0)


def test_phone_video_is_turned_upright(tmp_path):
    path = tmp_path / "clip.mp4"
    write_video(path, count=3)
    data = bytearray(path.read_bytes())
    # The track header's matrix: 90 degrees clockwise at display time, as phones write it.
    matrix = data.index(b"tkhd") + 4 + 40
    quarter = [0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30]
    data[matrix : matrix + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in quarter)
    path.write_bytes(data)
    image = next(iter(open_source(str(path)))).image
    assert image.shape == (64, 48, 3)
    np.testing.assert_array_equal(image.shape, cv2.VideoCapture(str(path)).read()[1].shape)
    assert image[10, 40, 2] > 200  # upper left before, upper right after
    assert image[10, 40, :2].max() < 60


@pytest.mark.parametrize("content", [b"", b"this is not a video", b"\0" * 5000])
def test_unreadable_video_is_refused_by_name(tmp_path, content):
    (tmp_path / "broken.mp4").write_bytes(content)
    with pytest.raises(SourceError, match=r"cannot read video .*broken\.mp4"):
        open_source(str(tmp_path / "broken.mp4"))


def test_damaged_video_gives_what_it_holds_and_counts_the_rest(tmp_path):
    path = tmp_path / "damaged.mp4"
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / "clip.mp4") as writer:
        for index in range(30):
            writer.write(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), index * PERIOD_NS)
    data = (tmp_path / "clip.mp4").read_bytes()
    # Damage the middle of the media data; the index at the end stays.
    middle = len(data) // 2
    path.write_bytes(data[:middle] + bytes(2000) + data[middle + 2000 :])
    source = open_source(str(path))
    stamps = [frame.stamp_ns for frame in source]
    assert 10 < len(stamps) <= 30
    assert (np.diff(stamps) > 0).all()
    assert sum(source.skipped.values()) == 30 - len(stamps) > 0


def test_video_without_a_decodable_frame_is_refused(tmp_path):
    write_video(tmp_path / "clip.mp4", count=1)
    data = bytearray((tmp_path / "clip.mp4").read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    data[start:end] = bytes(end - start)
    (tmp_path / "clip.mp4").write_bytes(data)
    with pytest.raises(SourceError, match="no frame of video"):
        list(open_source(str(tmp_path / "clip.mp4")))


def test_image_folder_is_read_in_natural_order_with_gaps_for_broken_images(tmp_path, caplog):
    for index in range(12):
        cv2.imwrite(str(tmp_path / f"frame_{index}.png"), picture(index))
    (tmp_path / "frame_3.png").write_bytes(b"broken")
    (tmp_path / "notes.txt").write_text("not an image")
    cv2.imwrite(str(tmp_path / "frame_12.jpg"), picture(12, width=128, height=96))
    source = open_source(str(tmp_path), fps=10)
    frames = list(source)
    numbers = [index for index in range(13) if index != 3]
    assert [frame.stamp_ns for frame in frames] == [index * 100_000_000 for index in numbers]
    np.testing.assert_allclose([brightness(frame) for frame in frames], 40 + 8 * np.array(numbers), atol=2)
    assert source.skipped == {"unreadable image": 1}
    assert (frames[-1].camera.width, frames[-1].camera.height) == (128, 96)
    assert "frame_3.png" in caplog.text
    assert "calibrate the camera" in caplog.text


def test_bad_folders_cameras_and_rates_are_refused(tmp_path):
    with pytest.raises(SourceError, match="holds no image"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"broken")
    with pytest.raises(SourceError, match="none of the 1 images"):
        list(open_source(str(tmp_path)))
    with pytest.raises(ConfigError, match="fps"):
        open_source(str(tmp_path), fps=0)
    with pytest.raises(SourceError, match="does not exist"):
        open_source(str(tmp_path / "missing.mp4"))
    with pytest.raises(SourceError, match="camera 97 does not open"):
        open_source("97")
