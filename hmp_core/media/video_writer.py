# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a video that browsers and players show."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from hmp_core.errors import SourceError

_CLOCK_HZ: Final = 90_000
_NS_PER_S: Final = 1_000_000_000


class VideoWriter:
    """Writes BGR images with their stamps to an mp4 file (H.264, 4:2:0); use it as a context manager.

    Times in the file start at zero and follow the stamps; a stamp that does not increase comes one nominal
    period after its predecessor. The first image sets the size, later ones of another size are fitted into it
    with bars. The file is playable also when the writer closes after an error or an interrupt. Without images
    there is no file.

    Args:
        path: the file.
        fps: nominal rate [Hz].
        crf: x264's quality, 0 (lossless) to 51; 18 is visually lossless.

    Raises:
        SourceError: the file cannot be written.
    """

    def __init__(self, path: Path, fps: float = 30.0, crf: int = 20) -> None:
        self.path = Path(path)
        self._rate = Fraction(fps).limit_denominator(1001)
        self._crf = crf
        self._container: Any = None
        self._stream: Any = None
        self._last_ns = 0
        self._last_tick = 0

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._container is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def write(self, image: NDArray[np.uint8], stamp_ns: int) -> None:
        """Append a BGR image [height, width, 3] captured at ``stamp_ns``."""
        if self._container is None:
            self._start(image.shape[1], image.shape[0])
        else:
            elapsed = Fraction(stamp_ns - self._last_ns, _NS_PER_S)
            self._last_tick += round((elapsed if elapsed > 0 else 1 / self._rate) * _CLOCK_HZ) or 1
        self._last_ns = stamp_ns
        frame = av.VideoFrame.from_ndarray(fit_image(image, *self._size), format="bgr24")
        frame.pts = self._last_tick
        frame.time_base = Fraction(1, _CLOCK_HZ)
        self._container.mux(self._stream.encode(frame))

    def _start(self, width: int, height: int) -> None:
        container: Any = av.open(str(self.path), "w", format="mp4")
        # 4:2:0 halves the colour planes, so the size is even. No B-frames: times stay as written.
        self._size = (width + width % 2, height + height % 2)
        options = {"crf": str(self._crf), "preset": "veryfast", "bf": "0"}
        self._stream = container.add_stream("libx264", rate=self._rate, options=options)
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = Fraction(1, _CLOCK_HZ)
        self._stream.codec_context.thread_count = 1
        # The conversion from BGR is BT.601's; without the tag players would take large videos for BT.709.
        self._stream.codec_context.colorspace = Colorspace.SMPTE170M
        self._stream.codec_context.color_range = ColorRange.MPEG
        try:
            container.start_encoding()
        except (av.FFmpegError, OSError) as error:
            raise SourceError(f"cannot write video {self.path}: {error.strerror or error}") from error
        self._container = container


def fit_image(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Fit an image into a size [px], bars below and at the right; images one pixel short only get an edge."""
    scale = min(width / image.shape[1], height / image.shape[0])
    if scale < 1 or image.shape[1] < width - 1 or image.shape[0] < height - 1:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    below, right = height - image.shape[0], width - image.shape[1]
    if below or right:
        border = cv2.BORDER_REPLICATE if max(below, right) == 1 else cv2.BORDER_CONSTANT
        image = np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, border), dtype=np.uint8)
    return np.ascontiguousarray(image)
