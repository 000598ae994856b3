# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a recorded bag as they are stored: bytes, with the time of recording."""

import heapq
import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

from backports import zstd
from rosbags import rosbag1, rosbag2
from rosbags.interfaces import Connection, MessageDefinitionFormat
from rosbags.rosbag2 import CompressionMode, StoragePlugin
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from hmp_core.errors import DataError, SourceError
from hmp_core.media.bag_storage import BAG_SUFFIXES, StorageReader, journals, open_storage
from hmp_core.media.message_types import message_typestore

_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_METADATA: Final = "metadata.yaml"

_log = logging.getLogger(__name__)


class Record(NamedTuple):
    """One recorded message: its topic and type, when it was recorded [ns], and its bytes."""

    connection: Connection
    recorded_ns: int
    data: bytes


Through = Callable[[Iterator[Record]], Iterator[Record]]
"""Sees all records of a bag on their way to who decodes some of them."""


class BagReader:
    """A rosbag2 (mcap, sqlite3) or rosbag1; use it as a context manager.

    Definitions of message types are only parsed for what is decoded, so that a bag may hold anything.

    Args:
        path: a bag's folder or storage file; a folder without ``metadata.yaml`` is read by its storage files.

    Attributes:
        connections: topics with their types and counts.

    Raises:
        SourceError: not a readable bag (when entering).
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.connections: list[Connection] = []
        self._readers: list[StorageReader] = []
        self._stack = ExitStack()
        self._stores: dict[tuple[str, str], Typestore] = {}

    def __enter__(self) -> "BagReader":
        with ExitStack() as opening:
            self._readers = self._open(opening)
            self._stack = opening.pop_all()
        self.connections = [connection for reader in self._readers for connection in reader.connections]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def is_ros1(self) -> bool:
        """Whether the messages are ROS 1's."""
        return any(isinstance(reader, rosbag1.Reader) for reader in self._readers)

    @property
    def storage(self) -> StoragePlugin:
        """How a rosbag2 is stored."""
        names = [self.path.name] if self.path.is_file() else [file.name for file in self.path.iterdir()]
        return StoragePlugin.MCAP if any(".mcap" in name for name in names) else StoragePlugin.SQLITE3

    @property
    def compression(self) -> CompressionMode:
        """Whether a rosbag2's messages, storage files, or what an mcap file holds, are compressed."""
        for reader in self._readers:
            if not isinstance(reader, rosbag2.Reader):
                continue
            if reader.compression_mode:
                return CompressionMode[reader.compression_mode.upper()]
            # A folder's reader has one storage a file, and only those of mcap have chunks.
            storages = getattr(reader.storage, "storages", [reader.storage])
            if any(chunk.compression for storage in storages for chunk in getattr(storage, "chunks", ())):
                return CompressionMode.STORAGE
        return CompressionMode.NONE

    def on(self, topic: str | None) -> list[Connection]:
        """The connections of a topic; there are several where a recording was split, none for no topic."""
        return [connection for connection in self.connections if connection.topic == topic]

    def of_type(self, *types: str) -> list[str]:
        """The names of all topics of these types, sorted."""
        return sorted({connection.topic for connection in self.connections if connection.msgtype in types})

    def records(self, connections: Collection[Connection] | None = None) -> Iterator[Record]:
        """Messages in order of recording, up to the end or to where a damaged bag breaks off, with a warning.

        Args:
            connections: those to read; by default all.
        """
        wanted = self.connections if connections is None else connections
        streams = []
        for reader in self._readers:
            own = [connection for connection in reader.connections if connection in wanted]
            if own:
                streams.append(self._until_broken(reader, own))
        yield from heapq.merge(*streams, key=lambda record: record.recorded_ns)

    def decode(self, record: Record) -> Any:
        """The message in a record, by the definition in the bag or, failing that, by ours.

        Raises:
            DataError: the definition or the bytes are damaged.
        """
        connection = record.connection
        try:
            store = self._typestore(connection)
            if self.is_ros1:
                return store.deserialize_ros1(record.data, connection.msgtype)
            return store.deserialize_cdr(record.data, connection.msgtype)
        except SerdeError as error:
            raise DataError(str(error)) from error
        except Exception as error:  # damaged bytes make generated code raise almost anything
            raise DataError(f"{connection.topic}: {type(error).__name__}: {error}") from error

    def _typestore(self, connection: Connection) -> Typestore:
        definition = connection.msgdef
        key = (connection.msgtype, definition.data)
        if key not in self._stores:
            self._stores[key] = message_typestore()
            if definition.format == MessageDefinitionFormat.MSG:
                self._stores[key] = get_typestore(Stores.EMPTY)
                self._stores[key].register(get_types_from_msg(definition.data, connection.msgtype))
        return self._stores[key]

    def _open(self, stack: ExitStack) -> list[StorageReader]:
        if not self.path.exists():
            raise SourceError(f"cannot read bag {self.path}: it does not exist")
        folder = self.path.is_dir()
        try:
            if folder and (self.path / _METADATA).exists() and not any(map(journals, self.path.glob("*.db3"))):
                return [stack.enter_context(rosbag2.Reader(self.path))]
        except Exception as error:  # damaged bytes make the parsers below raise almost anything
            _log.warning("%s is damaged (%s); what its files hold is used", self.path, error)
        readers: list[StorageReader] = []
        complaint = "there is no storage file in it"
        for path in self._files() if folder else [self.path]:
            try:
                readers.append(open_storage(path, stack))
            except SourceError as error:
                complaint = str(error)
                _log.warning("%s", complaint)
        if not readers:
            raise SourceError(f"cannot read bag {self.path}: {complaint}")
        return readers

    def _files(self) -> list[Path]:
        for file in self.path.glob("*.zstd"):
            _log.warning("%s is left out: only %s tells how to read compressed files", file, _METADATA)
        return sorted(file for file in self.path.iterdir() if file.suffix in BAG_SUFFIXES)

    def _until_broken(self, reader: StorageReader, connections: list[Connection]) -> Iterator[Record]:
        try:
            for connection, recorded_ns, data in reader.messages(connections):
                yield Record(connection, recorded_ns, _unpacked(data))
        except Exception as error:  # as above
            _log.warning("%s breaks off: %s", self.path, error)


def _unpacked(data: bytes) -> bytes:
    """A message without the compression that only lost metadata told of; CDR never begins like that."""
    return zstd.decompress(data) if data.startswith(_ZSTD) else data
