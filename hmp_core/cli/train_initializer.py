# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp train-initializer`: the network that turns perceived points into a MANO pose."""

from pathlib import Path
from typing import Annotated

import numpy as np
import roma
import torch
import typer
from rich.progress import Progress
from torch import Generator, Tensor

from hmp_core.assets.manifest import ASSETS_DIR, record_asset
from hmp_core.cli.console import STDERR, progress_bar
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.media.perceived_hands import perceive_hands
from hmp_core.perception.initializer import INITIALIZER
from hmp_core.prior.chain import FingerBones
from hmp_core.training.generator import generate_motion
from hmp_core.training.initializer import InitializerTrainer, InitializerTraining, export_initializer
from hmp_core.training.initializer_hands import Hands, HandSampler, Perceived, perceived_from_rays
from hmp_core.training.retarget import retarget_file

_DEFAULT_CACHE = Path("~/.cache/hmp_ros")
_RECORDINGS, _SECONDS, _GRASPS = 120, 20.0, 150
_EVERY_FRAME = 7
_MIN_PRESENCE = 0.5


def train_initializer(
    out: Annotated[Path, typer.Option(help="ONNX file to write.")] = ASSETS_DIR / INITIALIZER,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Motion file (.npz of 21 joints); repeat for several. None: generated poses alone."),
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=0, help="Hands to render and show to the landmark network, whose errors are learnt.")
    ] = 6000,
    steps: Annotated[int, typer.Option(min=10, help="Gradient steps.")] = 8000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    cache: Annotated[Path, typer.Option(help="Folder where retargeted motion is kept.")] = _DEFAULT_CACHE,
) -> None:
    """Train the initializer on the open hand and write it as ONNX; the shipped one enters the manifest."""
    torch.set_num_threads(1)
    model = load_hand_model()
    config = InitializerTraining(seed=seed, steps=steps)
    with progress_bar() as bars:
        poses = _gather_poses(model, data or [], seed, cache.expanduser(), bars)
        seen = _show_pictures(poses, model, pictures, config, bars) if pictures else None
        task = bars.add_task("training", total=steps, note="")
        trainer = InitializerTrainer(poses, model, config, seen)
        network = trainer.train(
            lambda step, error_mm: bars.update(task, completed=step + 1, note=f"{error_mm:.1f} mm on its batch")
        )
    export_initializer(network, out)
    if out.resolve().parent == ASSETS_DIR:
        record_asset(
            INITIALIZER,
            licence="Apache-2.0",
            source="Trained by this project on generated and recorded poses of the open hand, with made-up "
            "landmark errors and with renders seen by hand_landmarks.onnx",
            tool="hmp train-initializer",
            description="Initializer: landmarks_m [N,21,3] (relative to the wrist, camera axes, right hand), "
            "ray_points_m [N,21,3] (the same, moved onto their viewing rays), view [N,3] (unit direction to the "
            "hand) -> rotations [N,16,3,3] (MANO order, global first, camera frame), betas [N,10] (open hand).",
        )
    STDERR.print(f"initializer written to {out}")


def _gather_poses(model: HandModel, data: list[Path], seed: int, cache: Path, bars: Progress) -> Tensor:
    """Finger poses [N, 15, 3, 3], generated and recorded."""
    task = bars.add_task("poses", total=1 + len(data), note="generated motion")
    motion = generate_motion(FingerBones.of(model), _RECORDINGS, _SECONDS, seed, tries_per_grasp=_GRASPS)
    vectors = [motion.rotation_vectors[::_EVERY_FRAME]]
    for path in data:
        bars.update(task, advance=1, note=path.name)
        vectors.append(retarget_file(path, model, cache).motion.rotation_vectors[::_EVERY_FRAME])
    bars.update(task, advance=1, note="")
    poses: Tensor = roma.rotvec_to_rotmat(torch.cat(vectors))
    return poses


def _show_pictures(
    poses: Tensor, model: HandModel, count: int, config: InitializerTraining, bars: Progress
) -> tuple[Hands, Perceived]:
    """Hands that the real landmark network has seen, and how."""
    generator = Generator().manual_seed(config.seed + 1)
    sampler = HandSampler(poses, HandKinematics(model), config.shuffled / 2, config.wobble_rad, generator)
    drawn = sampler.draw_as_shown(count)
    pictures = perceive_hands(model, drawn.rotations.numpy(), drawn.betas.numpy(), config.seed)
    task = bars.add_task("pictures", total=count, note="rendered and perceived")
    seen = list(bars.track(pictures, total=count, task_id=task))
    kept = np.array([hand.presence > _MIN_PRESENCE for hand in seen])
    points = np.array([hand.landmarks_m for hand in seen])[kept]
    rays = np.array([hand.rays for hand in seen])[kept]
    perceived, rows = perceived_from_rays(points, rays)
    return drawn.rows(torch.from_numpy(np.flatnonzero(kept))[rows]), perceived
