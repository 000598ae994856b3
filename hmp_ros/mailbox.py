# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies between the executor's thread and a worker: the newest item, or everything that came."""

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Hands items to one worker thread, oldest first, keeping the newest ``capacity`` of them.

    With a capacity of one a slow worker always gets the newest item, and never a queue of old ones. Whatever
    had to make room is counted in :attr:`dropped`.

    Args:
        capacity: how many items wait at most; None keeps all.
    """

    def __init__(self, capacity: int | None = 1) -> None:
        self._items: deque[Item] = deque(maxlen=capacity)
        self._changed = threading.Condition()
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that were replaced before the worker took them, since the start."""
        with self._changed:
            return self._dropped

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        with self._changed:
            return self._closed

    def put(self, item: Item) -> None:
        """Leave an item; nothing happens after :meth:`close`."""
        with self._changed:
            if self._closed:
                return
            if len(self._items) == self._items.maxlen:
                self._dropped += 1
            self._items.append(item)
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> list[Item]:
        """Wait for items and take all of them, oldest first; empty after the time-out or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if self._closed:
                return []
            items = list(self._items)
            self._items.clear()
            return items

    def open(self) -> None:
        """Begin anew, empty, after :meth:`close`; the count goes on."""
        with self._changed:
            self._items.clear()
            self._closed = False

    def close(self) -> None:
        """Wake the worker and let it end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
