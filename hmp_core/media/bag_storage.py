# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One storage file of a bag, whole or broken."""

import logging
import shutil
import sqlite3
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from rosbags import rosbag1, rosbag2
from rosbags.interfaces.typing import RPath

from hmp_core.errors import SourceError
from hmp_core.media.broken_mcap import RepairedMcap
from hmp_core.media.broken_sqlite import SalvagedSqlite

BAG_SUFFIXES: Final = frozenset({".mcap", ".db3", ".bag"})
_JOURNALS: Final = ("-wal", "-journal")

_log = logging.getLogger(__name__)

StorageReader = rosbag1.Reader | rosbag2.Reader | SalvagedSqlite


def open_storage(path: Path, stack: ExitStack) -> StorageReader:
    """Open a storage file; of one whose recording was cut off, what is whole, with a warning.

    Args:
        path: the file; it is never changed.
        stack: closes it, and removes what had to be copied.

    Raises:
        SourceError: nothing in it can be read.
    """
    try:
        if path.suffix == ".bag":
            return stack.enter_context(rosbag1.Reader(path))
        if journals(path):
            path = _recovered(path, stack)
        return stack.enter_context(rosbag2.Reader(path))
    except Exception as error:  # damaged bytes make the parsers below raise almost anything
        reason = str(error)
    try:
        if path.suffix == ".mcap":
            repaired = _repaired(path, path.stat().st_mtime_ns)
            return stack.enter_context(rosbag2.Reader(cast(RPath, repaired)))
        if path.suffix == ".db3":
            return _salvaged(path, path.stat().st_mtime_ns)
    except Exception as error:  # as above
        reason = f"{reason}; {error}"
    raise SourceError(f"{path}: {reason}")


def journals(path: Path) -> list[Path]:
    """What a killed recorder left beside a database: changes that are not in it yet."""
    beside = [path.with_name(path.name + suffix) for suffix in _JOURNALS if path.suffix == ".db3"]
    return [journal for journal in beside if journal.exists() and journal.stat().st_size > 0]


def _recovered(path: Path, stack: ExitStack) -> Path:
    """A copy into which SQLite has brought the journals."""
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="hmp-bag-")))
    for file in (path, *journals(path)):
        shutil.copy(file, folder / file.name)
    copy = folder / path.name
    with closing(sqlite3.connect(copy)) as database:
        database.execute("PRAGMA journal_mode=DELETE").fetchall()
    _log.warning("%s was not closed: its journal is taken in, in a copy at %s", path, copy)
    return copy


@cache
def _repaired(path: Path, changed_ns: int) -> RepairedMcap:
    repaired = RepairedMcap(path)
    _log.warning("%s was cut off; %d messages before the break are used", path, repaired.message_count)
    return repaired


@cache
def _salvaged(path: Path, changed_ns: int) -> SalvagedSqlite:
    salvaged = SalvagedSqlite(path)
    _log.warning("%s is damaged; %d messages that are whole are used", path, salvaged.message_count)
    return salvaged
