# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Against the numbers that the real middleware gives."""

import rclpy
from graph import START_S, Recorder
from rclpy.publisher import Publisher
from std_msgs.msg import Int32

from hmp_ros.loss_counter import LossCounter


class _Reader:
    """Keeps one message until it is asked, as a busy node does."""

    def __init__(self, recorder: Recorder) -> None:
        self.counter = LossCounter()
        self.newest = -1
        self._recorder = recorder
        recorder.node.create_subscription(Int32, "number", self._on_number, 1)

    def publisher(self) -> Publisher:
        publisher = self._recorder.node.create_publisher(Int32, "number", 1)
        assert self._recorder.spin_until(lambda: publisher.get_subscription_count() == 1, START_S)
        return publisher

    def read(self, publisher: Publisher, *numbers: int) -> None:
        """Publish them at once, then read what is left."""
        for number in numbers:
            publisher.publish(Int32(data=number))
        assert self._recorder.spin_until(lambda: self.newest == numbers[-1], START_S)

    def _on_number(self, message: Int32, info: rclpy.subscription.MessageInfo) -> None:
        self.counter.count(info)
        self.newest = message.data


def test_what_was_replaced_unread_is_counted(recorder: Recorder) -> None:
    reader = _Reader(recorder)
    publisher = reader.publisher()
    reader.read(publisher, 0, 1, 2)
    before = reader.counter.lost
    reader.read(publisher, 3)
    assert reader.counter.lost == before, "none was lost"
    reader.read(publisher, 4, 5, 6, 7)
    assert reader.counter.lost == before + 3


def test_another_publisher_begins_anew(recorder: Recorder) -> None:
    reader = _Reader(recorder)
    first = reader.publisher()
    reader.read(first, 0)
    reader.read(reader.publisher(), 10, 11, 12, 13)
    reader.read(first, 1)
    assert reader.counter.lost == 0


def test_what_was_sent_in_a_pause_is_not_missed(recorder: Recorder) -> None:
    reader = _Reader(recorder)
    publisher = reader.publisher()
    reader.read(publisher, 0)
    reader.counter.pause()
    reader.read(publisher, 1, 2, 3)
    assert reader.counter.lost == 0
    reader.read(publisher, 4, 5)
    assert reader.counter.lost == 1


def test_a_middleware_that_says_no_numbers_loses_nothing() -> None:
    counter = LossCounter()
    for _ in range(3):
        counter.count({"source_timestamp": 1, "publication_sequence_number": None, "publisher_gid": None})
        counter.count({})
    assert counter.lost == 0
