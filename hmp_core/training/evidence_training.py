# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the evidence network: likelihood first, coverage then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor, nn

from hmp_core.training.evidence_data import Looks
from hmp_core.training.evidence_network import EvidenceNetwork

_DEGREES_OF_FREEDOM: Final = 4.0
_COVERED_WEIGHT: Final = 0.5
_WITHIN: Final = 0.95
_LEAST_ERROR: Final = 1e-6
_FIRST_STEP: Final = 0.3


@dataclass(frozen=True)
class EvidenceTraining:
    """How the network is trained.

    Attributes:
        seed: of weights and batches.
        epochs, batch: over the looks.
        learning_rate: peak of a one-cycle schedule.
        weight_decay: AdamW's.
        calibrated_by: share of the looks, the last ones, that only calibrate.
    """

    seed: int = 0
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 4e-3
    weight_decay: float = 1e-3
    calibrated_by: float = 0.15


def train_evidence(
    parts: list[Looks], config: EvidenceTraining, report: Callable[[int, float], None]
) -> EvidenceNetwork:
    """Train and calibrate.

    Args:
        parts: looks at pictures in order; of each the last ones calibrate.
        config: how.
        report: called with the number of epochs done and the mean loss of the last one.
    """
    torch.manual_seed(config.seed)
    ends = [round(len(part.presence) * (1 - config.calibrated_by)) for part in parts]
    learnt = Looks.joined(part.rows(slice(0, end)) for part, end in zip(parts, ends, strict=True))
    held = Looks.joined(part.rows(slice(end, None)) for part, end in zip(parts, ends, strict=True))
    network, inputs = EvidenceNetwork(), judge_inputs(learnt)
    network.standardise(inputs[0], inputs[-1])
    truth = tuple(
        torch.from_numpy(np.asarray(array, dtype=np.float32))
        for array in (learnt.keypoint_error, learnt.point_error, learnt.hidden, learnt.judged)
    )
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
    batches = len(learnt.presence) // config.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, config.epochs * batches)
    for epoch in range(config.epochs):
        total = 0.0
        for rows in torch.randperm(len(learnt.presence))[: batches * config.batch].reshape(batches, -1):
            loss = _loss(network.judge(*(one[rows] for one in inputs)), *(one[rows] for one in truth))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item() / batches
        report(epoch + 1, total)
    network.eval()
    _calibrate(network, held)
    return network


def judge_inputs(looks: Looks) -> tuple[Tensor, ...]:
    """Arguments of ``EvidenceNetwork.judge``."""
    arrays = (looks.local, looks.landmarks, looks.points_m, looks.presence, looks.edge, looks.pooled)
    return tuple(torch.from_numpy(array.astype(np.float32)) for array in arrays)


def _loss(raw: Tensor, keypoint_error: Tensor, point_error: Tensor, hidden: Tensor, judged: Tensor) -> Tensor:
    away = judged.clone()
    away[:, 0] = 0  # the wrist is the points' origin and has no error
    covered = nn.functional.binary_cross_entropy_with_logits(raw[..., 2], hidden, reduction="none")
    return (
        (_surprise(raw[..., 0], keypoint_error) * judged).mean()
        + (_surprise(raw[..., 1], point_error) * away).mean()
        + _COVERED_WEIGHT * (covered * judged).mean()
    )


def _surprise(log_sigma: Tensor, error: Tensor) -> Tensor:
    """Negative log likelihood under Student's t, but for a constant, mean over the axes."""
    squares = (error / log_sigma.exp()[..., None]).square() / _DEGREES_OF_FREEDOM
    return log_sigma + (_DEGREES_OF_FREEDOM + 1) / 2 * torch.log1p(squares).mean(-1)


@torch.no_grad()
def _calibrate(network: EvidenceNetwork, looks: Looks) -> None:
    """Stretch the log sigmas so that 95 % of the errors lie within two of them, covered or not.

    ``offset + slope * log sigma + extra * P(covered)`` by quantile regression of the log errors.
    """
    raw = network.judge(*judge_inputs(looks)).numpy().astype(np.float64)
    for row, (error, first) in enumerate(((looks.keypoint_error, 0), (looks.point_error, 1))):
        used = looks.judged.copy()
        used[:, :first] = False
        logs = np.log(np.abs(error[used]) / 2 + _LEAST_ERROR).astype(np.float64)
        terms = np.stack([np.ones(len(logs)), raw[used][:, row], expit(raw[used][:, 2])], axis=1)
        network.calibration[row] = torch.from_numpy(_quantile_regression(terms, logs))


def _quantile_regression(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients [K] of terms [N, K] below which 95 % of the values [N, A] lie."""

    def loss(coefficients: NDArray[np.float64]) -> float:
        above = values - (terms @ coefficients)[:, None]
        return float(np.maximum(_WITHIN * above, (_WITHIN - 1) * above).mean())

    start = np.array([0.0, 1.0, 0.0])
    # Nelder-Mead's own first simplex would hardly move where the start is zero.
    simplex = np.vstack([start, start + _FIRST_STEP * np.eye(3)])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-7, "maxiter": 1000}
    found = minimize(loss, start, method="Nelder-Mead", options=options)
    return np.asarray(found.x)
