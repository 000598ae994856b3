# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages of every encoding, size, padding and damage: each becomes a picture or an ImageError."""

import array
import struct
import zlib
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmp_core.errors import ImageError
from hmp_core.media import ros_image
from hmp_core.media.compressed_image import MAX_PIXELS, decode_compressed
from hmp_core.media.ros_image import image_to_bgr

PIXEL_BYTES = {
    "bgr8": 3, "rgb8": 3, "8UC3": 3, "bgra8": 4, "rgba8": 4, "8UC4": 4, "mono8": 1, "8UC1": 1, "mono16": 2,
    "bgr16": 6, "rgb16": 6, "16UC3": 6, "bgra16": 8, "rgba16": 8, "uyvy": 2, "yuv422": 2, "yuyv": 2, "yuy2": 2,
    "yuv422_yuy2": 2, "nv12": 1, "nv21": 1, "bayer_rggb8": 1, "bayer_bggr8": 1, "bayer_gbrg8": 1,
    "bayer_grbg8": 1, "bayer_rggb16": 2,
}  # fmt: skip
PLANAR = {"nv12", "nv21"}
YUV = {"uyvy", "yuv422", "yuyv", "yuy2", "yuv422_yuy2", *PLANAR}
CHANNELS = {"bgr8": [0, 1, 2], "rgb8": [2, 1, 0], "bgra8": [0, 1, 2], "rgba8": [2, 1, 0]}


def message(encoding, width, height, data, step, big_endian=False):
    return SimpleNamespace(
        encoding=encoding, width=width, height=height, step=step, is_bigendian=int(big_endian),
        data=array.array("B", bytes(data)),
    )  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    encoding=st.sampled_from(sorted(PIXEL_BYTES)),
    width=st.integers(1, 21),
    height=st.integers(1, 21),
    padding=st.integers(0, 9),
    big_endian=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_every_encoding_and_size_gives_a_picture_or_says_why_not(
    encoding, width, height, padding, big_endian, seed
):
    step = width * PIXEL_BYTES[encoding] + padding
    rows = int(height * 1.5) if encoding in PLANAR else height
    data = np.random.default_rng(seed).integers(0, 256, step * rows, dtype=np.uint8)
    odd = width % 2 or (height % 2 and encoding in PLANAR)
    if encoding in YUV and odd:
        with pytest.raises(ImageError, match="even size"):
            image_to_bgr(message(encoding, width, height, data, step, big_endian))
        return
    picture = image_to_bgr(message(encoding, width, height, data, step, big_endian))
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    # The padding says nothing, and the last row may lack it.
    bare = data.reshape(rows, step)[:, : step - padding].copy()
    again = image_to_bgr(message(encoding, width, height, bare, step - padding, big_endian))
    np.testing.assert_array_equal(again, picture)
    cut = data[: len(data) - padding]
    np.testing.assert_array_equal(image_to_bgr(message(encoding, width, height, cut, step, big_endian)), picture)


@settings(max_examples=40, deadline=None)
@given(encoding=st.sampled_from(sorted(CHANNELS)), width=st.integers(1, 9), height=st.integers(1, 9))
def test_channels_come_out_in_order(encoding, width, height):
    data = np.random.default_rng(1).integers(0, 256, (height, width, PIXEL_BYTES[encoding]), dtype=np.uint8)
    picture = image_to_bgr(message(encoding, width, height, data.reshape(-1), width * data.shape[2]))
    np.testing.assert_array_equal(picture, data[..., CHANNELS[encoding]])


@settings(max_examples=120, deadline=None)
@given(
    encoding=st.one_of(st.sampled_from(sorted(PIXEL_BYTES)), st.sampled_from(["", "32FC1", "16UC1", "8SC1", "x"])),
    width=st.integers(0, 40),
    height=st.integers(0, 40),
    step=st.integers(0, 200),
    size=st.integers(0, 4000),
)
def test_layouts_that_contradict_their_data_are_refused_and_nothing_else_happens(
    encoding, width, height, step, size
):
    try:
        picture = image_to_bgr(message(encoding, width, height, np.full(size, 7, np.uint8), step))
    except ImageError:
        pass
    else:
        assert picture.shape == (height, width, 3)
        assert step * (height - 1) < size


@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_mosaics_show_their_colour(order):
    for channel, colour in enumerate("bgr"):
        mosaic = np.zeros((24, 32), np.uint8)
        for site, letter in enumerate(order):
            if letter == colour:
                mosaic[site // 2 :: 2, site % 2 :: 2] = 200
        inside = image_to_bgr(message(f"bayer_{order}8", 32, 24, mosaic.reshape(-1), 32))[6:-6, 6:-6]
        mean = inside.mean((0, 1))
        assert mean[channel] > 190, (order, colour, mean)
        assert np.delete(mean, channel).max() < 10


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1", "64FC1"])
def test_depth_on_the_image_topic_is_called_depth(encoding):
    with pytest.raises(ImageError, match=r"depth image .* depth_topic"):
        image_to_bgr(message(encoding, 4, 4, np.zeros(128, np.uint8), 32))


@pytest.mark.parametrize(
    "description", ["16UC1; compressedDepth png", "32FC1; compressedDepth", "16UC1; png compressed 16UC1"]
)
def test_compressed_depth_is_called_depth(description):
    png = cv2.imencode(".png", np.zeros((4, 4), np.uint16))[1]
    with pytest.raises(ImageError, match=r"depth image .* depth_topic"):
        image_to_bgr(SimpleNamespace(format=description, data=bytes(12) + png.tobytes()))


def test_messages_and_images_are_bounded(monkeypatch):
    with pytest.raises(ImageError, match="larger than 33554432 pixels"):
        image_to_bgr(message("mono8", 2**31, 2**31, b"", 2**31))
    monkeypatch.setattr(ros_image, "MAX_BYTES", 1000)
    with pytest.raises(ImageError, match="1001 bytes is larger than 1000 bytes"):
        image_to_bgr(message("mono8", 7, 7, np.zeros(1001, np.uint8), 7))


def png_chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_decompression_bomb_is_refused_before_it_unpacks():
    side = 60_000
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((side // 8 + 1) * 100), 9)
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    with pytest.raises(ImageError, match=f"60000x60000 pixels is larger than {MAX_PIXELS}"):
        image_to_bgr(SimpleNamespace(format="png", data=png))
    jpeg = bytearray(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(ImageError, match="65000x65000 pixels is larger"):
        image_to_bgr(SimpleNamespace(format="jpeg", data=bytes(jpeg)))


def smooth_picture():
    y, x = np.mgrid[0:30, 0:42]
    return np.stack([5 * x, 8 * y, 100 + x + y], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    ("suffix", "options"),
    [(".png", []), (".jpg", []), (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
     (".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])],
)  # fmt: skip
def test_jpeg_and_png_of_any_kind_decode(suffix, options):
    data = cv2.imencode(suffix, smooth_picture(), options)[1]
    decoded = image_to_bgr(SimpleNamespace(format=f"bgr8; {suffix} compressed bgr8", data=data.tobytes()))
    assert np.abs(decoded.astype(int) - smooth_picture()).mean() < 3


def test_a_file_whose_first_channel_is_red_is_read_as_its_description_says():
    data = cv2.imencode(".png", smooth_picture())[1].tobytes()
    read = {
        text: image_to_bgr(SimpleNamespace(format=text, data=data)) for text in ("png", "rgb8; png compressed rgb8")
    }
    np.testing.assert_array_equal(read["png"], smooth_picture())
    np.testing.assert_array_equal(read["rgb8; png compressed rgb8"], smooth_picture()[..., ::-1])


def test_grey_and_sixteen_bit_files_become_bgr():
    grey = smooth_picture()[..., 0]
    for picture in (grey, grey.astype(np.uint16) * 257, np.dstack([smooth_picture(), grey])):
        data = cv2.imencode(".png", picture)[1].tobytes()
        decoded = image_to_bgr(SimpleNamespace(format="png", data=data))
        assert decoded.shape == (30, 42, 3)
        assert np.abs(decoded[..., 0].astype(int) - grey).max() <= 1


def test_a_file_that_wants_to_be_turned_stays_as_the_sensor_saw_it():
    jpeg = cv2.imencode(".jpg", smooth_picture())[1].tobytes()
    orientation = struct.pack("<HHII", 0x0112, 3, 1, 6)
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + orientation + bytes(4)
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (42, 30, 3)
    assert image_to_bgr(SimpleNamespace(format="jpeg", data=turned)).shape == (30, 42, 3)


@settings(max_examples=100, deadline=None)
@given(
    suffix=st.sampled_from([".jpg", ".png"]),
    cut=st.integers(0, 900),
    flips=st.lists(st.tuples(st.integers(0, 899), st.integers(0, 255)), max_size=6),
)
def test_damaged_files_are_refused_or_decode_and_never_more(suffix, cut, flips):
    data = bytearray(cv2.imencode(suffix, smooth_picture())[1].tobytes())
    for at, value in flips:
        data[at % len(data)] = value
    data = data[: len(data) - cut % len(data)]
    try:
        decoded = image_to_bgr(SimpleNamespace(format="jpeg", data=bytes(data)))
    except ImageError:
        pass
    else:
        assert decoded.ndim == 3


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(50),
             b"II*\x00" + bytes(50), b"RIFF\x00\x00\x00\x00WEBP"],
)  # fmt: skip
def test_other_formats_are_refused(data):
    with pytest.raises(ImageError, match="does not decode"):
        decode_compressed(np.frombuffer(data, np.uint8), "webp")
