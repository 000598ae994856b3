# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A Gaussian mixture with full, shrunk covariances over whitened clip coordinates."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

_STEPS = 60


@dataclass(frozen=True)
class Mixture:
    """Weights, means and covariance factors of K Gaussians in d dimensions.

    The coordinates are whitened, so that a covariance shrinks towards the identity: the covariance of the whole.

    Attributes:
        weights: [K] summing to 1.
        means: [K, d].
        factors: [K, d, d] lower Cholesky factors of the covariances.
    """

    LEADING: ClassVar[int] = 64
    """Coordinates that the mixture is fitted on; those behind them are one Gaussian."""

    weights: Tensor
    means: Tensor
    factors: Tensor

    @property
    def dim(self) -> int:
        """Dimensions."""
        return self.means.shape[1]

    @staticmethod
    def fit(points: Tensor, count: int, shrinkage: float, seed: int) -> "Mixture":
        """Expectation maximisation on points [n, d] from ``count`` random ones as centres."""
        generator = torch.Generator().manual_seed(seed)
        count = min(count, len(points))
        centres = points[torch.randperm(len(points), generator=generator)[:count]]
        share = torch.nn.functional.one_hot(torch.cdist(points, centres).argmin(1), count).float()
        mixture = Mixture._from_shares(points, share, shrinkage)
        for _ in range(_STEPS):
            share = mixture.log_densities(points).softmax(1)
            mixture = Mixture._from_shares(points, share, shrinkage)
        return mixture

    @staticmethod
    def _from_shares(points: Tensor, share: Tensor, shrinkage: float) -> "Mixture":
        """Maximum of the expected likelihood for the Gaussians' shares [n, K] of the points."""
        mass = share.sum(0) + 1e-3
        means = share.T @ points / mass[:, None]
        identity = torch.eye(points.shape[1])
        factors = []
        for mean, column, total in zip(means, share.T, mass, strict=True):
            centred = points - mean
            covariance = centred.T @ (column[:, None] * centred) / total
            factors.append(torch.linalg.cholesky((1.0 - shrinkage) * covariance + shrinkage * identity))
        return Mixture(mass / mass.sum(), means, torch.stack(factors))

    def log_densities(self, points: Tensor) -> Tensor:
        """Log of weight times density of each Gaussian [n, K] at points [n, d]."""
        centred = points[None] - self.means[:, None]
        white = torch.linalg.solve_triangular(self.factors, centred.mT, upper=False)
        size = self.factors.diagonal(dim1=1, dim2=2).log().sum(1) + 0.5 * self.dim * math.log(2.0 * math.pi)
        densities: Tensor = self.weights.log() - size - 0.5 * white.square().sum(1).T
        return densities

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Points [count, d]."""
        which = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        white = torch.randn(count, self.dim, 1, generator=generator)
        return self.means[which] + (self.factors[which] @ white)[..., 0]

    def packed(self) -> dict[str, Tensor]:
        """Weights, means and the lower triangles of the factors [K, d (d + 1) / 2] in half precision."""
        row, column = torch.tril_indices(self.dim, self.dim)
        return {"weights": self.weights, "means": self.means, "factors": self.factors[:, row, column].half()}

    @staticmethod
    def unpacked(weights: Tensor, means: Tensor, triangles: Tensor) -> "Mixture":
        """Undo :meth:`packed`."""
        row, column = torch.tril_indices(means.shape[1], means.shape[1])
        factors = torch.zeros(len(weights), means.shape[1], means.shape[1])
        factors[:, row, column] = triangles.float()
        return Mixture(weights, means, factors)
