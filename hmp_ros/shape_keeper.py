# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of the hands that ``window_node`` sees: found when somebody asks for it, and held from then on."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rclpy.task import Future

from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.shape_calibration import ShapeCalibration


@dataclass(frozen=True)
class _Running:
    calibration: ShapeCalibration
    frames: int
    timeout_s: float
    until_s: float
    answer: Future


class ShapeKeeper:
    """Runs one calibration at a time; only the worker may call it.

    Answers are pairs of success and message.

    Args:
        fitter: is told which shape to hold; while one is looked for, it learns.
        tell: called whenever that has changed.
    """

    def __init__(self, fitter: OnlineFitter, tell: Callable[[], None]) -> None:
        self._fitter = fitter
        self._tell = tell
        self._betas: tuple[float, ...] | None = None
        self._running: _Running | None = None

    def configure(self, config: FitterConfig) -> None:
        """Give the fitter a configuration, and the shape to hold."""
        betas = self._betas if self._running is None else None
        self._fitter.reconfigure(replace(config, betas=betas))
        self._tell()

    def begin(self, frames: int, timeout_s: float, answer: Future) -> None:
        """Look for the shape in the next still frames, and answer when it is found or was waited for too long."""
        if self._running is not None:
            answer.set_result((False, "a calibration is running already"))
            return
        until_s = time.monotonic() + timeout_s
        self._running = _Running(ShapeCalibration(frames), frames, timeout_s, until_s, answer)
        self.configure(self._fitter.config)

    def see(self, estimate: FrameEstimate) -> None:
        """Take in what was solved."""
        if self._running is None:
            return
        betas = self._running.calibration.add(estimate)
        if betas is None:
            return
        self._betas = tuple(betas.tolist())
        frames = self._running.frames
        shape = " ".join(f"{beta:.2f}" for beta in betas)
        self._end(True, f"the proportions of the hand, found in {frames} still images, are held (betas {shape})")

    def expire(self) -> None:
        """Give up a calibration that has waited for too long; what was held before is held again."""
        if self._running is not None and time.monotonic() > self._running.until_s:
            running = self._running
            counted = f"{running.calibration.still_frames} of {running.frames} images in {running.timeout_s:g} s"
            self._end(
                False,
                f"no hand was held still for long enough: {counted}. "
                "Show the whole hand, at rest, and call again; nothing has changed",
            )

    def forget(self) -> None:
        """Let every track learn its own shape again."""
        self._betas = None
        self.abandon("it was reset")
        self.configure(self._fitter.config)

    def abandon(self, reason: str) -> None:
        """End a calibration that runs, without a result."""
        if self._running is not None:
            self._end(False, f"not calibrated: {reason}")

    def _end(self, success: bool, message: str) -> None:
        assert self._running is not None
        answer, self._running = self._running.answer, None
        self.configure(self._fitter.config)
        if success:
            message = f"{message}; {self._size()}"
        answer.set_result((success, message))

    def _size(self) -> str:
        length_mm = f"{1e3 * self._fitter.hand_shape.length_m:.0f} mm from wrist to middle knuckle"
        if self._fitter.config.hand_length_m:
            return f"its size is metric, as hand_length_m says: {length_mm}"
        return (
            f"its size is not metric: one camera cannot see it, and an average hand is assumed, {length_mm}. "
            "Measure that and set hand_length_m for metric distances"
        )
