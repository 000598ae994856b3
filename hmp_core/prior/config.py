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
        grid_size: samples of the encoder's regular grid over the window.
        latent_dim: length of z.
        completion_dim: principal components of the closed-form completion that the encoder starts from.
        encoder_width: width of the encoder's transformer.
        encoder_layers: its blocks.
        encoder_heads: its attention heads, a divisor of the width.
        code_dim: length of the code that the latent is mapped to, once per window.
        field_width: width of the layers that are evaluated at every time.
        field_layers: how many such layers, the latent-mixed one included.
        harmonics: sine and cosine pairs of the time encoding.
        period_windows: the encoding's fundamental period in windows; above 1, so that the two ends of the window
            are free of each other. The highest frequency is ``harmonics / (period_windows * window_s)`` [Hz].
    """

    window_s: float = 2.0
    grid_size: int = 32
    latent_dim: int = 128
    completion_dim: int = 128
    encoder_width: int = 160
    encoder_layers: int = 4
    encoder_heads: int = 5
    code_dim: int = 64
    field_width: int = 128
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
        if self.grid_size < 8:
            raise ConfigError(f"grid_size is {self.grid_size}, allowed is 8 or more")
        if self.period_windows <= 1.0:
            raise ConfigError(f"period_windows is {self.period_windows}, allowed is anything above 1")
        sizes = (
            "latent_dim",
            "completion_dim",
            "encoder_width",
            "encoder_layers",
            "encoder_heads",
            "code_dim",
            "field_width",
            "field_layers",
            "harmonics",
        )
        for name in sizes:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, allowed is 1 or more")
        if self.encoder_width % self.encoder_heads:
            raise ConfigError(
                f"encoder_heads is {self.encoder_heads}, allowed are divisors of the width {self.encoder_width}"
            )
