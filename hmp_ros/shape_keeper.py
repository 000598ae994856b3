# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shape of the hands that ``window_node`` sees: found when somebody asks for it, and held from then on."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from rclpy.task import Future

from hmp_core.camera import Camera
from hmp_core.errors import DataError
from hmp_core.estimate import FrameEstimate
from hmp_core.fitting.config import FitterConfig
from hmp_core.fitting.online import OnlineFitter
from hmp_core.fitting.shape_calibration import ShapeCalibration
from hmp_ros.depth_ruler import DepthRuler


@dataclass(frozen=True)
class _Running:
    calibration: ShapeCalibration
    ruler: DepthRuler | None
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
        adopt_length: called with a length that was measured [m]; leads to a :meth:`configure` with it.
    """

    def __init__(
        self, fitter: OnlineFitter, tell: Callable[[], None], adopt_length: Callable[[float], None]
    ) -> None:
        self._fitter = fitter
        self._tell = tell
        self._adopt_length = adopt_length
        self._betas: tuple[float, ...] | None = None
        self._running: _Running | None = None

    def configure(self, config: FitterConfig) -> None:
        """Give the fitter a configuration, and the shape to hold."""
        betas = self._betas if self._running is None else None
        self._fitter.reconfigure(replace(config, betas=betas))
        self._tell()

    def begin(self, frames: int, timeout_s: float, ruler: DepthRuler | None, answer: Future) -> None:
        """Look for the shape in the next still frames, and answer when it is found or was waited for too long.

        With a ``ruler`` the hand is measured meanwhile.
        """
        if self._running is not None:
            answer.set_result((False, "a calibration is running already"))
            return
        until_s = time.monotonic() + timeout_s
        self._running = _Running(ShapeCalibration(frames), ruler, frames, timeout_s, until_s, answer)
        self.configure(self._fitter.config)

    def see(self, estimate: FrameEstimate, camera: Camera) -> None:
        """Take in what was solved, in the frame of the camera."""
        if self._running is None:
            return
        if self._running.ruler is not None:
            self._running.ruler.see(estimate, camera)
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
        running, self._running = self._running, None
        self.configure(self._fitter.config)
        if success:
            message = f"{message}; {self._size(running.ruler)}"
        running.answer.set_result((success, message))

    def _size(self, ruler: DepthRuler | None) -> str:
        """Where the size of the hand comes from; what the ruler says goes before what was set."""
        unmeasured = ""
        if ruler is not None:
            try:
                measured = ruler.settle()
            except DataError as error:
                unmeasured = f"depth did not measure it ({error}); "
            else:
                self._adopt_length(measured.length_m)
                return (
                    f"its size is metric, as depth measured it in {measured.views} images: "
                    f"{1e3 * measured.length_m:.0f} mm from wrist to middle knuckle, "
                    f"sigma {1e3 * measured.stddev_m:.0f} mm. hand_length_m is set to that"
                )
        length_mm = f"{1e3 * self._fitter.hand_shape.length_m:.0f} mm from wrist to middle knuckle"
        if self._fitter.config.hand_length_m:
            return f"{unmeasured}its size is metric, as hand_length_m says: {length_mm}"
        return (
            f"{unmeasured}its size is not metric: one camera cannot see it, and an average hand is assumed, "
            f"{length_mm}. Measure that and set hand_length_m for metric distances, or give depth_topic"
        )
