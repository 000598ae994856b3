# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both nodes as processes, with a camera that a test holds in its own hands."""

import time
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from graph import PATIENCE_S, START_S, Process, Recorder, stamps_of
from numpy.typing import NDArray
from sensor_msgs.msg import Image

from hmp_ros import qos
from hmp_ros.messages import build_image
from hmp_ros.msg import HandObservationArray, ManoHand, ManoHandArray

Picture = NDArray[np.uint8]
PARAMETERS = {"initializer_node": {"patience_s": PATIENCE_S + 0.5}, "window_node": {"infill_timeout_s": PATIENCE_S}}
READY = {"initializer_node": "to /hand/observations", "window_node": "publishing /hand/mano"}


class Stage:
    """Both nodes as processes, what they publish, and a camera in the test's own hands.

    Args:
        logs: folder for what the nodes print.
    """

    def __init__(self, logs: Path) -> None:
        self.recorder = Recorder()
        self.hands: list[ManoHandArray] = self.recorder.record(ManoHandArray, "hand/mano", qos.HANDS)
        self.observations: list[HandObservationArray] = self.recorder.record(
            HandObservationArray, "hand/observations", qos.OBSERVATIONS
        )
        self.diagnostics: list[DiagnosticArray] = self.recorder.record(DiagnosticArray, "/diagnostics", qos.HANDS)
        self.nodes: dict[str, Process] = {}
        self._logs = logs
        self._images = self.recorder.node.create_publisher(Image, "image", qos.IMAGES)

    def run_nodes(self) -> None:
        """Start those that do not run."""
        started = {name: self._start(name) for name in READY if not self._runs(name)}
        for name, node in started.items():
            node.wait_for(READY[name])
        assert self.recorder.spin_until(lambda: self._images.get_subscription_count() > 0, START_S)

    def publish(self, picture: Picture) -> int:
        """Take an image; its stamp [ns]."""
        stamp = time.time_ns()
        self._images.publish(build_image(picture, stamp, "optical"))
        return stamp

    def show(self, picture: Picture) -> ManoHandArray:
        """The answer to a picture; images of a camera may get lost, and are then taken again."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            before, stamp = len(self.hands), self.publish(picture)
            self.recorder.spin_until(lambda: stamp in stamps_of(self.hands[before:]), 3.0)  # noqa: B023
            for answer in self.hands[before:]:
                if stamps_of([answer]) == [stamp]:
                    return answer
            self.check()
        raise AssertionError("no image is answered")

    def show_until(self, pictures: Iterable[Picture], sides: set[int]) -> dict[int, ManoHand]:
        """Show pictures until just these sides are observed; the hands by side."""
        deadline = time.monotonic() + START_S
        for picture in cycle(pictures):
            seen = observed(self.show(picture))
            if set(seen) == sides:
                return seen
            assert time.monotonic() < deadline, f"seen are only {set(seen)}"
        raise AssertionError("no pictures")

    def wait_until_observed(self, after: int, sides: set[int]) -> dict[int, ManoHand]:
        """Hands that somebody else's camera shows, in messages on ``hand/mano`` from index ``after`` on."""
        assert self.recorder.spin_until(
            lambda: any(set(observed(message)) == sides for message in self.hands[after:]), START_S
        ), [node.output for node in self.nodes.values()]
        return next(observed(message) for message in self.hands[after:] if set(observed(message)) == sides)

    def wait_until_gone(self) -> None:
        """Until no hand is in the list any more."""
        assert self.recorder.spin_until(lambda: not self.hands[-1].hands, START_S)

    def reported(self, node: str, key: str) -> int:
        """A counter in the next diagnostics of a node; 0 where it is not named."""
        begin = len(self.diagnostics)

        def arrived() -> list[DiagnosticStatus]:
            statuses = (status for message in self.diagnostics[begin:] for status in message.status)
            return [status for status in statuses if status.name == f"/{node}"]

        assert self.recorder.spin_until(lambda: bool(arrived()), START_S)
        return int({value.key: value.value for value in arrived()[-1].values}.get(key, 0))

    def check(self) -> None:
        """See that both nodes live."""
        for node in self.nodes.values():
            assert node.running, node.output

    def close(self) -> None:
        """End it all."""
        for node in self.nodes.values():
            node.kill()
        self.recorder.close()

    def _runs(self, name: str) -> bool:
        return name in self.nodes and self.nodes[name].running

    def _start(self, name: str) -> Process:
        self.nodes[name] = Process(name, self._logs / f"{name}_{time.monotonic_ns()}.log", PARAMETERS[name])
        return self.nodes[name]


def observed(message: ManoHandArray) -> dict[int, ManoHand]:
    """Hands that are seen, by side."""
    seen = (ManoHand.STATUS_OBSERVED, ManoHand.STATUS_PARTIAL)
    return {hand.side: hand for hand in message.hands if hand.status in seen}
