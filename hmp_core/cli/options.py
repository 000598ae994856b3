# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

CameraOption = Annotated[Path | None, typer.Option(help="JSON with width, height, fx, fy, cx, cy, distortion.")]
FovOption = Annotated[float, typer.Option(help="Field of view of the longer side [deg] without a camera file.")]
FpsOption = Annotated[float, typer.Option(help="Rate of an image folder [Hz].")]
HandLengthOption = Annotated[
    float, typer.Option(help="Wrist to middle knuckle [m], 0.05 to 0.15: makes depth metric; 0: not measured.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")]
ManoOption = Annotated[Path | None, typer.Option(help="Your MANO_RIGHT.pkl; by default the open hand.")]
MaxHandsOption = Annotated[int, typer.Option(help="Hands to follow, 1 or 2.")]
OverlayOption = Annotated[bool, typer.Option(help="Write the overlay video.")]
TopicOption = Annotated[str | None, typer.Option(help="Image topic of a bag with several.")]
