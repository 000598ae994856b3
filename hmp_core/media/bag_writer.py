# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write observations and hands to an mcap file that ROS 2 and ``rosbags`` read."""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final

from rosbags.rosbag2 import StoragePlugin, Writer

from hmp_core.estimate import FrameEstimate
from hmp_core.media.message_fields import Fields, Timing, hand_array_fields, observation_array_fields
from hmp_core.media.message_types import PACKAGE, build_message, message_typestore
from hmp_core.observation import FrameObservation

OBSERVATIONS_TOPIC: Final = "/hand/observations"
HANDS_TOPIC: Final = "/hand/mano"
_TYPES: Final = {
    OBSERVATIONS_TOPIC: f"{PACKAGE}/msg/HandObservationArray",
    HANDS_TOPIC: f"{PACKAGE}/msg/ManoHandArray",
}


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
        self._writer = Writer(self._folder / "bag", version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._connections = {
            topic: self._writer.add_connection(topic, type_name, typestore=store)
            for topic, type_name in _TYPES.items()
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
        self._write(OBSERVATIONS_TOPIC, observation.stamp_ns, fields)

    def write_estimate(self, estimate: FrameEstimate, timing: Timing) -> None:
        """Append one stamp's hands, also an empty list."""
        self._write(HANDS_TOPIC, estimate.stamp_ns, hand_array_fields(estimate, self.frame_id, timing))

    def _write(self, topic: str, stamp_ns: int, fields: Fields) -> None:
        type_name = _TYPES[topic]
        data = message_typestore().serialize_cdr(build_message(type_name, fields), type_name)
        self._writer.write(self._connections[topic], stamp_ns, data)
