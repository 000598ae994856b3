# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the paper's networks."""

from dataclasses import dataclass

from hmp_core.errors import ConfigError

NUM_LEVELS = 4


@dataclass(frozen=True)
class HmpConfig:
    """What has to be known to rebuild the paper's networks; the defaults are the paper's and its code's.

    Attributes:
        frames: length of a clip, a multiple of 16 from 32 on.
        rate_hz: frames a second.
        latent_dim: length of z, the fingers' latent.
        global_dim: length of the wrist orientation's latent.
        channels: channels per skeleton edge after each of the local encoder's four levels, multiples of 4.
        global_channels: channels after each of the global encoder's four blocks.
        field_width: width of the decoder's layers.
        local_layers: decoder layers before the fingers' head.
        global_layers: decoder layers after it, before the wrist's head.
        octaves: sine and cosine pairs of the time encoding, frequencies 1, 2, 4 ... radians per half clip.
    """

    frames: int = 128
    rate_hz: float = 30.0
    latent_dim: int = 1024
    global_dim: int = 256
    channels: tuple[int, int, int, int] = (30, 60, 120, 240)
    global_channels: tuple[int, int, int, int] = (128, 256, 512, 512)
    field_width: int = 1024
    local_layers: int = 8
    global_layers: int = 3
    octaves: int = 7

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        if self.frames < 32 or self.frames % 2**NUM_LEVELS:
            raise ConfigError(f"frames is {self.frames}, allowed are multiples of 16 from 32 on")
        if not self.rate_hz > 0.0:
            raise ConfigError(f"rate_hz is {self.rate_hz}, allowed is anything above 0")
        for name in ("channels", "global_channels"):
            if len(getattr(self, name)) != NUM_LEVELS or min(getattr(self, name)) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed are {NUM_LEVELS} positive numbers")
        for name in ("latent_dim", "global_dim", "field_width", "local_layers", "global_layers", "octaves"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is 1 or more")

    @property
    def window_s(self) -> float:
        """Length of the clip [s]: the time encoding runs over it half-open, its last frame lies one step before."""
        return self.frames / self.rate_hz
