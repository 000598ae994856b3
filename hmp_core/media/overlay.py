# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw hands on the image they were seen in, so that one look tells what was seen and what was filled in."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hmp_core.camera import Camera
from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.frame import Frame
from hmp_core.hand.skeleton import NUM_JOINTS, PARENTS, WRIST
from hmp_core.media.palette import STATUS_COLOURS, Rgb, joint_colours
from hmp_core.observation import FrameObservation

Bgr = tuple[int, int, int]

_WIDEST_HAZE_M: Final = 0.05
_DRAWN_STATUSES: Final = (HandStatus.OBSERVED, HandStatus.PARTIAL, HandStatus.INFILLED, HandStatus.LOST)
_SUBPIXEL_BITS: Final = 4
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


def draw_overlay(
    frame: Frame, estimate: FrameEstimate, observation: FrameObservation | None = None
) -> NDArray[np.uint8]:
    """Draw the hands of one image.

    Each finger has its hue. Joints with evidence are filled and their bones solid; filled-in joints are hollow
    and their bones thin and pale; a lost hand is grey. The haze around a joint is one standard deviation wide,
    5 cm at most. Small white crosses are the raw keypoints. A label per hand and a legend tell the status.

    Args:
        frame: image and camera.
        estimate: hands at the frame's stamp.
        observation: raw keypoints, drawn faintly.

    Returns:
        uint8 BGR, size of the image.
    """
    image = frame.image.copy()
    unit = max(min(image.shape[:2]) / 480, 0.5)
    for hand in estimate.hands:
        _draw_haze(image, hand, frame.camera)
    for hand in estimate.hands:
        _draw_skeleton(image, hand, frame.camera, unit)
    if observation is not None:
        for seen in observation.hands:
            for point in seen.keypoints_px:
                _draw_cross(image, point, unit)
    for hand in estimate.hands:
        _draw_label(image, hand, frame.camera, unit)
    _draw_legend(image, unit)
    return image


def _joint_colours(hand: HandEstimate) -> list[Bgr]:
    return [_bgr(colour) for colour in joint_colours(hand)]


def _bgr(colour: Rgb) -> Bgr:
    red, green, blue = colour
    return blue, green, red


def _draw_haze(image: NDArray[np.uint8], hand: HandEstimate, camera: Camera) -> None:
    """A soft disc around each joint, as wide as its uncertainty, blended together as one veil."""
    pixels = camera.project(hand.joints_camera)
    depths = hand.joints_camera[:, 2]
    usable = np.isfinite(pixels).all(axis=1) & (hand.joint_stddev_m > 0) & (depths > 0)
    sigmas = np.minimum(hand.joint_stddev_m, _WIDEST_HAZE_M)
    radii = np.where(usable, sigmas * camera.focal_px / np.where(depths > 0, depths, 1), 0)
    if not usable.any():
        return
    top_left = np.floor((pixels - radii[:, None])[usable].min(axis=0)).astype(int) - 2
    bottom_right = np.ceil((pixels + radii[:, None])[usable].max(axis=0)).astype(int) + 3
    size = np.array(image.shape[1::-1])
    (left, top), (right, bottom) = np.clip(top_left, 0, size), np.clip(bottom_right, 0, size)
    if right <= left or bottom <= top:
        return
    patch = image[top:bottom, left:right]
    veil = patch.copy()
    colours = _joint_colours(hand)
    for joint in np.argsort(-radii):
        if usable[joint]:
            centre = _fixed(pixels[joint] - (left, top))
            radius = int(min(radii[joint], 4096) * 2**_SUBPIXEL_BITS)
            cv2.circle(veil, centre, radius, colours[joint], -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    patch[:] = cv2.addWeighted(veil, 0.28, patch, 0.72, 0)


def _draw_skeleton(image: NDArray[np.uint8], hand: HandEstimate, camera: Camera, unit: float) -> None:
    pixels = camera.project(hand.joints_camera)
    colours = _joint_colours(hand)
    # Far bones first, so that near fingers lie over them.
    order = sorted(range(NUM_JOINTS), key=lambda joint: -float(hand.joints_camera[joint, 2]))
    for joint in order:
        parent = PARENTS[joint]
        if parent >= 0 and _drawable(pixels[[joint, parent]], image):
            seen = bool(hand.joint_observed[joint])
            ends = _fixed(pixels[parent]), _fixed(pixels[joint])
            width = max(round((3.0 if seen else 2.0) * unit), 1)
            cv2.line(image, *ends, (30, 30, 30), width + max(round(2 * unit), 1), cv2.LINE_AA, _SUBPIXEL_BITS)
            cv2.line(
                image, *ends, colours[joint] if seen else _pale(colours[joint]), width, cv2.LINE_AA, _SUBPIXEL_BITS
            )
    for joint in order:
        if _drawable(pixels[[joint]], image):
            _draw_joint(image, pixels[joint], colours[joint], bool(hand.joint_observed[joint]), unit)


def _draw_joint(image: NDArray[np.uint8], pixel: NDArray[np.float64], colour: Bgr, seen: bool, unit: float) -> None:
    centre, scale = _fixed(pixel), unit * 2**_SUBPIXEL_BITS
    cv2.circle(image, centre, round(4.8 * scale), (30, 30, 30), -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.circle(image, centre, round(3.6 * scale), colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    if not seen:
        cv2.circle(image, centre, round(2.1 * scale), (30, 30, 30), -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_cross(image: NDArray[np.uint8], pixel: NDArray[np.float64], unit: float) -> None:
    if _drawable(pixel[None], image):
        for way in ((2.5 * unit, 0.0), (0.0, 2.5 * unit)):
            ends = _fixed(pixel - way), _fixed(pixel + way)
            cv2.line(image, *ends, (255, 255, 255), 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_label(image: NDArray[np.uint8], hand: HandEstimate, camera: Camera, unit: float) -> None:
    """Side, status and age of the last evidence, under the wrist."""
    pixel = camera.project(hand.joints_camera[WRIST])
    if not np.isfinite(pixel).all():
        return
    text = f"{hand.side.value} {hand.status.name.lower()}"
    if hand.since_observed_ns:
        text += f" {hand.since_observed_ns / 1e9:.2f} s"
    size, _ = cv2.getTextSize(text, _FONT, 0.5 * unit, 1)
    pad = round(5 * unit)
    left = int(np.clip(pixel[0] - size[0] / 2 - pad, 0, max(image.shape[1] - size[0] - 2 * pad, 0)))
    top = int(np.clip(pixel[1] + 14 * unit, 0, max(image.shape[0] - size[1] - 2 * pad, 0)))
    _draw_plate(image, text, (left, top), _bgr(STATUS_COLOURS[hand.status]), unit)


def _draw_legend(image: NDArray[np.uint8], unit: float) -> None:
    """The meaning of the status colours along the upper edge."""
    left = top = round(8 * unit)
    for status in _DRAWN_STATUSES:
        left += (
            _draw_plate(image, status.name.lower(), (left, top), _bgr(STATUS_COLOURS[status]), 0.8 * unit)
            + top // 2
        )


def _draw_plate(image: NDArray[np.uint8], text: str, corner: tuple[int, int], colour: Bgr, unit: float) -> int:
    """Text on a dark plate with a stripe in the given colour; returns the plate's width [px]."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5 * unit, 1)
    pad, stripe = round(5 * unit), max(round(4 * unit), 2)
    left, top = corner
    right, bottom = left + width + 2 * pad + stripe, top + height + 2 * pad
    plate = image[top:bottom, left:right]
    plate[:] = plate // 3 + 12
    cv2.rectangle(image, (left, top), (left + stripe, bottom - 1), colour, -1)
    origin = (left + stripe + pad, bottom - pad)
    cv2.putText(image, text, origin, _FONT, 0.5 * unit, (240, 240, 240), max(round(unit), 1), cv2.LINE_AA)
    return right - left


def _drawable(pixels: NDArray[np.float64], image: NDArray[np.uint8]) -> bool:
    """Whether OpenCV can draw these [N, 2]: in front of the camera and not absurdly far outside."""
    return bool(np.isfinite(pixels).all() and (np.abs(pixels) < 8 * max(image.shape)).all())


def _fixed(pixel: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.rint(pixel * 2**_SUBPIXEL_BITS)
    return int(x), int(y)


def _pale(colour: Bgr) -> Bgr:
    blue, green, red = (round(0.5 * value + 110) for value in colour)
    return blue, green, red
