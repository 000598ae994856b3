#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make ``hmp_core/assets/evidence.onnx`` from nothing: render hands behind things, look, train, measure.

Run from the repository root, with the extra ``train`` installed::

    python tools/train_evidence.py --cache out/evidence

Pictures are rendered in parts with seeds of their own, and what the landmark network made of them is kept in the
cache folder (0.4 GB). The table at the end is of pictures whose things and surfaces occur in none of the training
pictures. The same machine gives the same file again; another one may render a pixel differently.
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import roma
import torch
from numpy.typing import NDArray
from rich.console import Console
from scipy.stats import spearmanr
from torch import Generator

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmp_core.assets.manifest import ASSETS_DIR, record_asset
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.media.covered_hands import SEEN, UNSEEN, Covering, cover_hands
from hmp_core.perception.evidence_head import EVIDENCE_HEAD
from hmp_core.perception.landmark_network import LandmarkNetwork
from hmp_core.prior.chain import FingerBones
from hmp_core.threads import use_one_thread
from hmp_core.training.evidence_data import Looks, look_at
from hmp_core.training.evidence_export import export_evidence
from hmp_core.training.evidence_network import EvidenceNetwork
from hmp_core.training.evidence_training import EvidenceTraining, judge_inputs, train_evidence
from hmp_core.training.generator import generate_motion
from hmp_core.training.initializer_hands import HandSampler

_OBSERVED_MM: Final = 12.0
_SHUFFLED, _WOBBLE_RAD, _BETA_SPREAD = 0.15, 0.05, 0.8
_RECORDINGS, _SECONDS, _GRASPS, _EVERY_FRAME = 60, 10.0, 60, 7


@dataclass(frozen=True)
class Part:
    """Pictures from one seed.

    Attributes:
        seed: of hands and pictures; motion_seed: of the finger motion.
        hands: drawn; each is in two to four pictures.
        pictures: used, the first ones.
        covering: what gets in the way.
    """

    seed: int
    motion_seed: int
    hands: int
    pictures: int
    covering: Covering = SEEN


TRAINING: Final = (Part(11, 11, 4000, 4500), Part(12, 12, 4000, 4700), Part(13, 11, 6000, 2700))
TEST: Final = Part(77, 11, 500, 1500, UNSEEN)


def looks_of(part: Part, cache: Path, console: Console) -> Looks:
    """Render and look, or read what was kept."""
    path = cache / f"looks_{part.seed}_{part.pictures}.npz"
    if path.exists():
        return Looks.load(path)
    model = load_hand_model()
    motion = generate_motion(FingerBones.of(model), _RECORDINGS, _SECONDS, part.motion_seed, _GRASPS)
    poses = roma.rotvec_to_rotmat(motion.rotation_vectors[::_EVERY_FRAME])
    generator = Generator().manual_seed(part.seed)
    sampler = HandSampler(poses, HandKinematics(model), _SHUFFLED, _WOBBLE_RAD, generator)
    hands = sampler.draw_as_shown(part.hands)
    pictures = cover_hands(
        model, hands.rotations.numpy(), hands.betas.numpy() * _BETA_SPREAD, part.seed, part.covering
    )
    found = []
    with console.status("") as status:
        for looks in look_at(islice(pictures, part.pictures), LandmarkNetwork(), part.seed + 5):
            found.append(looks)
            status.update(f"part {part.seed}: {len(found)} looks")
    whole = Looks.joined(found)
    cache.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.stem + ".partial.npz")
    whole.save(partial)
    partial.replace(path)
    return whole


@torch.no_grad()
def measure(network: EvidenceNetwork, looks: Looks, console: Console) -> None:
    """Print how well the sigmas rank and cover the errors."""
    keypoint, point, covered = (
        tensor.numpy() for tensor in network.calibrated(network.judge(*judge_inputs(looks)))
    )
    away = looks.judged.copy()
    away[:, 0] = False  # the wrist is the points' origin
    for name, sigma, error, used in (
        ("keypoints", keypoint, looks.keypoint_error, looks.judged), ("landmarks", point, looks.point_error, away),
    ):  # fmt: skip
        size = np.linalg.norm(error, axis=-1)
        rank = spearmanr(sigma[used], size[used]).statistic
        in_frame = np.mean(
            [spearmanr(s[u], e[u]).statistic for s, e, u in zip(sigma, size, used, strict=True) if u.sum() > 5]
        )
        inside = np.abs(error) <= 2 * sigma[..., None]
        seen, hidden = (inside[used & chosen].mean() for chosen in (~looks.hidden, looks.hidden))
        console.print(f"{name}: rank correlation {rank:.3f}, within a picture {in_frame:.3f}")
        console.print(f"  within two sigmas: {seen:.1%} of the seen ones, {hidden:.1%} of the hidden ones")
    observed = keypoint * looks.size_mm[:, None] < _OBSERVED_MM
    taken, rejected = observed[looks.judged & looks.hidden].mean(), (~observed[looks.judged & ~looks.hidden]).mean()
    curve = area_under_curve(covered[looks.judged], looks.hidden[looks.judged])
    console.print(f"taken for observed: {taken:.1%} of the hidden joints; not: {rejected:.1%} of the seen ones")
    console.print(f"area under the curve of P(covered): {curve:.3f}")


def area_under_curve(score: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """Probability that a true one scores above a false one."""
    order = np.argsort(np.argsort(score)) + 1.0
    positive, negative = int(truth.sum()), int((~truth).sum())
    return float((order[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def main() -> None:
    """Render, train, write, measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ASSETS_DIR / EVIDENCE_HEAD)
    parser.add_argument("--cache", type=Path, required=True, help="folder for what was seen in the pictures")
    arguments = parser.parse_args()
    use_one_thread()
    console = Console()
    parts = [looks_of(part, arguments.cache, console) for part in TRAINING]
    unseen = looks_of(TEST, arguments.cache, console)
    console.print(f"{sum(len(part.presence) for part in parts)} looks to train on, {len(unseen.presence)} to test")
    network = train_evidence(
        parts, EvidenceTraining(), lambda epoch, loss: console.print(f"epoch {epoch}: {loss:.3f}")
    )
    export_evidence(network, arguments.out)
    if arguments.out.resolve().parent == ASSETS_DIR:
        record_asset(
            EVIDENCE_HEAD,
            licence="Apache-2.0",
            source="Trained by this project on renders of the open hand behind things, seen by hand_landmarks.onnx",
            tool="python tools/train_evidence.py --cache out/evidence",
            description="Evidence head: outputs and feature maps of hand_landmarks.onnx for one look -> "
            "keypoint_sigma [1,21] (per axis, over the region's size), landmark_sigma_m [1,21] (per axis, beside "
            "common rotation and scale), covered [1,21] (probability that something covers the joint).",
        )
    measure(network, unseen, console)


if __name__ == "__main__":
    main()
