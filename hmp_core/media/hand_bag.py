# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hands out of a bag that holds ``hand/mano``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hmp_core.errors import SourceError
from hmp_core.estimate import FrameEstimate
from hmp_core.media.bag_reader import BagReader
from hmp_core.media.estimate_reader import estimate_from_message
from hmp_core.media.hand_topics import HANDS
from hmp_core.media.message_reader import nanoseconds

HANDS_TOPIC: Final = HANDS.under("")


def read_hands(path: Path) -> Iterator[tuple[FrameEstimate, int | None]]:
    """Hands in the order of their recording, each with its latency.

    Yields:
        The hands of one stamp, and the time from that stamp to their publishing [ns]; None where the message does
        not say when it was published.

    Raises:
        SourceError: the file is no bag, or has no hands.
        DataError: a message cannot be used.
    """
    with BagReader(path) as reader:
        connections = reader.on(HANDS_TOPIC)
        if not connections:
            raise SourceError(f"bag {path} has no topic {HANDS_TOPIC}")
        for record in reader.records(connections):
            message = reader.decode(record)
            estimate = estimate_from_message(message)
            published_ns = nanoseconds(message.latency.published_at)
            yield estimate, published_ns - estimate.stamp_ns if published_ns else None
