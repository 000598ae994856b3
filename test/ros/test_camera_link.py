# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest

from hmp_ros import fastdds, rate_meter
from hmp_ros.camera_link import CameraLink


class _Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(rate_meter.time, "monotonic", lambda: self.now)

    def run(self, link: CameraLink, seconds: float, images_hz: float, infos_hz: float) -> None:
        """Let messages arrive evenly."""
        for tick in range(round(seconds * 600)):
            self.now += 1 / 600
            if images_hz and tick % round(600 / images_hz) == 0:
                link.image()
            if infos_hz and tick % round(600 / infos_hz) == 0:
                link.info()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    return _Clock(monkeypatch)


def test_a_camera_that_is_heard_gives_no_complaint(clock: _Clock) -> None:
    link = CameraLink("/image")
    clock.run(link, 10.0, images_hz=30, infos_hz=30)
    assert link.complaint(publishers=1) is None
    assert link.rate_hz == pytest.approx(30, abs=1)


def test_it_is_too_early_to_complain_in_the_first_seconds(clock: _Clock) -> None:
    link = CameraLink("/image")
    clock.run(link, 4.0, images_hz=0, infos_hz=0)
    assert link.complaint(publishers=0) is None


def test_silence_without_a_publisher_asks_for_the_camera(clock: _Clock) -> None:
    link = CameraLink("/cam/image_raw")
    clock.run(link, 6.0, images_hz=0, infos_hz=0)
    complaint = link.complaint(publishers=0)
    assert complaint is not None
    assert "nobody publishes /cam/image_raw" in complaint


@pytest.mark.parametrize(("images_hz", "infos_hz"), [(0, 30), (0, 0), (10, 30)])
def test_images_lost_on_the_way_give_the_line_to_export(clock: _Clock, images_hz: int, infos_hz: int) -> None:
    link = CameraLink("/image")
    clock.run(link, 10.0, images_hz, infos_hz)
    complaint = link.complaint(publishers=1)
    assert complaint is not None
    assert fastdds.export_line() in complaint


def test_a_slow_camera_alone_is_no_reason_to_complain(clock: _Clock) -> None:
    link = CameraLink("/image")
    clock.run(link, 10.0, images_hz=2, infos_hz=2)
    assert link.complaint(publishers=1) is None


def test_a_camera_that_stops_is_told_at_once(clock: _Clock) -> None:
    link = CameraLink("/image")
    clock.run(link, 2.0, images_hz=30, infos_hz=30)
    assert not link.stopped
    clock.run(link, 3.0, images_hz=0, infos_hz=0)
    assert link.stopped
    assert link.complaint(publishers=1) == "images on /image stopped 3 s ago (1 publisher(s) there)"
    clock.run(link, 6.0, images_hz=30, infos_hz=30)
    assert not link.stopped
    assert link.complaint(publishers=1) is None
