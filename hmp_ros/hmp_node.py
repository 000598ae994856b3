# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both nodes in one process: observations reach the window node without a detour through DDS."""

import sys

from hmp_ros.executable import run
from hmp_ros.initializer_node import InitializerNode
from hmp_ros.window_node import WindowNode


def make_nodes() -> list[WindowNode | InitializerNode]:
    """The window node, and the initializer node that feeds it."""
    window = WindowNode(subscribe=False)
    return [window, InitializerNode(deliver=window.receive)]


def main() -> None:
    """Entry point of ``hmp_node``."""
    sys.exit(run(make_nodes))


if __name__ == "__main__":
    main()
