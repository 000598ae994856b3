# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Observations out of a bag that holds ``hand/observations``."""

from collections.abc import Iterator
from pathlib import Path

from rosbags.highlevel import AnyReader, AnyReaderError

from hmp_core.errors import SourceError
from hmp_core.media.bag_writer import OBSERVATIONS_TOPIC
from hmp_core.media.message_reader import observation_from_message
from hmp_core.media.message_types import message_typestore
from hmp_core.observation import FrameObservation


def read_observations(path: Path) -> Iterator[FrameObservation]:
    """Observations in the order of their recording.

    Raises:
        SourceError: the file is no bag, or has no observations.
        DataError, CameraError: a message cannot be used.
    """
    try:
        with AnyReader([path], default_typestore=message_typestore()) as reader:
            connections = [item for item in reader.connections if item.topic == OBSERVATIONS_TOPIC]
            if not connections:
                raise SourceError(f"bag {path} has no topic {OBSERVATIONS_TOPIC}")
            for connection, _, data in reader.messages(connections):
                yield observation_from_message(reader.deserialize(data, connection.msgtype))
    except (OSError, AnyReaderError) as error:
        raise SourceError(f"cannot read observations from {path}: {error}") from error
