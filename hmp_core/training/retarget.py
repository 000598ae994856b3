# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded joint positions to finger rotations, once, with the result kept in a cache outside the repository."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import roma
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hmp_core.assets.manifest import file_sha256
from hmp_core.hand.inverse_kinematics import InverseKinematics
from hmp_core.hand.limits import ANATOMICAL_LIMITS
from hmp_core.hand.model import HandModel
from hmp_core.hand.skeleton import NUM_JOINTS
from hmp_core.training.motion import FingerMotion
from hmp_core.training.sources import JointMotion, read_joint_motion
from hmp_core.whole_file import whole_file

_VERSION = 1
_THUMB_CMC = 1
_BLOCK_RECORDINGS = 16


@dataclass(frozen=True)
class RetargetConfig:
    """How points become poses.

    Attributes:
        rate_hz: highest rate of the result; a faster recording is thinned to a whole fraction of its rate [Hz].
        thumb_base_weight: weight of the thumb's carpometacarpal point; sensors place it a centimetre apart.
        largest_residual_m: frames whose mean joint distance (thumb base aside) exceeds this are dropped [m].
        shortest_s: what dropped frames leave is kept from this length on [s].
    """

    rate_hz: float = 30.0
    thumb_base_weight: float = 0.05
    largest_residual_m: float = 0.010
    shortest_s: float = 0.5


@dataclass(frozen=True)
class Retargeted:
    """Finger rotations and how well they explain the points.

    Attributes:
        motion: recordings, or pieces of them, labelled with their sign.
        residual_m: [F'] mean joint distance of every frame that was tried, kept or not [m].
        rejected: share of frames dropped.
        frames: [F] the file's frames that ``motion`` consists of; empty where the file holds poses.
    """

    motion: FingerMotion
    residual_m: Tensor
    rejected: float
    frames: Tensor


def retarget_file(
    path: Path,
    model: HandModel,
    cache: Path,
    config: RetargetConfig | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Retargeted:
    """Retarget a motion file, or take the result of an earlier call with the same file, hand and settings.

    Args:
        path: a file of :func:`~hmp_core.training.sources.read_joint_motion`.
        model: the right hand to fit.
        cache: folder for results.
        config: settings.
        report: called with frames done and frames in all.

    Raises:
        DataError: the motion file cannot be used.
    """
    config = config or RetargetConfig()
    recorded = read_joint_motion(path)
    shapes = (model.v_template, model.J_regressor, ANATOMICAL_LIMITS)
    hand = hashlib.sha256(b"".join(array.tobytes() for array in shapes)).hexdigest()
    key = json.dumps([_VERSION, file_sha256(path), hand, asdict(config)])
    entry = cache / f"retarget_{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"
    stored = _read(entry)
    if stored is None:
        stored = _fit(recorded, model, config, report)
        with whole_file(entry) as partial:
            save_file(stored, partial)
    return _keep_good(stored, recorded, config)


def _read(entry: Path) -> dict[str, Tensor] | None:
    try:
        with safe_open(str(entry), framework="pt") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None  # not there, or cut short by a kill: it is made anew


def _fit(
    recorded: JointMotion, model: HandModel, config: RetargetConfig, report: Callable[[int, int], None]
) -> dict[str, Tensor]:
    """Fit every recording with a shape of its own."""
    stride = max(1, round(recorded.rate_hz / config.rate_hz))
    weights = torch.ones(NUM_JOINTS)
    weights[_THUMB_CMC] = config.thumb_base_weight
    solver = InverseKinematics(model)
    starts = np.cumsum(recorded.lengths) - recorded.lengths
    pieces = [
        torch.from_numpy(recorded.joints[start : start + length : stride])
        for start, length in zip(starts, recorded.lengths, strict=True)
    ]
    lengths = torch.tensor([len(piece) for piece in pieces])
    vectors, residuals, done = [], [], 0
    for first in range(0, len(pieces), _BLOCK_RECORDINGS):
        block = pieces[first : first + _BLOCK_RECORDINGS]
        sequence = torch.repeat_interleave(torch.arange(len(block)), torch.tensor([len(piece) for piece in block]))
        poses = solver.fit(torch.cat(block), sequence, weights=weights)
        vectors.append(roma.rotmat_to_rotvec(poses.rotations[:, 1:]).float())
        residuals.append(((poses.residual_m * weights).sum(-1) / weights.sum()).float())
        done += len(sequence)
        report(done, int(lengths.sum()))
    return {
        "rotation_vectors": torch.cat(vectors),
        "residual_m": torch.cat(residuals),
        "lengths": lengths,
        "rate_hz": torch.tensor([recorded.rate_hz / stride]),
    }


def _keep_good(stored: dict[str, Tensor], recorded: JointMotion, config: RetargetConfig) -> Retargeted:
    """Cut recordings where frames fit badly and keep the pieces that are long enough."""
    residual, rate_hz = stored["residual_m"], float(stored["rate_hz"])
    good = (residual <= config.largest_residual_m).numpy()  # NaN compares as bad
    shortest = max(2, round(config.shortest_s * rate_hz))
    stride = round(recorded.rate_hz / rate_hz)
    firsts = np.cumsum(recorded.lengths) - recorded.lengths
    pieces, frames, labels, start = [], [torch.zeros(0, dtype=torch.int64)], [], 0
    for length, first, sign in zip(stored["lengths"].tolist(), firsts.tolist(), recorded.signs, strict=True):
        inside = good[start : start + length].astype(np.int8)
        edges = np.flatnonzero(np.diff(inside, prepend=0, append=0))
        for begin, end in edges.reshape(-1, 2).tolist():
            if end - begin >= shortest:
                pieces.append(stored["rotation_vectors"][start + begin : start + end])
                frames.append(first + stride * torch.arange(begin, end))
                labels.append(sign)
        start += length
    lengths = torch.tensor([len(piece) for piece in pieces], dtype=torch.int64)
    vectors = torch.cat(pieces) if pieces else torch.zeros(0, 15, 3)
    motion = FingerMotion(vectors, lengths, rate_hz, tuple(labels))
    return Retargeted(motion, residual, 1.0 - len(vectors) / max(1, len(residual)), torch.cat(frames))
