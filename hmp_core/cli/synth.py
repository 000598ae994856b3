# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`hmp synth`: a rendered clip of moving hands with exact ground truth."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from hmp_core.cli.console import progress_bar
from hmp_core.hand.loading import load_hand_model
from hmp_core.hand.skeleton import Side
from hmp_core.media.occluder import OCCLUDER_SHAPES
from hmp_core.media.scene import SceneConfig
from hmp_core.media.synth import CAMERA_NAME, TRUTH_NAME, VIDEO_NAME, synthesize
from hmp_core.threads import use_one_thread


class Hands(str, Enum):
    """Which hands are in the clip."""

    RIGHT = "right"
    LEFT = "left"
    BOTH = "both"


_SIDES: Final = {
    Hands.RIGHT: (Side.RIGHT,),
    Hands.LEFT: (Side.LEFT,),
    Hands.BOTH: (Side.RIGHT, Side.LEFT),
}


def synth(
    out: Annotated[Path, typer.Option(help=f"Folder for {VIDEO_NAME}, {CAMERA_NAME} and {TRUTH_NAME}.")],
    seconds: Annotated[float, typer.Option(help="Length [s].")] = 6.0,
    fps: Annotated[float, typer.Option(help="Rate [Hz].")] = 30.0,
    width: Annotated[int, typer.Option(help="Image width [px].")] = 640,
    height: Annotated[int, typer.Option(help="Image height [px].")] = 480,
    fov: Annotated[float, typer.Option(help="Field of view of the longer side [deg].")] = 60.0,
    hands: Annotated[Hands, typer.Option(help="Which hands.")] = Hands.RIGHT,
    passes: Annotated[int, typer.Option(help="How often a thing passes in front of a hand.")] = 2,
    occluder: Annotated[
        str | None, typer.Option(help=f"The thing: {', '.join(OCCLUDER_SHAPES)}; by default any.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of motion, camera, light, skin, background and things.")] = 0,
    mano: Annotated[Path | None, typer.Option(help="Your MANO_RIGHT.pkl; by default the open hand.")] = None,
) -> None:
    """Render a clip with intrinsics and exact truth; the same options give the same clip."""
    use_one_thread()
    config = SceneConfig(seconds, fps, width, height, fov, _SIDES[hands], passes, occluder, seed)
    model = load_hand_model(mano)
    with progress_bar() as bar:
        task = bar.add_task("making up motion", total=max(round(seconds * fps), 2), note="")
        for done in synthesize(out, config, model):
            bar.update(task, completed=done, description="rendering")
    console = Console()
    for name in (VIDEO_NAME, CAMERA_NAME, TRUTH_NAME):
        console.print(out / name)
