# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A new bag that holds everything of another, and our messages beside it."""

import logging
import shutil
import sqlite3
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Final

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinitionFormat
from rosbags.rosbag2 import CompressionFormat, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from hmp_core.errors import ConfigError, SourceError
from hmp_core.media.bag_reader import BagReader, Record
from hmp_core.media.bag_storage import BAG_SUFFIXES
from hmp_core.media.hand_topics import BAG_VERSION, HandTopic
from hmp_core.media.message_fields import Fields
from hmp_core.media.message_types import message_typestore, serialize

_WRITE_ERRORS: Final = (OSError, sqlite3.Error)
_UNKNOWN_HASH: Final = f"RIHS01_{0:064x}"

_log = logging.getLogger(__name__)


class BagCopy:
    """Writes a rosbag2 folder of the same kind as the original; use it as a context manager.

    Storage (mcap, sqlite3), compression, definitions and qualities of service stay as they were; a recording
    that was split becomes one file. The bag is closed and readable also after an error or an interrupt, with
    what was written until then.

    Args:
        path: the folder, which must not exist.
        original: the bag whose messages :meth:`copy` will get.
        namespace: of our topics.
        topics: ours that will be written.

    Raises:
        ConfigError: the path is taken or looks like a file, the original is a rosbag1, or has a topic of ours.
        SourceError: the original cannot be read, or the copy not be written, as on a full disk (when entering,
            writing, leaving).
    """

    def __init__(self, path: Path, original: Path, namespace: str, topics: Collection[HandTopic]) -> None:
        self.path = Path(path)
        if self.path.exists():
            raise ConfigError(f"{path} exists already and is not overwritten; name another folder")
        if self.path.suffix in BAG_SUFFIXES:
            raise ConfigError(f"{path} shall be a bag, which is a folder; leave out {self.path.suffix}")
        with BagReader(original) as reader:
            if reader.is_ros1:
                raise ConfigError(f"{original} is a rosbag1; make it a rosbag2 first, with rosbags-convert")
            self._storage, self._compression = reader.storage, reader.compression
            self._originals = list(reader.connections)
        _warn_where_the_disk_is_small(original, self.path)
        self._names = {topic: topic.under(namespace) for topic in topics}
        taken = sorted({connection.topic for connection in self._originals} & set(self._names.values()))
        if taken:
            raise ConfigError(
                f"{original} holds {', '.join(taken)} already; keep ours apart with --namespace replay"
            )

    def __enter__(self) -> "BagCopy":
        self._writer = Writer(self.path, version=BAG_VERSION, storage_plugin=self._storage)
        self._writer.set_compression(self._compression, CompressionFormat.ZSTD)
        try:
            self._writer.open()
        except OSError as error:
            raise SourceError(f"cannot write {self.path}: {error}") from error
        self._copies: dict[tuple[str, str], Connection] = {}
        for connection in self._originals:
            if (connection.topic, connection.msgtype) not in self._copies:
                self._copies[connection.topic, connection.msgtype] = self._add(connection)
        store = message_typestore()
        self._connections = {
            topic: self._writer.add_connection(
                name, topic.type_name, typestore=store, offered_qos_profiles=[topic.qos]
            )
            for topic, name in self._names.items()
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._writer.close()
        except _WRITE_ERRORS as failure:
            raise SourceError(f"cannot finish {self.path}: {failure}") from (error or failure)

    def copy(self, record: Record) -> None:
        """Append a record of the original, byte for byte."""
        connection = self._copies[record.connection.topic, record.connection.msgtype]
        self._append(connection, record.recorded_ns, record.data)

    def write(self, topic: HandTopic, recorded_ns: int, fields: Fields) -> bytes:
        """Append a message of ours.

        Args:
            topic: one of those announced.
            recorded_ns: when it shall have been recorded [ns].
            fields: of the message.

        Returns:
            Its bytes.
        """
        data = serialize(topic.type_name, fields)
        self._append(self._connections[topic], recorded_ns, data)
        return data

    def _append(self, connection: Connection, recorded_ns: int, data: bytes) -> None:
        try:
            self._writer.write(connection, recorded_ns, data)
        except _WRITE_ERRORS as error:
            raise SourceError(f"cannot go on writing {self.path}: {error}") from error

    def _add(self, connection: Connection) -> Connection:
        kind, definition = connection.msgtype, connection.msgdef.data
        known = message_typestore()
        if connection.msgdef.format == MessageDefinitionFormat.NONE:
            definition = known.generate_msgdef(kind, ros_version=2)[0] if kind in known.fielddefs else ""
        if not definition and self._storage == StoragePlugin.SQLITE3:
            self._writer.added_types.add(kind)  # no definition is better than an empty one
        assert isinstance(connection.ext, ConnectionExtRosbag2)
        return self._writer.add_connection(
            connection.topic,
            kind,
            msgdef=definition,
            rihs01=connection.digest or _type_hash(kind, definition),
            serialization_format=connection.ext.serialization_format,
            offered_qos_profiles=connection.ext.offered_qos_profiles,
        )


def _warn_where_the_disk_is_small(original: Path, path: Path) -> None:
    size = sum(file.stat().st_size for file in (original.iterdir() if original.is_dir() else [original]))
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if free < size:
        _log.warning(
            "%s has %.1f GB, and where %s goes only %.1f GB are left", original, size / 1e9, path, free / 1e9
        )


def _type_hash(kind: str, definition: str) -> str:
    """The hash of a type that was recorded without one; zeros where its definition cannot be read."""
    store = get_typestore(Stores.EMPTY)
    try:
        store.register(get_types_from_msg(definition, kind))
        return store.hash_rihs01(kind)
    except Exception:  # whatever the definition holds, its messages are copied
        return _UNKNOWN_HASH
