# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest messages of a topic, to be found by their stamp."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Recent(Generic[Item]):
    """Keeps the newest items until something with the same stamp comes from elsewhere; from any thread.

    Args:
        capacity: how many are kept; the oldest go first.
    """

    def __init__(self, capacity: int) -> None:
        self._items: OrderedDict[int, Item] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def put(self, stamp_ns: int, item: Item) -> None:
        """Keep an item; one of the same stamp is replaced."""
        with self._lock:
            self._items[stamp_ns] = item
            while len(self._items) > self._capacity:
                self._items.popitem(last=False)

    def take(self, stamp_ns: int) -> Item | None:
        """The item of this stamp, None without one; it and all that came before it are forgotten."""
        with self._lock:
            if stamp_ns not in self._items:
                return None
            while True:
                stamp, item = self._items.popitem(last=False)
                if stamp == stamp_ns:
                    return item

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
