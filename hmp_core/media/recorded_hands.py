# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands that were recorded, with the evidence and the images of the same stamps."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hmp_core.errors import SourceError
from hmp_core.estimate import FrameEstimate
from hmp_core.media.bag_reader import BagReader
from hmp_core.media.bag_source import BagSource
from hmp_core.media.bag_storage import BAG_SUFFIXES
from hmp_core.media.hand_bag import HandBag, hand_topics
from hmp_core.media.hand_topics import OBSERVATIONS
from hmp_core.media.intrinsics import Intrinsics
from hmp_core.media.observation_bag import ObservationBag
from hmp_core.media.video_source import VideoSource
from hmp_core.observation import FrameObservation

Item = TypeVar("Item")
Image = NDArray[np.uint8]
RecordedFrame = tuple[FrameEstimate, FrameObservation | None, Image | None]

_SAME_NS: Final = 100_000
"""Stamps that went through a video file are rounded to its clock of 90 kHz."""

_log = logging.getLogger(__name__)


class RecordedHands:
    """Iterates the hands of a bag, each with what has the same stamp.

    Args:
        bag: with ``hand/mano``, perhaps ``hand/observations`` in the same namespace.
        video: images from the first stamp on, such as the overlay of ``hmp track``; None takes the bag's.
        topic: image topic of the bag; may be left out when there is only one.
        namespace: of the hands; may be left out when there is only one.

    Attributes:
        count: number of frames, those included that turn out to be unusable.

    Raises:
        SourceError: not a readable bag, no such (or no single) hands in it, or no such image topic.
    """

    def __init__(
        self, bag: Path, video: Path | None = None, topic: str | None = None, namespace: str | None = None
    ) -> None:
        self._bag = bag
        self._video = video
        self._hands = HandBag(bag, namespace)
        self.count = self._hands.frame_count
        with BagReader(bag) as reader:
            observed = OBSERVATIONS.under(self._hands.namespace)
            self._observed = observed if reader.on(observed) else None
        self._images: BagSource | None = None
        if video is None:
            try:
                self._images = BagSource(bag, Intrinsics(), topic)
            except SourceError as error:
                if topic is not None:
                    raise
                _log.warning("hands without images: %s", error)

    def __iter__(self) -> Iterator[RecordedFrame]:
        observations = _ByStamp((item.stamp_ns, item) for item in self._observations())
        images: _ByStamp[Image] | None = None
        for estimate, _ in self._hands:
            images = images or _ByStamp(self._stamped_images(estimate.stamp_ns))
            yield estimate, observations.at(estimate.stamp_ns), images.at(estimate.stamp_ns)

    def _observations(self) -> Iterable[FrameObservation]:
        return ObservationBag(self._bag, self._observed) if self._observed else ()

    def _stamped_images(self, first_ns: int) -> Iterator[tuple[int, Image]]:
        if self._video is not None:
            source = VideoSource(self._video, Intrinsics())
            yield from ((first_ns + stamp_ns, image) for stamp_ns, image in source.images())
        elif self._images is not None:
            yield from self._images.images()


def find_recorded_hands(
    source: str, topic: str | None = None, namespace: str | None = None
) -> RecordedHands | None:
    """Recorded hands by the name of a bag that holds some, or of a folder of ``hmp track``; None for all else.

    Raises:
        SourceError: as :class:`RecordedHands`.
    """
    path = Path(source)
    bag, overlay = path / "hands.mcap", path / "overlay.mp4"
    if bag.is_file():
        return RecordedHands(bag, overlay if overlay.is_file() else None)
    is_bag = path.is_file() and path.suffix in BAG_SUFFIXES
    is_bag |= path.is_dir() and any(file.suffix in BAG_SUFFIXES for file in path.iterdir())
    if is_bag and _holds_hands(path):
        return RecordedHands(path, topic=topic, namespace=namespace)
    return None


class _ByStamp(Generic[Item]):
    """Looks up a stream whose stamps increase by stamps that increase, too."""

    def __init__(self, stamped: Iterable[tuple[int, Item]]) -> None:
        self._stamped = iter(stamped)
        self._next = next(self._stamped, None)

    def at(self, stamp_ns: int) -> Item | None:
        """What has this stamp, None without it."""
        while self._next is not None and self._next[0] < stamp_ns - _SAME_NS:
            self._next = next(self._stamped, None)
        if self._next is None or self._next[0] > stamp_ns + _SAME_NS:
            return None
        return self._next[1]


def _holds_hands(bag: Path) -> bool:
    with BagReader(bag) as reader:
        return bool(hand_topics(reader))
