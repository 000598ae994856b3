# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings that were cut off."""

import shutil
import sqlite3
import struct
from contextlib import closing

import lz4.frame
import numpy as np
import pytest
from backports import zstd
from bag_files import STORE, raw, stamps, write_bag
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from hmp_core.errors import SourceError
from hmp_core.media.bag_reader import BagReader

COUNT = 400


def records(path):
    with BagReader(path) as reader:
        return [(item.connection.topic, item.recorded_ns, bytes(item.data)) for item in reader.records()]


def storage_of(bag):
    return next(file for file in bag.iterdir() if file.suffix in (".mcap", ".db3"))


def write(path, plugin, compressed=False):
    """Images of 9 kB and small text, so that rows overflow their pages and chunks hold many messages."""
    writer = Writer(path, version=8, storage_plugin=plugin)
    if compressed:
        mode = CompressionMode.STORAGE if plugin == StoragePlugin.MCAP else CompressionMode.MESSAGE
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        kinds = {"/image": "sensor_msgs/msg/Image", "/text": "std_msgs/msg/String"}
        topics = {name: writer.add_connection(name, kind, typestore=STORE) for name, kind in kinds.items()}
        text = STORE.types["std_msgs/msg/String"]
        for index, stamp in enumerate(stamps(COUNT)):
            image = raw(index % 50, stamp)
            image.data = np.random.default_rng(index).integers(0, 255, image.data.size, np.uint8)
            writer.write(topics["/image"], stamp, STORE.serialize_cdr(image, kinds["/image"]))
            writer.write(topics["/text"], stamp + 5, STORE.serialize_cdr(text("x" * index), kinds["/text"]))
    return path


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "zstd"])
@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=["mcap", "sqlite3"])
def test_everything_before_the_break_is_read(tmp_path, plugin, compressed, caplog):
    bag = write(tmp_path / "bag", plugin, compressed)
    whole = records(bag)
    assert len(whole) == 2 * COUNT
    storage = storage_of(bag)
    data = storage.read_bytes()
    (bag / "metadata.yaml").unlink()
    assert records(bag) == whole, "without metadata"
    rng = np.random.default_rng(0)
    for share in (0.3, 0.6, 0.9, *rng.uniform(0.1, 1, 5)):
        size = int(share * len(data))
        storage.write_bytes(data[:size])
        caplog.clear()
        read = records(bag)
        assert set(read) <= set(whole)
        assert read == sorted(read, key=lambda record: record[1])
        # What is compressed as one piece, or lies behind the last whole page, cannot be had.
        lost = share * len(whole) - len(read)
        assert lost < (130 if compressed and plugin == StoragePlugin.MCAP else 12)
        assert "messages" in caplog.text
    storage.write_bytes(data[:200])
    with pytest.raises(SourceError, match="cannot read bag"):
        records(bag)


def rewrite_chunks(data, rewrite):
    """An mcap file up to its data's end, with ``rewrite(times, records)`` in place of each chunk."""
    out, place = data[:8], 8
    while data[place] != 0x0F:
        opcode, length = struct.unpack_from("<BQ", data, place)
        body = data[place + 9 : place + 9 + length]
        if opcode == 0x06:
            out += rewrite(body[:16], body[40:])
        elif opcode != 0x07:
            out += data[place : place + 9 + length]
        place += 9 + length
    return out


def chunk(times, stored, size, compression):
    body = times + struct.pack("<QII", size, 0, len(compression)) + compression + struct.pack("<Q", len(stored))
    return struct.pack("<BQ", 0x06, len(body) + len(stored)) + body + stored


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda times, inner: inner,
        lambda times, inner: chunk(times, lz4.frame.compress(inner), len(inner), b"lz4"),
        lambda times, inner: chunk(times, zstd.compress(inner), len(inner), b"zstd"),
    ],
    ids=["no chunks", "lz4", "zstd"],
)
def test_every_kind_of_mcap_is_repaired(tmp_path, rewrite):
    bag = write(tmp_path / "bag", StoragePlugin.MCAP)
    whole = records(bag)
    file = tmp_path / "cut.mcap"
    file.write_bytes(rewrite_chunks(storage_of(bag).read_bytes(), rewrite))
    assert records(file) == whole
    file.write_bytes(file.read_bytes()[:-1000])
    assert whole[:-300] == records(file)[: len(whole) - 300]


def test_a_damaged_chunk_costs_what_is_behind_in_it_and_no_more(tmp_path):
    bag = write(tmp_path / "bag", StoragePlugin.MCAP)
    whole = records(bag)
    data = bytearray(
        rewrite_chunks(storage_of(bag).read_bytes(), lambda times, inner: chunk(times, inner, len(inner), b""))
    )
    middle = data.index(b"\x06", len(data) // 3)
    data[middle + 2000 : middle + 2100] = bytes(100)
    file = tmp_path / "cut.mcap"
    file.write_bytes(data)
    read = records(file)
    assert len(read) > len(whole) - 130
    assert read[-1] == whole[-1]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_only_the_journal_holds_is_read_and_the_recording_stays_as_it_is(tmp_path, mode, caplog):
    bag = write(tmp_path / "bag", StoragePlugin.SQLITE3)
    whole = records(bag)
    cut = tmp_path / "cut"
    cut.mkdir()
    with closing(sqlite3.connect(storage_of(bag))) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute("PRAGMA cache_size=1")
        database.execute(
            "INSERT INTO messages(topic_id, timestamp, data) SELECT topic_id, timestamp + 1, data FROM messages"
        )
        if mode == "WAL":
            database.commit()
        for file in bag.glob("*.db3*"):  # as a killed recorder leaves them
            shutil.copy(file, cut / file.name)
    assert len(list(cut.iterdir())) > 1
    before = {file.name: file.read_bytes() for file in cut.iterdir()}
    read = records(cut)
    assert set(whole) <= set(read)
    assert len(read) == (2 * len(whole) if mode == "WAL" else len(whole)), "what was committed"
    assert before == {file.name: file.read_bytes() for file in cut.iterdir()}
    assert "journal" in caplog.text


def test_of_a_split_bag_the_broken_part_does_not_hide_the_others(tmp_path, caplog):
    parts = [
        write_bag(tmp_path / name, [("/image", stamp, raw(1, stamp)) for stamp in part])
        for name, part in (("a", stamps(20)[:10]), ("b", stamps(20)[10:]))
    ]
    split = tmp_path / "split"
    split.mkdir()
    for part in parts:
        shutil.copy(storage_of(part), split)
    assert [record[1] for record in records(split)] == stamps(20)
    (split / "b.mcap").write_bytes(b"")
    assert [record[1] for record in records(split)] == stamps(20)[:10]
    assert "b.mcap" in caplog.text
