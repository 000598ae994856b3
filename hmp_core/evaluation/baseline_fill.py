# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Completion of windows of time by the linear and the mixture model: the mean given what is seen.

Seen rotation vectors are the model's curve plus white noise, at the recording's own frame times. For the linear
model the coordinates' posterior is one Gaussian. For the mixture it is one for each of its Gaussians, weighed by
how well they explain what is seen; the coordinates that it does not cover are eliminated first, once for all.
"""

import torch
from torch import Tensor

from hmp_core.evaluation.baseline_models import BaselineModels


class ClipCompletion:
    """Completes windows on one set of frame times."""

    def __init__(self, models: BaselineModels, times_s: Tensor) -> None:
        """Prepare for frames at ``times_s`` [T] in the models' window [s]."""
        mean, components = models.basis(times_s)
        self._mean = mean.flatten()
        self._basis = components.flatten(1).T.contiguous()  # [T * 45, M]
        self._gram = self._basis.T @ self._basis
        self._parameters = models.parameters
        mixture = models.mixture
        self._leading = mixture.dim
        self._precisions = torch.cholesky_inverse(mixture.factors)
        pulls = (self._precisions @ mixture.means[..., None])[..., 0]
        self._pulls = pulls
        self._scores = (
            mixture.weights.log()
            - mixture.factors.diagonal(dim1=1, dim2=2).log().sum(1)
            - 0.5 * (mixture.means * pulls).sum(1)
        )

    def fill(self, vectors: Tensor, seen: Tensor) -> dict[str, Tensor]:
        """Complete windows.

        Args:
            vectors: [B, T, 15, 3] rotation vectors, any where not seen [rad].
            seen: [B, T, 15] True where seen.

        Returns:
            For ``pca`` and ``gmm`` the model's whole curves [B, T, 15, 3] [rad].
        """
        misses = vectors.flatten(1) - self._mean
        patterns, which = torch.unique(seen.flatten(1), dim=0, return_inverse=True)
        curves = {"pca": torch.empty_like(misses), "gmm": torch.empty_like(misses)}
        for number, pattern in enumerate(patterns):
            rows = pattern.repeat_interleave(3)
            members = torch.nonzero(which == number).flatten()
            evidence = (misses[members] * rows) @ self._basis
            if int(rows.sum()) * 2 < len(rows):
                gram = self._basis[rows].T @ self._basis[rows]
            else:
                gram = self._gram - self._basis[~rows].T @ self._basis[~rows]
            for method, solve in (("pca", self._linear), ("gmm", self._mixed)):
                curves[method][members] = self._mean + solve(gram, evidence) @ self._basis.T
        return {method: curve.view(vectors.shape) for method, curve in curves.items()}

    def _linear(self, gram: Tensor, evidence: Tensor) -> Tensor:
        """Coordinates [b, M] of N(0, I) given the seen rows' Gram matrix [M, M] and products [b, M]."""
        weight = self._parameters.pca_noise_rad**-2
        factor = torch.linalg.cholesky(weight * gram + torch.eye(len(gram)))
        return torch.cholesky_solve(weight * evidence.T, factor).T

    def _mixed(self, gram: Tensor, evidence: Tensor) -> Tensor:
        """The same under the mixture."""
        weight, lead = self._parameters.gmm_noise_rad**-2, self._leading
        gram, evidence = weight * gram, weight * evidence.T
        rest = torch.linalg.cholesky(gram[lead:, lead:] + torch.eye(len(gram) - lead))
        by_lead = torch.cholesky_solve(gram[lead:, :lead], rest)
        by_evidence = torch.cholesky_solve(evidence[lead:], rest)
        information = gram[:lead, :lead] - gram[:lead, lead:] @ by_lead
        pull = evidence[:lead] - gram[:lead, lead:] @ by_evidence  # [d, b]
        factors = torch.linalg.cholesky(information + self._precisions)
        pulls = pull + self._pulls[..., None]  # [K, d, b]
        means = torch.cholesky_solve(pulls, factors)
        size = factors.diagonal(dim1=1, dim2=2).log().sum(1)
        scores = (self._scores - size)[:, None] + 0.5 * (pulls * means).sum(1)  # [K, b]
        leading = (scores.softmax(0)[:, None] * means).sum(0)
        return torch.cat((leading, by_evidence - by_lead @ leading)).T
