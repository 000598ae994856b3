# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The life of an executable: start, spin, end cleanly on SIGINT and SIGTERM."""

import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions

from hmp_core.errors import HmpError
from hmp_ros.logs import RosLogHandler
from hmp_ros.managed_node import ManagedNode
from hmp_ros.worker_node import WorkerNode

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_LOOK_S: Final = 0.2
"""How long a signal may go unseen. Seldom one does not wake who waits in DDS, so nobody waits there for ever."""


def run(make_nodes: Callable[[], Sequence[WorkerNode | ManagedNode[Any]]]) -> int:
    """Make nodes, start and spin them until a signal or shutdown, and return the exit code.

    0 after a signal or an orderly end; 1 after an error of this package, which is told in one line. Any other
    exception of a worker is a fault of the program and is raised again here.
    """
    nodes: Sequence[WorkerNode | ManagedNode[Any]] = ()
    logging.getLogger("hmp_core").addHandler(RosLogHandler(get_logger("hmp_core")))
    # rclpy's own handlers end the context once there is one, and call these. Python's would raise
    # KeyboardInterrupt, and once more in the clean-up when a signal comes twice, from the terminal and from launch.
    # A list, for an Event would lock itself out when a second signal interrupts the first one's handler.
    signals: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda number, frame: signals.append(number))
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.ALL)
    try:
        nodes = make_nodes()
        executor = SingleThreadedExecutor()
        for node in nodes:
            executor.add_node(node)
            if signals or not node.start():
                return 1 if rclpy.ok() and not signals else 0
        while rclpy.ok() and not signals:
            executor.spin_once(_LOOK_S)
    except ExternalShutdownException:
        pass
    except HmpError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except Exception:
        if rclpy.ok() and not signals:
            raise
        # A signal ended the context while a node was being made.
    finally:
        for node in nodes:
            node.stop()
            node.destroy_node()
        rclpy.try_shutdown()
        # While the interpreter ends it gives signals their default action back: one that comes twice would kill.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    for node in nodes:
        if isinstance(node.failure, HmpError):
            print(f"{type(node.failure).__name__}: {node.failure}", file=sys.stderr)
            return 1
        if node.failure is not None:
            raise node.failure
    return 0
