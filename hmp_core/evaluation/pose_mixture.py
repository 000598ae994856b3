# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gaussian and mixture models of one image's hand pose, given uncertain rotations: the per-frame priors."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hmp_core.evaluation.baseline_models import BaselineModels

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PoseMixture:
    """Gaussians over finger rotation vectors, flattened to 45 numbers [rad].

    Attributes:
        weights: [K] summing to 1.
        means: [K, 45].
        covariances: [K, 45, 45].
    """

    weights: Array
    means: Array
    covariances: Array

    def given(self, values: Array, sigma: Array) -> Array:
        """Mean [45] of the pose given measurements [45] with sigmas [45], inf where there is none."""
        known = np.isfinite(sigma)
        if not known.any():
            return np.asarray(self.weights @ self.means)
        shift = values[known] - self.means[:, known]
        among = self.covariances[:, known][:, :, known] + np.diag(sigma[known] ** 2)
        factor = np.linalg.cholesky(among)
        white = np.linalg.solve(factor, shift[..., None])
        score = np.log(self.weights) - np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        score -= 0.5 * (white[..., 0] ** 2).sum(axis=1)
        share = np.exp(score - score.max())
        pulled = np.linalg.solve(factor.swapaxes(1, 2), white)
        means = self.means + (self.covariances[:, :, known] @ pulled)[..., 0]
        return np.asarray(share @ means / share.sum())


def pose_mixtures(models: BaselineModels) -> dict[str, PoseMixture]:
    """``pca``, one Gaussian, and ``gmm``, as the models of whole clips have it in the middle of one."""
    mean, components = models.basis(torch.tensor([models.window_s / 2]))
    basis, middle = components[:, 0].double().numpy(), mean[0].double().numpy()
    mixture = models.mixture
    lead, rest = basis[: mixture.dim], basis[mixture.dim :]
    factors = mixture.factors.double().numpy().swapaxes(1, 2) @ lead
    beside = rest.T @ rest
    floor = 1e-6 * np.eye(len(middle))
    return {
        "pca": PoseMixture(np.ones(1), middle[None], (basis.T @ basis + floor)[None]),
        "gmm": PoseMixture(
            mixture.weights.double().numpy(),
            middle + mixture.means.double().numpy() @ lead,
            factors.swapaxes(1, 2) @ factors + beside + floor,
        ),
    }
