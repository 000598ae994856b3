# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sqlite3 storage files of bags that were cut off, read page by page, without the tree that holds them together.

Parts of the tree are written late, so that SQLite refuses a file without its end although nearly all rows are
there. The format: https://www.sqlite.org/fileformat.html.
"""

import struct
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2.metadata import parse_qos

from hmp_core.errors import SourceError

_MAGIC: Final = b"SQLite format 3\x00"
_FILE_HEAD: Final = 100
_LEAF_HEAD: Final = 8
_TABLE_LEAF: Final = 0x0D
_INTEGER_SIZES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_FORMATS: Final = {"ros2msg": MessageDefinitionFormat.MSG, "ros2idl": MessageDefinitionFormat.IDL}


class SalvagedSqlite:
    """Reads what is whole; the interface is that of ``rosbags``' readers.

    Args:
        path: the file.

    Attributes:
        connections: topics with types and counts.
        message_count: messages that are whole.

    Raises:
        SourceError: it never was a bag's database, or holds no whole message.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: list[tuple[int, int, int, int]] = []  # time, row, topic, place in the file
        topics: dict[int, list[str]] = {}
        definitions: dict[str, MessageDefinition] = {}
        with path.open("rb") as file:
            self._read_head(file)
            for row_id, place in self._cells(file):
                match _columns(self._payload(file, place)):
                    case [None, int(topic), int(time_ns), bytes()]:
                        self._places.append((time_ns, row_id, topic, place))
                    case [None, str(kind), str(form), str(text), str()] if form in _FORMATS:
                        definitions[kind] = MessageDefinition(_FORMATS[form], text)
                    case [None, str(), str(), "cdr", *_] as row:
                        topics[row_id] = [str(value) for value in row[1:]]
        self._places = sorted(item for item in self._places if item[2] in topics)
        self.message_count = len(self._places)
        if not self.message_count:
            raise SourceError(f"{path} breaks off before the first whole message")
        counts = Counter(topic for _, _, topic, _ in self._places)
        self.connections = [
            self._connection(topic, row, definitions, counts[topic]) for topic, row in sorted(topics.items())
        ]

    def messages(self, connections: Collection[Connection]) -> Iterator[tuple[Connection, int, bytes]]:
        """Connection, time of recording [ns] and bytes of the messages of these connections, in order of time."""
        wanted = {connection.id: connection for connection in connections}
        with self.path.open("rb") as file:
            for time_ns, _, topic, place in self._places:
                if topic in wanted:
                    yield wanted[topic], time_ns, _columns(self._payload(file, place))[3]

    def _connection(
        self, topic: int, row: list[str], definitions: dict[str, MessageDefinition], count: int
    ) -> Connection:
        name, kind, form, qos, digest = [*row, "", ""][:5]
        definition = definitions.get(kind, MessageDefinition(MessageDefinitionFormat.NONE, ""))
        extension = ConnectionExtRosbag2(form, parse_qos(qos))
        return Connection(topic, name, kind, definition, digest, count, extension, self)

    def _read_head(self, file: BinaryIO) -> None:
        head = file.read(_FILE_HEAD)
        if len(head) < _FILE_HEAD or not head.startswith(_MAGIC):
            raise SourceError(f"{self.path} is not a database")
        (size,) = struct.unpack_from(">H", head, 16)
        self._page_size = 65536 if size == 1 else size
        self._usable = self._page_size - head[20]
        if self._page_size < 512 or self._usable < 480:
            raise SourceError(f"{self.path} is damaged: pages of {self._page_size} bytes")

    def _cells(self, file: BinaryIO) -> Iterator[tuple[int, int]]:
        """Row id and place of all cells of all leaves of tables, as they lie in the file."""
        start = 0
        while page := self._read(file, start, self._page_size):
            head = _FILE_HEAD if start == 0 else 0
            if len(page) > head + _LEAF_HEAD and page[head] == _TABLE_LEAF:
                (count,) = struct.unpack_from(">H", page, head + 3)
                table = page[head + _LEAF_HEAD : head + _LEAF_HEAD + 2 * count]
                for (offset,) in struct.iter_unpack(">H", table[: len(table) // 2 * 2]):
                    _, size = _varint(page, offset)
                    row_id, _ = _varint(page, offset + size)
                    yield row_id, start + offset
            start += self._page_size

    def _payload(self, file: BinaryIO, place: int) -> bytes:
        """A cell's payload, with the pages that it overflows to; shorter where those are missing."""
        head = self._read(file, place, 18)
        size, first = _varint(head, 0)
        _, second = _varint(head, first)
        place += first + second
        largest = self._usable - 35
        if size <= largest:
            return self._read(file, place, size)
        smallest = (self._usable - 12) * 32 // 255 - 23
        local = smallest + (size - smallest) % (self._usable - 4)
        local = local if local <= largest else smallest
        parts, missing = [self._read(file, place, local)], size - local
        link = self._read(file, place + local, 4)
        while missing > 0 and len(link) == 4 and (page := int.from_bytes(link, "big")):
            data = self._read(file, (page - 1) * self._page_size, 4 + min(missing, self._usable - 4))
            link, parts, missing = data[:4], [*parts, data[4:]], missing - len(data[4:])
            if not data[4:]:
                break
        return b"".join(parts)

    @staticmethod
    def _read(file: BinaryIO, place: int, size: int) -> bytes:
        file.seek(place)
        return file.read(size)


def _columns(payload: bytes) -> list[Any]:
    """The values of a record, or an empty list where it is not whole."""
    head_size, place = _varint(payload, 0)
    kinds = []
    while place < min(head_size, len(payload)):
        kind, size = _varint(payload, place)
        kinds.append(kind)
        place += size
    values: list[Any] = []
    place = head_size
    for kind in kinds:
        size = (kind - 12) // 2 if kind >= 12 else _INTEGER_SIZES.get(kind, 0)
        data = payload[place : place + size]
        if len(data) < size:
            return []
        place += size
        if kind == 0:
            values.append(None)
        elif kind < 12:
            values.append(kind - 8 if kind in (8, 9) else int.from_bytes(data, "big", signed=True))
        else:
            values.append(data.decode(errors="replace") if kind % 2 else data)
    return values


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of up to nine bytes at a place, and its size; zero at the end of the data."""
    value = 0
    for size, byte in enumerate(data[place : place + 9], 1):
        if size == 9:
            return value << 8 | byte, size
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, size
    return value, 1
