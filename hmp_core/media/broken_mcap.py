# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mcap files whose recording was cut off, seen as whole ones.

A recorder that is killed leaves no summary and no footer, and perhaps half a record. What is whole is found by
one pass over the file; nothing of it is copied. The format: https://mcap.dev/spec.
"""

import io
import struct
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast
from zlib import crc32

import lz4.frame
from backports import zstd

from hmp_core.errors import SourceError

_MAGIC: Final = b"\x89MCAP0\r\n"
_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _DATA_END = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F
_CHUNK_INDEX, _STATISTICS = 0x08, 0x0B
_PREFIX: Final = 9  # opcode and length of a record
_MESSAGE_HEAD: Final = 22
_RUN: Final = 4 * 2**20
_LARGEST_CHUNK: Final = 2**30


@dataclass
class _Chunk:
    """Messages that are read together: where they lie in the file, or their bytes where those were salvaged."""

    compression: bytes = b""
    offset: int = 0
    salvaged: bytes | None = None
    stored_size: int = 0
    size: int = 0
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    counts: Counter[int] = field(default_factory=Counter)

    def count(self, head: bytes) -> None:
        """Take a message in, by the head of its record."""
        channel, _, log_ns, _ = struct.unpack("<HIQQ", head)
        self.counts[channel] += 1
        self.start_ns, self.end_ns = min(self.start_ns, log_ns), max(self.end_ns, log_ns)

    def head(self) -> bytes:
        """The record up to its messages."""
        fields = struct.pack("<QQQI", self.start_ns, self.end_ns, self.size, 0) + _text(self.compression)
        length = len(fields) + 8 + self.stored_size
        return struct.pack("<BQ", _CHUNK, length) + fields + struct.pack("<Q", self.stored_size)

    def index(self, offset: int) -> bytes:
        """The index record of this chunk at an offset, as if indexes of its messages followed."""
        place = offset + len(self.head()) + self.stored_size
        offsets, start = b"", place
        for channel, count in self.counts.items():
            offsets += struct.pack("<HQ", channel, place)
            place += _PREFIX + 6 + 16 * count
        body = struct.pack("<QQQQ", self.start_ns, self.end_ns, offset, start - offset)
        body += struct.pack("<I", len(offsets)) + offsets + struct.pack("<Q", place - start)
        return _record(
            _CHUNK_INDEX, body + _text(self.compression) + struct.pack("<QQ", self.stored_size, self.size)
        )


class RepairedMcap:
    """Stands for a path where ``rosbags`` reads.

    Args:
        path: the file.

    Attributes:
        message_count: messages that are whole.

    Raises:
        SourceError: it never was an mcap file of ROS 2, or holds no whole message.
    """

    suffix = ".mcap"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file_size = path.stat().st_size
        self._definitions: dict[tuple[int, bytes], bytes] = {}
        self._chunks: list[_Chunk] = []
        with path.open("rb") as file:
            try:
                head = self._read_head(file)
                self._scan(file)
            except (struct.error, ValueError) as error:
                raise SourceError(f"{path} is damaged: {error}") from error
        self._chunks = [chunk for chunk in self._chunks if chunk.counts]
        self.message_count = sum(chunk.counts.total() for chunk in self._chunks)
        if not self.message_count:
            raise SourceError(f"{path} breaks off before the first whole message")
        self._segments = self._lay_out(head)

    def exists(self) -> bool:
        """Of a path."""
        return True

    def is_dir(self) -> bool:
        """Of a path."""
        return False

    def open(self, mode: str = "rb") -> BinaryIO:
        """The file as it should have been."""
        return cast(BinaryIO, io.BufferedReader(_Spliced(cast(BinaryIO, self.path.open(mode)), self._segments)))

    def _read_head(self, file: BinaryIO) -> bytes:
        magic = file.read(len(_MAGIC))
        opcode, length = struct.unpack("<BQ", file.read(_PREFIX))
        if magic != _MAGIC or opcode != _HEADER or length > self._file_size:
            raise SourceError(f"{self.path} is not an mcap file")
        return magic + _record(_HEADER, file.read(length))

    def _scan(self, file: BinaryIO) -> None:
        """Find all chunks, and messages outside of chunks, up to the break."""
        run = _Chunk()
        while len(prefix := file.read(_PREFIX)) == _PREFIX:
            opcode, length = struct.unpack("<BQ", prefix)
            start = file.tell()
            whole = start + length <= self._file_size
            if opcode == _CHUNK:
                self._take_chunk(file.read(min(length, self._file_size - start)), start)
            elif not whole or opcode == _DATA_END:
                break
            elif opcode in (_SCHEMA, _CHANNEL):
                self._define(opcode, file.read(length))
            elif opcode == _MESSAGE:
                if run.stored_size > _RUN or run.offset + run.stored_size != start - _PREFIX:
                    run = _Chunk(offset=start - _PREFIX)
                    self._chunks.append(run)
                run.count(file.read(_MESSAGE_HEAD))
                run.stored_size = run.size = run.size + _PREFIX + length
            file.seek(start + length)

    def _take_chunk(self, record: bytes, start: int) -> None:
        """Look into a chunk record; of one that is cut off, or damaged behind, keep the messages before."""
        _, _, size, crc, name_length = struct.unpack_from("<QQQII", record)
        compression = record[32 : 32 + name_length]
        (stored_size,) = struct.unpack_from("<Q", record, 32 + name_length)
        stored_at = 40 + name_length
        stored = record[stored_at : stored_at + stored_size]
        data = _unpack(compression, stored, min(size, _LARGEST_CHUNK))
        chunk = _Chunk()
        chunk.size = self._walk(data, chunk)
        if chunk.size == size and len(stored) == stored_size and (not crc or crc == crc32(data)):
            chunk.compression, chunk.offset, chunk.stored_size = compression, start + stored_at, stored_size
        else:
            chunk.salvaged, chunk.stored_size = data[: chunk.size], chunk.size
        self._chunks.append(chunk)

    def _walk(self, data: bytes, chunk: _Chunk) -> int:
        """Take the records of a chunk in; returns the size of those that are whole."""
        place = 0
        while place + _PREFIX <= len(data):
            opcode, length = struct.unpack_from("<BQ", data, place)
            body = place + _PREFIX
            if body + length > len(data):
                break
            if opcode in (_SCHEMA, _CHANNEL):
                self._define(opcode, data[body : body + length])
            elif opcode == _MESSAGE and length >= _MESSAGE_HEAD:
                chunk.count(data[body : body + _MESSAGE_HEAD])
            place = body + length
        return place

    def _define(self, opcode: int, body: bytes) -> None:
        self._definitions[opcode, body[:2]] = _record(opcode, body)

    def _lay_out(self, head: bytes) -> list[tuple[int | bytes, int]]:
        """What follows what: bytes, or an offset in the file, and the size of each."""
        segments: list[tuple[int | bytes, int]] = [(head, len(head))]
        place, indexes = len(head), b""
        for chunk in self._chunks:
            indexes += chunk.index(place)
            source = chunk.offset if chunk.salvaged is None else chunk.salvaged
            segments += [(chunk.head(), len(chunk.head())), (source, chunk.stored_size)]
            place += len(chunk.head()) + chunk.stored_size
        schemas = [record for (opcode, _), record in self._definitions.items() if opcode == _SCHEMA]
        channels = [record for (opcode, _), record in self._definitions.items() if opcode == _CHANNEL]
        tail = b"".join([*schemas, *channels, indexes, self._statistics(len(schemas), len(channels))])
        tail += _record(_FOOTER, struct.pack("<QQI", place, 0, 0)) + _MAGIC
        return [*segments, (tail, len(tail))]

    def _statistics(self, schemas: int, channels: int) -> bytes:
        counts = sum((chunk.counts for chunk in self._chunks), Counter[int]())
        start_ns = min(chunk.start_ns for chunk in self._chunks)
        end_ns = max(chunk.end_ns for chunk in self._chunks)
        numbers = (self.message_count, schemas, channels, 0, 0, len(self._chunks), start_ns, end_ns)
        table = b"".join(struct.pack("<HQ", *item) for item in counts.items())
        return _record(_STATISTICS, struct.pack("<QHIIIIQQI", *numbers, len(table)) + table)


class _Spliced(io.RawIOBase):
    """Pieces of a file and bytes, one behind the other."""

    def __init__(self, file: BinaryIO, segments: list[tuple[int | bytes, int]]) -> None:
        super().__init__()
        self._file = file
        self._segments = segments
        ends = []
        total = 0
        for _, size in segments:
            total += size
            ends.append(total)
        self._ends, self._total, self._place = ends, total, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._total}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        if self._place >= self._total:
            return 0
        index = bisect_right(self._ends, self._place)
        source, size = self._segments[index]
        within = self._place - (self._ends[index] - size)
        wanted = min(len(buffer), size - within)
        if isinstance(source, bytes):
            data = source[within : within + wanted]
        else:
            self._file.seek(source + within)
            data = self._file.read(wanted)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def _record(opcode: int, body: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(body)) + body


def _text(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text


def _unpack(compression: bytes, stored: bytes, size: int) -> bytes:
    """What can be decompressed, also of data that break off."""
    try:
        if compression == b"zstd":
            return zstd.ZstdDecompressor().decompress(stored, size)
        if compression == b"lz4":
            return bytes(lz4.frame.LZ4FrameDecompressor().decompress(stored, size))
    except (zstd.ZstdError, RuntimeError):
        return b""
    return stored if not compression else b""
