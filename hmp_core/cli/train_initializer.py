# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp train-initializer`: the network that turns perceived points into a MANO pose."""

import hashlib
from pathlib import Path
from typing import Annotated

import numpy as np
import roma
import torch
import typer
from rich.progress import Progress
from torch import Generator, Tensor

from hmp_core.assets.manifest import ASSETS_DIR, record_asset
from hmp_core.cli.console import STDERR, missing_training_package, progress_bar
from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.model import HandModel
from hmp_core.media.perceived_hands import perceive_hands
from hmp_core.perception.initializer import INITIALIZER
from hmp_core.prior.chain import FingerBones
from hmp_core.threads import use_one_thread
from hmp_core.training.corpus import read_held_out
from hmp_core.training.generator import generate_motion
from hmp_core.training.initializer import InitializerTrainer, InitializerTraining
from hmp_core.training.initializer_hands import Hands, HandSampler, Perceived, perceived_from_rays
from hmp_core.training.motion_sources import find_motion_sources
from hmp_core.whole_file import whole_file

_DEFAULT_CACHE = Path("~/.cache/hmp_ros")
_RECORDINGS, _SECONDS, _GRASPS = 120, 20.0, 150
_EVERY_FRAME = 7
_MIN_PRESENCE = 0.5


def train_initializer(
    out: Annotated[Path, typer.Option(help="ONNX file to write.")] = ASSETS_DIR / INITIALIZER,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Motion file or folder, as for the prior; repeat for several. None: generated poses alone."
        ),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="JSON file whose signs are left out of the motion files, as for the prior.")
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=0, help="Hands to render and show to the landmark network, whose errors are learnt.")
    ] = 9000,
    steps: Annotated[int, typer.Option(min=10, help="Gradient steps.")] = 8000,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    cache: Annotated[
        Path, typer.Option(help="Folder where retargeted motion and perceived pictures are kept.")
    ] = _DEFAULT_CACHE,
) -> None:
    """Train the initializer on the open hand and write it as ONNX; the shipped one enters the manifest."""
    try:
        # The packages are those of an extra: no other command should need them, and this one before it trains.
        from hmp_core.training.initializer_export import export_initializer
    except ModuleNotFoundError as error:
        raise missing_training_package(error) from error
    use_one_thread()
    model = load_hand_model()
    config = InitializerTraining(seed=seed, steps=steps)
    with progress_bar() as bars:
        poses = _gather_poses(model, data or [], split, seed, cache.expanduser(), bars)
        seen = _show_pictures(poses, model, pictures, config, cache.expanduser(), bars) if pictures else None
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
            tool="hmp train-initializer --data leap_motion_60hz.npz --split config/prior_split.json",
            description="Initializer: landmarks_m [N,21,3] (relative to the wrist, camera axes, right hand), "
            "ray_points_m [N,21,3] (the same, moved onto their viewing rays), view [N,3] (unit direction to the "
            "hand) -> rotations [N,16,3,3] (MANO order, global first, camera frame), betas [N,10] (open hand).",
        )
    STDERR.print(f"initializer written to {out}")


def _gather_poses(
    model: HandModel, data: list[Path], split: Path | None, seed: int, cache: Path, bars: Progress
) -> Tensor:
    """Finger poses [N, 15, 3, 3], generated and recorded."""
    held_out = read_held_out(split) if split else frozenset()
    sources = find_motion_sources(data, cache)
    task = bars.add_task("poses", total=1 + len(sources), note="generated motion")
    motion = generate_motion(FingerBones.of(model), _RECORDINGS, _SECONDS, seed, tries_per_grasp=_GRASPS)
    vectors = [motion.rotation_vectors[::_EVERY_FRAME]]
    for source in sources:
        bars.update(task, advance=1, note=source.name)
        motion = source.read(model, cache, lambda done, total: None).motion
        vectors.append(motion.select(~motion.labelled(held_out)).rotation_vectors[::_EVERY_FRAME])
    bars.update(task, advance=1, note="")
    poses: Tensor = roma.rotvec_to_rotmat(torch.cat(vectors))
    return poses


def _show_pictures(
    poses: Tensor, model: HandModel, count: int, config: InitializerTraining, cache: Path, bars: Progress
) -> tuple[Hands, Perceived]:
    """Hands that the real landmark network has seen, and how; the pictures of an earlier run are taken again."""
    generator = Generator().manual_seed(config.seed + 1)
    sampler = HandSampler(poses, HandKinematics(model), config.shuffled / 2, config.wobble_rad, generator)
    drawn = sampler.draw_as_shown(count)
    task = bars.add_task("pictures", total=count, note="rendered and perceived")
    key = hashlib.sha256(model.v_template.tobytes() + drawn.joints.numpy().tobytes()).hexdigest()[:16]
    kept_file = cache / f"perceived_{key}_{config.seed}.npz"
    if not kept_file.exists():
        pictures = perceive_hands(model, drawn.rotations.numpy(), drawn.betas.numpy(), config.seed)
        seen = list(bars.track(pictures, total=count, task_id=task))
        with whole_file(kept_file) as partial:
            np.savez(
                partial,
                presence=[hand.presence for hand in seen],
                landmarks_m=[hand.landmarks_m for hand in seen],
                rays=[hand.rays for hand in seen],
            )
    bars.update(task, completed=count)
    with np.load(kept_file) as file:
        presence, points, rays = file["presence"], file["landmarks_m"], file["rays"]
    clear = np.flatnonzero(presence > _MIN_PRESENCE)
    perceived, rows = perceived_from_rays(points[clear], rays[clear])
    return drawn.rows(torch.from_numpy(clear)[rows]), perceived
