# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations out of a bag that holds ``hand/observations``."""

from collections.abc import Iterator
from pathlib import Path

from hmp_core.errors import HmpError, SourceError
from hmp_core.media.bag_reader import BagReader, Record, Through
from hmp_core.media.bag_source import choose_topic
from hmp_core.media.hand_topics import OBSERVATIONS
from hmp_core.media.message_reader import observation_from_message
from hmp_core.media.recording import Recording
from hmp_core.observation import FrameObservation


class ObservationBag(Recording):
    """Iterates the observations in order of their recording, once; stamps are ordered as those of frames.

    Observations that cannot be used are skipped, counted in ``skipped`` and warned about.

    Args:
        path: a bag's folder or storage file.
        topic: of the observations; may be left out when there is only one.
        through: sees every record of the bag, of all topics, before the observation in it comes out; without it
            only observations are read.

    Raises:
        SourceError: not a readable bag, no such (or no single) topic (here), or no usable observation (when
            iterating).
    """

    def __init__(self, path: Path, topic: str | None = None, through: Through | None = None) -> None:
        super().__init__(str(path))
        self._path = Path(path)
        self._through = through
        with BagReader(self._path) as reader:
            self.topic = choose_topic(reader, "observation", (OBSERVATIONS.type_name,), topic)
            self.frame_count = sum(connection.msgcount for connection in reader.on(self.topic))

    def __iter__(self) -> Iterator[FrameObservation]:
        count = 0
        for _, observation in self.in_order(self._observations()):
            count += 1
            yield observation
        if count == 0:
            raise SourceError(f"no observation on {self.topic} of {self._path} is usable")

    def _observations(self) -> Iterator[tuple[int, FrameObservation]]:
        with BagReader(self._path) as reader:
            if self._through is not None:
                records = self._through(reader.records())
            else:
                records = reader.records(reader.on(self.topic))
            for record in records:
                if record.connection.topic == self.topic:
                    observation = self._read(reader, record)
                    if observation is not None:
                        yield observation.stamp_ns, observation

    def _read(self, reader: BagReader, record: Record) -> FrameObservation | None:
        try:
            message = reader.decode(record)
            observation = observation_from_message(message)
        except HmpError as error:
            self.skip("unusable observation", str(error))
            return None
        except AttributeError as error:
            self.skip("observation of another version of this package", str(error))
            return None
        self.frame_id = message.header.frame_id
        self.recorded_ns = record.recorded_ns
        return observation
