# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Priors on disk: one safetensors file with the weights, the whitening and, as JSON in its header, the rest.

No pickle is ever read: safetensors holds arrays and strings and nothing that runs.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hmp_core.errors import AssetError, ConfigError
from hmp_core.prior.chain import FingerBones
from hmp_core.prior.config import PriorConfig
from hmp_core.prior.hmp.config import HmpConfig
from hmp_core.prior.hmp.vae import HmpVae
from hmp_core.prior.vae import MotionVae
from hmp_core.whole_file import whole_file

_FORMAT = "hmp_prior/2"
_WHITENING_PREFIX = "whitening."
_VAE_PREFIX = "vae."
_REALTIME, _HMP = "realtime", "hmp"


@dataclass(frozen=True)
class Whitening:
    """Linear change of latent coordinates in which the training clips' posterior means are N(0, I).

    Attributes:
        mean: [D] mean of the posterior means.
        from_white: [D, D] maps whitened to own coordinates (``z = mean + from_white @ white``).
        to_white: [D, D] its inverse.
    """

    mean: Tensor
    from_white: Tensor
    to_white: Tensor

    @staticmethod
    def fit(means: Tensor) -> "Whitening":
        """Fit on posterior means [n, D], n well above D; directions are ordered by falling spread."""
        samples = means.double()
        center = samples.mean(0)
        variance, axes = torch.linalg.eigh(torch.cov(samples.T))
        # Directions that the encoder left unused get the smallest spread that float32 can invert.
        spread = variance.flip(0).clamp_min(1e-6 * float(variance[-1])).sqrt()
        axes = axes.flip(1)
        return Whitening(center.float(), (axes * spread).float(), (axes / spread).T.float().contiguous())


@dataclass(frozen=True)
class PriorCheckpoint:
    """A trained VAE, its whitening, and what is known about its training."""

    vae: MotionVae | HmpVae
    whitening: Whitening
    metadata: dict[str, Any]


def save_checkpoint(path: Path, checkpoint: PriorCheckpoint) -> None:
    """Write a prior; the file appears whole or not at all."""
    # Half precision is a thousand times finer than what training leaves undecided, and halves the file.
    parameters = dict(checkpoint.vae.named_parameters())
    tensors = {
        _VAE_PREFIX + name: (value.half() if name in parameters else value).contiguous()
        for name, value in checkpoint.vae.state_dict().items()
    }
    whitening = checkpoint.whitening
    for name, value in (
        ("mean", whitening.mean),
        ("from_white", whitening.from_white),
        ("to_white", whitening.to_white),
    ):
        tensors[_WHITENING_PREFIX + name] = value.contiguous()
    header = {
        "format": _FORMAT,
        "kind": _HMP if isinstance(checkpoint.vae, HmpVae) else _REALTIME,
        "config": json.dumps(asdict(checkpoint.vae.config)),
        "training": json.dumps(checkpoint.metadata, sort_keys=True),
    }
    with whole_file(path) as partial:
        save_file(tensors, partial, metadata=header)


def load_checkpoint(path: Path) -> PriorCheckpoint:
    """Read a prior.

    Raises:
        AssetError: when the file is missing, not safetensors, or not a prior of this format.
    """
    try:
        with safe_open(str(path), framework="pt") as stream:
            header = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name).float() for name in stream.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise AssetError(f"the motion prior {path} cannot be read as safetensors: {error}") from error
    if header.get("format") != _FORMAT:
        raise AssetError(
            f"{path} is not a motion prior of format {_FORMAT} (it says {header.get('format')!r}); "
            "train one with `hmp train`"
        )
    try:
        entries = json.loads(header["config"]).items()
        sizes = {name: tuple(value) if isinstance(value, list) else value for name, value in entries}
        bones = FingerBones(tensors[_VAE_PREFIX + "bones.bases"], tensors[_VAE_PREFIX + "bones.bones"])
        vae = _networks(header["kind"], sizes, bones)
        vae.load_state_dict(
            {name.removeprefix(_VAE_PREFIX): t for name, t in tensors.items() if name.startswith(_VAE_PREFIX)}
        )
        whitening = Whitening(*(tensors[_WHITENING_PREFIX + n] for n in ("mean", "from_white", "to_white")))
        metadata = json.loads(header["training"])
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigError) as error:
        raise AssetError(f"the motion prior {path} is incomplete or damaged: {error}") from error
    return PriorCheckpoint(vae, whitening, metadata)


def _networks(kind: str, sizes: dict[str, Any], bones: FingerBones) -> MotionVae | HmpVae:
    if kind == _HMP:
        return HmpVae(HmpConfig(**sizes), bones)
    if kind == _REALTIME:
        return MotionVae(PriorConfig(**sizes), bones)
    raise ValueError(f"its kind is {kind!r}, known are {_REALTIME} and {_HMP}")
