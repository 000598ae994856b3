# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of the motion prior's networks."""

from dataclasses import dataclass

from hmp_core.errors import ConfigError


@dataclass(frozen=True)
class PriorConfig:
    """What has to be known to rebuild the networks; it travels inside the checkpoint.

    Attributes:
        window_s: length of the time window that one latent describes [s].
        grid_size: samples of the encoder's regular grid over the window, a multiple of 8.
        latent_dim: length of z.
        encoder_channels: channels per skeleton node after each of the encoder's three levels.
        encoder_width: width of the layer between the convolutions and the two heads.
        code_dim: length of the code that the latent is mapped to, once per window.
        field_width: width of the layers that are evaluated at every time.
        field_layers: how many such layers, the latent-mixed one included.
        harmonics: sine and cosine pairs of the time encoding.
        period_windows: the encoding's fundamental period in windows; above 1, so that the two ends of the window
            are free of each other. The highest frequency is ``harmonics / (period_windows * window_s)`` [Hz].
    """

    window_s: float = 2.0
    grid_size: int = 32
    latent_dim: int = 96
    encoder_channels: tuple[int, int, int] = (16, 32, 64)
    encoder_width: int = 384
    code_dim: int = 96
    field_width: int = 256
    field_layers: int = 2
    harmonics: int = 15
    period_windows: float = 1.25

    def __post_init__(self) -> None:
        """Refuse sizes that cannot work.

        Raises:
            ConfigError: naming the value and the allowed range.
        """
        if not 0.2 <= self.window_s <= 10.0:
            raise ConfigError(f"window_s is {self.window_s}, allowed are 0.2 to 10 s")
        if self.grid_size < 8 or self.grid_size % 8:
            raise ConfigError(f"grid_size is {self.grid_size}, allowed are multiples of 8 from 8 on")
        if self.period_windows <= 1.0:
            raise ConfigError(f"period_windows is {self.period_windows}, allowed is anything above 1")
        if self.field_layers < 1:
            raise ConfigError(f"field_layers is {self.field_layers}, allowed is 1 or more")
        sizes = ("latent_dim", "encoder_width", "code_dim", "field_width", "harmonics")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is 1 or more")

    @property
    def highest_hz(self) -> float:
        """Highest frequency of the time encoding [Hz]."""
        return self.harmonics / (self.period_windows * self.window_s)
