# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write observations and hands to an mcap file that ROS 2 and ``rosbags`` read."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from rosbags.rosbag2 import StoragePlugin, Writer

from hmp_core.estimate import FrameEstimate
from hmp_core.media.hand_topics import BAG_VERSION, HANDS, OBSERVATIONS, HandTopic
from hmp_core.media.message_fields import Fields, Timing, hand_array_fields, observation_array_fields
from hmp_core.media.message_types import message_typestore, serialize
from hmp_core.observation import FrameObservation


class HandBagWriter:
    """Writes ``hand/observations`` and ``hand/mano`` to one mcap file; use it as a context manager.

    Messages are logged at their stamps. The file appears under its name when the writer closes, also after an
    error or an interrupt, with what was written until then; an older file of that name is replaced.

    Args:
        path: the file, ending in ``.mcap``.
        frame_id: camera optical frame of all headers.
    """

    def __init__(self, path: Path, frame_id: str) -> None:
        self.path = Path(path)
        self.frame_id = frame_id

    def __enter__(self) -> "HandBagWriter":
        # rosbags writes a folder; our product is the single storage file inside.
        self._folder = Path(tempfile.mkdtemp(prefix=".bag-", dir=self.path.parent))
        store = message_typestore()
        self._writer = Writer(self._folder / "bag", version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._connections = {
            topic: self._writer.add_connection(
                topic.under("/"), topic.type_name, typestore=store, offered_qos_profiles=[topic.qos]
            )
            for topic in (OBSERVATIONS, HANDS)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        (self._folder / "bag" / "bag.mcap").replace(self.path)
        shutil.rmtree(self._folder)

    def write_observation(self, observation: FrameObservation, timing: Timing) -> None:
        """Append one processed image's observations, also an empty list."""
        fields = observation_array_fields(observation, self.frame_id, timing)
        self._write(OBSERVATIONS, observation.stamp_ns, fields)

    def write_estimate(self, estimate: FrameEstimate, timing: Timing) -> None:
        """Append one stamp's hands, also an empty list."""
        self._write(HANDS, estimate.stamp_ns, hand_array_fields(estimate, self.frame_id, timing))

    def _write(self, topic: HandTopic, stamp_ns: int, fields: Fields) -> None:
        self._writer.write(self._connections[topic], stamp_ns, serialize(topic.type_name, fields))
