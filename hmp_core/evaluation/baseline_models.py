# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The linear and the mixture model of motion clips that a learned prior has to beat, and the file they live in.

Both are fitted on a prior's training motion, which nobody has who only measures: so they ship as one small file of
principal components in half precision, a Gaussian mixture over the leading coordinates, some thousand training
clips in eight bits (how far is a sample from anything seen?), and what was tuned on validation signs.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from scipy.interpolate import CubicSpline
from torch import Tensor

from hmp_core.assets import asset_path
from hmp_core.assets.manifest import ASSETS_DIR
from hmp_core.errors import AssetError
from hmp_core.evaluation.baseline_mixture import Mixture
from hmp_core.evaluation.prior_interpolation import InterpolationParameters
from hmp_core.whole_file import whole_file

SHIPPED_BASELINES: Final = "prior_baselines.safetensors"
MAKE_COMMAND: Final = "python tools/fit_prior_baselines.py config/prior_realtime.yaml --data FILE --out FILE"
COMPONENTS: Final = 256
_FORMAT: Final = "hmp_prior_baselines/1"
_STORED_COORDINATES: Final = 128
_LEAST_VARIANCE: Final = 1e-10
_QUANTUM: Final = 6.0 / 127.0
"""Stored coordinates have unit spread; six of it is the whole range."""


@dataclass(frozen=True)
class BaselineParameters:
    """What was tuned on validation signs; the defaults are that tuning's result.

    Attributes:
        interpolation: of the fills that know nothing of hands.
        pca_noise_rad: what the components do not explain of a rotation, as white noise [rad].
        gmm_noise_rad: the same for the mixture, where it also decides how sure it is of one Gaussian [rad].
        gmm_components: Gaussians in the mixture.
        gmm_shrinkage: share of the whole's covariance in each Gaussian's.
    """

    interpolation: InterpolationParameters = field(default_factory=InterpolationParameters)
    pca_noise_rad: float = 0.12
    gmm_noise_rad: float = 0.12
    gmm_components: int = 4
    gmm_shrinkage: float = 0.35


@dataclass(frozen=True)
class BaselineModels:
    """Principal components of clips, a mixture over their leading coordinates, and training clips.

    Attributes:
        window_s: length of a clip [s].
        mean: [N, 45] mean clip as rotation vectors on a regular grid, both ends included [rad].
        components: [M, N, 45] principal components, scaled: over training clips their coordinates have unit
            covariance [rad].
        mixture: over the leading coordinates; the others are N(0, I) beside it.
        clips: [n, C] leading coordinates of training clips.
        parameters: tuned.
        metadata: what they were fitted on.
    """

    window_s: float
    mean: Tensor
    components: Tensor
    mixture: Mixture
    clips: Tensor
    parameters: BaselineParameters
    metadata: dict[str, Any]

    def basis(self, times_s: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [T, 45] and components [M, T, 45] at times [T] in the window [s], by cubic splines."""
        grid = np.linspace(0.0, self.window_s, len(self.mean))
        to_times = torch.from_numpy(CubicSpline(grid, np.eye(len(grid)))(times_s.numpy())).float()
        return to_times @ self.mean, to_times @ self.components

    def curves(self, coordinates: Tensor, times_s: Tensor) -> Tensor:
        """Rotation vectors [B, T, 15, 3] [rad] of clips with leading coordinates [B, C], the rest zero."""
        mean, components = self.basis(times_s)
        flat = mean.flatten() + coordinates @ components[: coordinates.shape[1]].flatten(1)
        return flat.view(len(coordinates), len(times_s), 15, 3)

    def sample(self, method: str, count: int, generator: torch.Generator) -> Tensor:
        """Coordinates [count, M] drawn from the model of ``method``, pca or gmm."""
        drawn = torch.randn(count, len(self.components), generator=generator)
        if method == "gmm":
            drawn[:, : self.mixture.dim] = self.mixture.sample(count, generator)
        return drawn


def fit_components(clips: Tensor, window_s: float, parameters: BaselineParameters) -> BaselineModels:
    """Fit components, mixture and stored clips on training clips.

    Args:
        clips: [n, N, 45] rotation vectors on a regular grid over the window, n of at least three thousand [rad].
        window_s: length of the window [s].
        parameters: number of Gaussians and shrinkage are taken from them.
    """
    mean = clips.mean(0)
    centred = (clips - mean).flatten(1)
    variance, axes = torch.linalg.eigh(centred.T.double() @ centred.double() / (len(clips) - 1))
    # Directions in which the clips do not differ are left out.
    count = min(COMPONENTS, int((variance > _LEAST_VARIANCE * variance[-1]).sum()))
    spread = variance.flip(0)[:count].sqrt().float()
    axes = axes.flip(1)[:, :count].float()
    whitened = centred @ (axes / spread)
    mixture = Mixture.fit(
        whitened[:, : Mixture.LEADING], parameters.gmm_components, parameters.gmm_shrinkage, seed=0
    )
    return BaselineModels(
        window_s=window_s,
        mean=mean,
        components=(axes * spread).T.unflatten(1, mean.shape),
        mixture=mixture,
        clips=whitened[:4000, :_STORED_COORDINATES],
        parameters=parameters,
        metadata={},
    )


def refit_mixture(models: BaselineModels, clips: Tensor, parameters: BaselineParameters) -> BaselineModels:
    """The same components with a mixture of other parameters, fitted on the same clips."""
    flat = models.components.flatten(1)
    whitened = (clips - models.mean).flatten(1) @ (flat / flat.square().sum(1, keepdim=True)).T
    mixture = Mixture.fit(
        whitened[:, : Mixture.LEADING], parameters.gmm_components, parameters.gmm_shrinkage, seed=0
    )
    return replace(models, mixture=mixture, parameters=parameters)


def save_baselines(path: Path, models: BaselineModels) -> None:
    """Write the models; the file appears whole or not at all."""
    quantised = (models.clips / _QUANTUM).round().clamp(-127, 127).to(torch.int8)
    tensors = {"mean": models.mean, "components": models.components.half(), "clips": quantised}
    tensors |= {f"mixture.{name}": value for name, value in models.mixture.packed().items()}
    header = {
        "format": _FORMAT,
        "window_s": str(models.window_s),
        "parameters": json.dumps(asdict(models.parameters)),
        "training": json.dumps(models.metadata, sort_keys=True),
    }
    with whole_file(path) as partial:
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata=header)


def load_baselines(path: Path) -> BaselineModels:
    """Read the models of :func:`save_baselines`.

    Raises:
        AssetError: when the file is missing, not safetensors, or not of this format.
    """
    try:
        with safe_open(str(path), framework="pt") as stream:
            header = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name).float() for name in stream.keys()}  # noqa: SIM118
        if header.get("format") != _FORMAT:
            raise ValueError(f"its format is {header.get('format')!r}, not {_FORMAT!r}")
        settings = json.loads(header["parameters"])
        interpolation = InterpolationParameters(**settings.pop("interpolation"))
        weights, means, factors = (tensors[f"mixture.{name}"] for name in ("weights", "means", "factors"))
        return BaselineModels(
            window_s=float(header["window_s"]),
            mean=tensors["mean"],
            components=tensors["components"],
            mixture=Mixture.unpacked(weights, means, factors),
            clips=tensors["clips"] * _QUANTUM,
            parameters=BaselineParameters(interpolation=interpolation, **settings),
            metadata=json.loads(header["training"]),
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise AssetError(
            f"the baseline models {path} cannot be used: {error}; make them with `{MAKE_COMMAND}`"
        ) from error


def shipped_baselines() -> BaselineModels | None:
    """The shipped models; None where this installation came without them.

    Raises:
        AssetError: the file is there and not what its manifest says.
    """
    if not (ASSETS_DIR / SHIPPED_BASELINES).exists():
        return None
    return load_baselines(asset_path(SHIPPED_BASELINES))
