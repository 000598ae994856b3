# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How commands talk to people: progress, logs and errors on stderr, results on stdout."""

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hmp_core.errors import ConfigError

STDERR: Final = Console(stderr=True)


def configure_logs() -> None:
    """Send warnings and above to stderr, without breaking a progress bar."""
    handler = RichHandler(console=STDERR, show_time=False, show_path=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])


def missing_training_package(error: ModuleNotFoundError) -> ConfigError:
    """What to say where a package of the extra ``train`` is not installed."""
    return ConfigError(
        f"training needs the package {error.name}, which is not installed; it comes with the extra 'train': "
        "pip install 'hmp_ros[train]'"
    )


def progress_bar() -> Progress:
    """A progress bar on stderr."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=STDERR,
    )


@contextmanager
def stop_on_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn the first interrupt (Ctrl-C, SIGTERM) into a flag, so that work ends between two frames.

    Yields:
        Whether to stop. A second interrupt acts as usual.
    """
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        restore()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield lambda: stopped
    finally:
        restore()
