# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Is the camera heard? Compares what arrives with what should, and says what to do when images get lost."""

import time
from typing import Final

from hmp_ros import fastdds
from hmp_ros.rate_meter import SPAN_S, RateMeter

_STOPPED_S: Final = 1.0
_MIN_INFOS: Final = 25
_MIN_SHARE: Final = 0.7


class CameraLink:
    """Watches the arrival of images and of the camera infos that are published with them.

    A camera info is small and always gets through; an image of some megabytes needs a transport that is made for
    it. So many infos with few images mean that images are lost on the way.

    Args:
        topic: resolved name of the image topic, for messages.
    """

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._images = RateMeter()
        self._infos = RateMeter()
        self._since = time.monotonic()

    def image(self) -> None:
        """An image arrived."""
        self._images.count()

    def info(self) -> None:
        """A camera info arrived."""
        self._infos.count()

    @property
    def rate_hz(self) -> float:
        """Images a second over the last five seconds."""
        return self._images.hz

    @property
    def age_s(self) -> float | None:
        """Time since the newest image [s]; None before the first."""
        return self._images.age_s

    @property
    def stopped(self) -> bool:
        """Whether images came, and come no more."""
        return self.age_s is not None and self.age_s > _STOPPED_S

    def complaint(self, publishers: int) -> str | None:
        """What is wrong and what to do, None while images arrive or it is too early to say.

        Args:
            publishers: number of publishers on the image topic.
        """
        if self.age_s is not None and self.stopped:
            return f"images on {self._topic} stopped {self.age_s:.0f} s ago ({publishers} publisher(s) there)"
        if time.monotonic() - self._since < SPAN_S:
            return None
        images, infos = self._images.recent, self._infos.recent
        if images == 0 and publishers == 0:
            return f"nobody publishes {self._topic}; start the camera, or set image_topic (ros2 topic list -t)"
        if images == 0:
            return f"{publishers} publisher(s) on {self._topic}, but no image for {SPAN_S:.0f} s. {self._remedy()}"
        if infos >= _MIN_INFOS and images < _MIN_SHARE * infos:
            return f"only {images} images for {infos} camera infos arrived on {self._topic}. {self._remedy()}"
        return None

    def _remedy(self) -> str:
        return (
            "Fast DDS loses large images with its default settings: in the camera's shell, before it starts, type\n"
            f"  {fastdds.export_line()}\nor subscribe to compressed images (compressed:=true)"
        )
