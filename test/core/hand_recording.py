# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder as `hmp track` leaves it, of two hands that are known exactly, made in a second."""

from dataclasses import replace

import numpy as np
from hand_scene import CAMERA, moving_hand

from hmp_core.estimate import FrameEstimate, HandEstimate, HandStatus
from hmp_core.frame import Frame
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.operator_frame import operator_frame
from hmp_core.hand.skeleton import Side
from hmp_core.media.bag_writer import HandBagWriter
from hmp_core.media.hand_recorder import HandRecorder
from hmp_core.media.message_fields import Timing
from hmp_core.media.overlay import draw_overlay
from hmp_core.media.video_writer import VideoWriter
from hmp_core.observation import FrameObservation

FRAMES = 60
INFILLED = range(20, 35)
LOST = range(35, 40)
LATENCY_NS = 42_000_000


def status_at(frame):
    """Of the right hand; its track ends at the end of LOST and a new one begins."""
    if frame in INFILLED:
        return HandStatus.INFILLED
    return HandStatus.LOST if frame in LOST else HandStatus.OBSERVED


def recorded_frames():
    """Observation and estimate of each frame: a right hand with a gap, and a left one from frame 10 on."""
    scenes = {side: moving_hand(FRAMES, side=side) for side in (Side.RIGHT, Side.LEFT)}
    for frame in range(FRAMES):
        seen, hands = [], []
        for side, scene in scenes.items():
            status = status_at(frame) if side is Side.RIGHT else HandStatus.OBSERVED
            if side is Side.LEFT and frame < 10:
                continue
            track = 7 if side is Side.LEFT else 1 + (frame >= LOST.stop)
            if status is HandStatus.OBSERVED:
                observation = scene.observation(frame)
                seen.append(replace(observation, track_id=track))
            hands.append(hand_estimate(scene, frame, track, status))
        stamp = int(scenes[Side.RIGHT].stamps_ns[frame])
        stages = {"detect": 10.0, "initialize": 2.0, "optimize": 8.0}
        yield FrameObservation(stamp, CAMERA, tuple(seen), stages), FrameEstimate(stamp, tuple(hands), stages)


def hand_estimate(scene, frame, track, status):
    """The truth as an estimate with 2 mm, 20 mm or no sigmas, by status."""
    sigma = {HandStatus.OBSERVED: 0.002, HandStatus.INFILLED: 0.02}.get(status, -1.0)
    joints = scene.joints_camera[frame]
    variances = [-1.0] * 6 if sigma < 0 else [1e-6, 1e-6, 4e-4, 1e-3, 1e-3, 1e-3]
    return HandEstimate(
        track_id=track,
        side=scene.side,
        side_score=0.9,
        status=status,
        score=0.8 if status is HandStatus.OBSERVED else 0.0,
        since_observed_ns=0,
        joints_camera=joints,
        joint_stddev_m=np.full(21, sigma),
        joint_observed=np.full(21, status is HandStatus.OBSERVED),
        mano=scene.poses[frame],
        R_camera_wrist=operator_frame(joints, scene.side),
        wrist_covariance=np.diag(variances),
    )


def write_recording(folder, overlay=True):
    """``hands.npz``, ``hands.mcap`` and ``overlay.mp4``."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder = HandRecorder(load_hand_model())
    image = np.full((CAMERA.height, CAMERA.width, 3), 90, np.uint8)
    with HandBagWriter(folder / "hands.mcap", "camera") as bag, VideoWriter(folder / "overlay.mp4") as video:
        for observation, estimate in recorded_frames():
            stamp = observation.stamp_ns
            bag.write_observation(observation, Timing(stamp, stamp))
            bag.write_estimate(estimate, Timing(stamp, stamp + LATENCY_NS))
            recorder.add(observation, estimate)
            if overlay:
                video.write(draw_overlay(Frame(image, stamp, CAMERA), estimate, observation), stamp)
    recorder.save(folder / "hands.npz")
