# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands out of a bag that holds ``hand/mano``, in whatever namespace."""

from collections.abc import Iterator
from pathlib import Path

from hmp_core.errors import HmpError, SourceError
from hmp_core.estimate import FrameEstimate
from hmp_core.media.bag_reader import BagReader, Record
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.hand_topics import HANDS
from hmp_core.media.message_reader import nanoseconds
from hmp_core.media.recording import Recording


class HandBag(Recording):
    """Iterates the hands in order of their recording, once; stamps are ordered as those of frames.

    Messages that cannot be used are skipped, counted in ``skipped`` and warned about.

    Args:
        path: a bag's folder or storage file.
        namespace: of the topic, such as ``/left``; may be left out when there is only one.

    Attributes:
        topic: of the hands.
        namespace: it is in.

    Raises:
        SourceError: not a readable bag, no such (or no single) topic (here), or messages of which none is usable
            (when iterating).
    """

    def __init__(self, path: Path, namespace: str | None = None) -> None:
        super().__init__(str(path))
        self._path = Path(path)
        with BagReader(self._path) as reader:
            self.topic = _choose_topic(reader, namespace)
            self.frame_count = sum(connection.msgcount for connection in reader.on(self.topic))
        self.namespace = self.topic.removesuffix(HANDS.under(""))

    def __iter__(self) -> Iterator[tuple[FrameEstimate, int | None]]:
        """Yields the hands of one stamp, and the time from that stamp to their publishing [ns]; None where the
        message does not say when it was published."""
        count = 0
        for _, stamped in self.in_order(self._estimates()):
            count += 1
            yield stamped
        if count == 0 and self.skipped:
            raise SourceError(f"no message on {self.topic} of {self._path} is usable")

    def _estimates(self) -> Iterator[tuple[int, tuple[FrameEstimate, int | None]]]:
        with BagReader(self._path) as reader:
            for record in reader.records(reader.on(self.topic)):
                stamped = self._read(reader, record)
                if stamped is not None:
                    yield stamped[0].stamp_ns, stamped

    def _read(self, reader: BagReader, record: Record) -> tuple[FrameEstimate, int | None] | None:
        try:
            message = reader.decode(record)
            estimate = estimate_from_message(message)
            published_ns = nanoseconds(message.latency.published_at)
        except HmpError as error:
            self.skip("unusable hands", str(error))
            return None
        except AttributeError as error:
            self.skip("hands of another version of this package", str(error))
            return None
        self.frame_id = message.header.frame_id
        self.recorded_ns = record.recorded_ns
        return estimate, published_ns - estimate.stamp_ns if published_ns else None


def hand_topics(reader: BagReader) -> list[str]:
    """The topics of a bag that are ``hand/mano`` in some namespace, sorted; smoothed and predicted are not."""
    return [topic for topic in reader.of_type(HANDS.type_name) if topic.endswith(HANDS.under(""))]


def _choose_topic(reader: BagReader, namespace: str | None) -> str:
    topics = hand_topics(reader)
    if namespace is not None and HANDS.under(namespace) in topics:
        return HANDS.under(namespace)
    if not topics:
        raise SourceError(f"bag {reader.path} has no topic {HANDS.name} of {HANDS.type_name}")
    listed = ", ".join(topics)
    if namespace is not None:
        raise SourceError(f"bag {reader.path} has no topic {HANDS.under(namespace)}; its hands: {listed}")
    if len(topics) > 1:
        raise SourceError(f"bag {reader.path} needs the hands' namespace named; its hands: {listed}")
    return topics[0]
