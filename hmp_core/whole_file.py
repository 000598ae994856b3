# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that appear whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Write a file beside its place and move it there in one step, so that nobody ever reads half of it.

    Args:
        path: where it shall be; its folder is made, and an older file stays until the new one is whole.

    Yields:
        The path to write to, in the same folder and of the same kind: ``NAME.partial.SUFFIX``. Where writing
        fails it is removed, and whatever stood at ``path`` is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
