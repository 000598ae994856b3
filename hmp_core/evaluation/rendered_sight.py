# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the product's own perception sees of rendered windows; kept on disk, for rendering is most of the work."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

import hmp_core
from hmp_core.camera import Camera
from hmp_core.evaluation.rendered_window import RenderedWindow
from hmp_core.frame import Frame
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import PARENTS
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.message_fields import Timing
from hmp_core.media.observation_bag import ObservationBag
from hmp_core.media.synth import SceneRenderer
from hmp_core.observation import FrameObservation
from hmp_core.perception.config import PerceptionConfig
from hmp_core.perception.initializer import HandInitializer
from hmp_core.perception.pipeline import HandPerception
from hmp_core.whole_file import whole_file

_SHOWN: Final = (-0.15, 0.05, 0.5, 0.95, 1.0)
"""Where in a gap the pictures for the page are taken; the last one comes after it."""
_AFTER_S: Final = 0.4
_MAKERS: Final = (
    "assets/manifest.json", "camera.py", "evaluation/occluded_window.py", "evaluation/rendered_sight.py",
    "evaluation/rendered_window.py", "evaluation/staged_hand.py", "hand", "media", "perception",
)  # fmt: skip
_FIRST_NS: Final = 1_000_000_000


@dataclass(frozen=True)
class RenderedSight:
    """A window as seen.

    Attributes:
        observations: of its images.
        behind: [T, 21] joints that the thing hides, or that are outside the image.
        shown: [S] images of which there are pictures.
        pictures: BGR [height, S * width, 3], side by side.
    """

    observations: list[FrameObservation]
    behind: NDArray[np.bool_]
    shown: NDArray[np.int64]
    pictures: NDArray[np.uint8]


class Onlooker:
    """Renders windows and looks at them.

    Args:
        model: the right hand.
        folder: where sights are kept.
    """

    def __init__(self, model: HandModel, folder: Path) -> None:
        self._perception = HandPerception(PerceptionConfig(max_hands=1), HandInitializer(model))
        self._folder = folder

    def look(self, window: RenderedWindow, name: str, advance: Callable[[], None]) -> RenderedSight:
        """What is seen of a window, from disk if it was seen before.

        Args:
            window: to render.
            name: of the window in the folder; the folder's windows are always the same ones.
            advance: called after each image.
        """
        bag, truth = self._folder / f"{name}.mcap", self._folder / f"{name}.npz"
        if not truth.exists():
            self._render(window, bag, truth, advance)
        with np.load(truth) as kept:
            pictures: Any = cv2.imdecode(kept["pictures"], cv2.IMREAD_COLOR)
            return RenderedSight(list(ObservationBag(bag)), kept["behind"], kept["shown"], pictures)

    def _render(self, window: RenderedWindow, bag: Path, truth: Path, advance: Callable[[], None]) -> None:
        scene, plan = window.scene, window.plan
        self._perception.reset()
        renderer, pictures = SceneRenderer(scene), list[NDArray[np.uint8]]()
        at_s = plan.lead_s + plan.gap_s * np.array(_SHOWN) + [*[0.0] * (len(_SHOWN) - 1), _AFTER_S]
        shown = np.searchsorted(scene.times_s, at_s).clip(0, len(scene.times_s) - 1)
        with whole_file(bag) as partial, HandBagWriter(partial, "camera") as writer:
            for index, image in enumerate(renderer.frames()):
                stamp_ns = _FIRST_NS + round(1e9 * scene.times_s[index])
                observation = self._perception.process(Frame(image, stamp_ns, scene.camera))
                writer.write_observation(observation, Timing())
                if index in shown:
                    pictures.append(image)
                advance()
        strip = np.hstack([pictures[number] for number in np.unique(shown, return_inverse=True)[1]])
        _, jpeg = cv2.imencode(".jpg", strip)
        with whole_file(truth) as partial:  # last: it says that the window is whole
            np.savez(partial, behind=renderer.hidden[:, 0], shown=shown, pictures=jpeg)


def makers_digest() -> str:
    """A name for all code and all networks that a sight depends on, and so for a folder of them."""
    digest, root = hashlib.sha256(), Path(hmp_core.__file__).parent
    for maker in _MAKERS:
        for path in sorted((root / maker).rglob("*.py")) or [root / maker]:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def draw_results(
    sight: RenderedSight,
    camera: Camera,
    results: list[tuple[NDArray[np.float64], tuple[int, int, int]]],
    scale: float = 0.5,
) -> NDArray[np.uint8]:
    """The pictures of a sight with skeletons drawn on them.

    Args:
        sight: with pictures.
        camera: that took them.
        results: joints [T, 21, 3] in the camera frame [m], and the BGR colour for them.
        scale: of the pictures.
    """
    drawn = sight.pictures.copy()
    for place, index in enumerate(sight.shown):
        view = drawn[:, place * camera.width : (place + 1) * camera.width]
        for joints, colour in results:
            pixels = camera.project(joints[index])
            if np.isfinite(pixels).all() and np.abs(pixels).max() < 8 * camera.width:
                ends = np.rint(pixels).astype(int).tolist()
                for joint, parent in enumerate(PARENTS):
                    if parent >= 0:
                        cv2.line(view, ends[joint], ends[parent], colour, 3, cv2.LINE_AA)
    return np.asarray(cv2.resize(drawn, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
