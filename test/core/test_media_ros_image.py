# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from hmp_core.camera import Camera
from hmp_core.errors import CameraError, ImageError
from hmp_core.lens import Distortion
from hmp_core.media.intrinsics import Intrinsics, load_camera, rescale, save_camera
from hmp_core.media.ros_camera import camera_from_info
from hmp_core.media.ros_image import image_to_bgr


def message(encoding, pixels, step=None, big_endian=False):
    """An Image message around a [rows, bytes] array, padded to ``step``."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(pixels.shape[0], -1)
    step = step or rows.shape[1]
    padded = np.pad(rows, ((0, 0), (0, step - rows.shape[1])), constant_values=255)
    return SimpleNamespace(
        encoding=encoding,
        height=pixels.shape[0],
        width=pixels.shape[1],
        step=step,
        is_bigendian=int(big_endian),
        data=array.array("B", padded.tobytes()),
    )


@pytest.fixture
def picture():
    """A smooth 24x32 colour picture: chroma subsampling keeps it."""
    y, x = np.mgrid[0:24, 0:32]
    return np.stack([8 * x, 10 * y, 128 + 0 * x], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("padding", [0, 13])
def test_colour_encodings_give_the_same_picture_with_and_without_padding(picture, padding):
    alpha = np.dstack([picture, np.full(picture.shape[:2], 7, np.uint8)])
    for encoding, pixels in {
        "bgr8": picture,
        "8UC3": picture,
        "rgb8": picture[..., ::-1],
        "bgra8": alpha,
        "rgba8": alpha[..., [2, 1, 0, 3]],
    }.items():
        step = pixels.shape[1] * pixels.shape[2] + padding
        np.testing.assert_array_equal(image_to_bgr(message(encoding, pixels, step)), picture)


def test_grey_and_sixteen_bit_images_become_bgr(picture):
    grey = picture[..., 0]
    np.testing.assert_array_equal(image_to_bgr(message("mono8", grey)), np.dstack([grey] * 3))
    deep = image_to_bgr(message("mono16", grey.astype(np.uint16) * 257, step=80))
    assert np.abs(deep.astype(int) - np.dstack([grey] * 3)).max() <= 1
    big = image_to_bgr(message("mono16", (grey.astype(np.uint16) * 257).byteswap(), big_endian=True))
    np.testing.assert_array_equal(big, deep)


def test_yuv_and_bayer_images_keep_the_colours(picture):
    yuv = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_YUY2)
    i420 = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)
    chroma = i420[24:].reshape(2, -1).T.reshape(12, 32)
    nv12 = message("nv12", np.vstack([i420[:24], chroma]))
    nv12.height = 24
    for image in (image_to_bgr(message("yuv422_yuy2", yuv)), image_to_bgr(nv12)):
        assert image.shape == picture.shape
        assert np.abs(image.astype(int) - picture).mean() < 4
    mosaic = np.zeros((24, 32), np.uint8)
    mosaic[0::2, 0::2] = 200  # red sites of rggb: the picture is pure red
    red = image_to_bgr(message("bayer_rggb8", mosaic))[8:16, 8:16].mean((0, 1))
    assert red[2] > 190
    assert red[:2].max() < 10


def test_compressed_image_decodes(picture):
    png = cv2.imencode(".png", picture)[1]
    decoded = image_to_bgr(SimpleNamespace(format="bgr8; png compressed bgr8", data=png.tobytes()))
    np.testing.assert_array_equal(decoded, picture)


def test_bad_images_are_refused_with_their_fault(picture):
    bad = message("bgr8", picture)
    with pytest.raises(ImageError, match="unknown image encoding 'yuv999'"):
        image_to_bgr(SimpleNamespace(**{**vars(bad), "encoding": "yuv999"}))
    with pytest.raises(ImageError, match="step 95 is below the 96 bytes"):
        image_to_bgr(SimpleNamespace(**{**vars(bad), "step": 95}))
    with pytest.raises(ImageError, match="short of 24 rows"):
        image_to_bgr(SimpleNamespace(**{**vars(bad), "data": bad.data[:-1]}))
    with pytest.raises(ImageError, match="empty"):
        image_to_bgr(SimpleNamespace(**{**vars(bad), "width": 0}))
    with pytest.raises(ImageError, match="short"):
        image_to_bgr(SimpleNamespace(**{**vars(bad), "data": array.array("B")}))
    for data in (b"", b"not a picture"):
        with pytest.raises(ImageError, match="does not decode"):
            image_to_bgr(SimpleNamespace(format="jpeg", data=data))


def info(**changes):
    fields = {
        "width": 640,
        "height": 480,
        "distortion_model": "plumb_bob",
        "k": np.array([500.0, 0, 319.5, 0, 510, 239.5, 0, 0, 1]),
        "p": np.array([480.0, 0, 310, 0, 0, 490, 230, 0, 0, 0, 1, 0]),
        "d": np.array([0.1, -0.2, 0.001, 0.002, 0.0]),
        "binning_x": 0,
        "binning_y": 0,
        "roi": SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0),
    }
    return SimpleNamespace(**{**fields, **changes})


def test_camera_info_gives_intrinsics():
    camera = camera_from_info(info())
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (500, 510, 319.5, 239.5)
    assert camera.distortion is Distortion.PLUMB_BOB
    assert camera.calibrated
    rectified = camera_from_info(info(), rectified=True)
    assert (rectified.fx, rectified.cx, rectified.distortion) == (480, 310, Distortion.NONE)
    assert camera_from_info(info(d=np.zeros(5))).distortion is Distortion.NONE
    assert (
        camera_from_info(info(distortion_model="equidistant", d=np.zeros(4))).distortion is Distortion.EQUIDISTANT
    )


def test_binning_and_region_change_the_principal_point():
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=300)
    camera = camera_from_info(info(roi=roi, binning_x=2, binning_y=2, d=np.zeros(5)))
    assert (camera.width, camera.height) == (200, 150)
    point = np.array([0.1, -0.05, 1.0])
    full = camera_from_info(info(d=np.zeros(5))).project(point)
    np.testing.assert_allclose(camera.project(point), (full - (100, 40) + 0.5) / 2 - 0.5)


@pytest.mark.parametrize("k", [np.zeros(9), np.full(9, np.nan)])
def test_uncalibrated_camera_info_is_refused(k):
    with pytest.raises(CameraError, match="calibrate"):
        camera_from_info(info(k=k))
    with pytest.raises(CameraError, match="unknown distortion model 'ftheta'"):
        camera_from_info(info(distortion_model="ftheta"))


def test_intrinsics_rescale_and_fall_back_with_one_warning(caplog):
    calibrated = Camera(640, 480, 500, 510, 319.5, 239.5)
    intrinsics = Intrinsics(calibrated, fov_deg=70)
    half = intrinsics.camera_for(320, 240)
    np.testing.assert_allclose(half.project(np.array([0.1, 0.1, 1.0])), [184.5, 145.0])
    assert half.calibrated
    assert not caplog.records
    for _ in range(3):
        guessed = intrinsics.camera_for(500, 500)
    assert not guessed.calibrated
    assert len(caplog.records) == 1
    assert "calibrate the camera" in caplog.text
    assert "do not fit" in caplog.text
    intrinsics.calibrate(Camera(500, 500, 400, 400, 250, 250))
    assert intrinsics.camera_for(500, 500).calibrated
    with pytest.raises(CameraError, match="field of view"):
        Intrinsics(fov_deg=0)


def test_camera_file_round_trip_and_faults(tmp_path):
    camera = Camera(640, 480, 500, 510, 319.5, 239.5, Distortion.PLUMB_BOB, (0.1, 0.0, 0.0, 0.0, 0.0))
    save_camera(camera, tmp_path / "camera.json")
    assert load_camera(tmp_path / "camera.json") == camera
    for text in ("", "[1]", '{"width": 3}', '{"width":640,"height":480,"fx":"NaN","fy":1,"cx":1,"cy":1}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(CameraError):
            load_camera(tmp_path / "bad.json")
    with pytest.raises(CameraError, match=r"missing\.json"):
        load_camera(tmp_path / "missing.json")
    with pytest.raises(CameraError):
        rescale(camera, 640, 640)
