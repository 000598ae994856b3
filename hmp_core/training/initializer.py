# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training of the initializer's network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Generator, Tensor

from hmp_core.hand.kinematics import HandKinematics
from hmp_core.hand.model import HandModel
from hmp_core.training.initializer_hands import Hands, HandSampler, Perceived, relative_joints
from hmp_core.training.initializer_network import InitializerNetwork, NetworkConfig
from hmp_core.training.initializer_noise import LandmarkNoise, perceive

_PALM_M: Final = 0.09
_STANDARDISE_ON: Final = 8192


@dataclass(frozen=True)
class InitializerTraining:
    """How the network is trained.

    Attributes:
        seed: of everything random.
        steps, batch: number and size of the gradient steps.
        learning_rate: peak of a one-cycle schedule.
        shuffled: share of made-up hands whose fingers come from different poses.
        wobble_rad: standard deviation of a rotation added to every joint of the poses [rad].
        perceived: share of each batch that comes from hands really perceived, where there are any.
        retouch_m: standard deviation of what is added to perceived points, so that none is learnt by heart [m].
        across_weight: of the joint error across the line of sight, against the whole joint error.
        rotation_weight: of the squared chordal rotation error, against the mean joint error [palm lengths].
        betas_weight: of the squared error of the betas.
        network, noise: sizes, and errors of the made-up perception.
    """

    seed: int = 0
    steps: int = 8_000
    batch: int = 256
    learning_rate: float = 2e-3
    shuffled: float = 0.3
    wobble_rad: float = 0.05
    perceived: float = 0.5
    retouch_m: float = 0.008
    across_weight: float = 1.0
    rotation_weight: float = 0.15
    betas_weight: float = 0.003
    network: NetworkConfig = field(default_factory=NetworkConfig)
    noise: LandmarkNoise = field(default_factory=LandmarkNoise)


class InitializerTrainer:
    """Trains one network.

    Args:
        poses: [N, 15, 3, 3] local finger rotations of a right hand, MANO order.
        model: right hand.
        config: how.
        perceived: true hands and what a landmark network made of their pictures, beside the made-up errors.
    """

    def __init__(
        self,
        poses: Tensor,
        model: HandModel,
        config: InitializerTraining = InitializerTraining(),
        perceived: tuple[Hands, Perceived] | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self._config = config
        self._perceived = perceived
        self._generator = Generator().manual_seed(config.seed)
        self._kinematics = HandKinematics(model)
        self._sampler = HandSampler(
            poses.float(), self._kinematics, config.shuffled, config.wobble_rad, self._generator
        )
        self.network = InitializerNetwork(config.network)

    def train(self, report: Callable[[int, float], None] = lambda step, error_mm: None) -> InitializerNetwork:
        """Train from start to end; ``report`` gets each step's number and mean joint error [mm]."""
        config, network = self._config, self.network
        typical = self._draw(_STANDARDISE_ON)[1]
        network.standardise(typical.landmarks, typical.ray_points, typical.view)
        optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)
        network.train()
        for step in range(config.steps):
            loss, error_mm = self._loss(*self._draw(config.batch))
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            report(step, error_mm)
        return network.eval()

    @torch.no_grad()
    def _draw(self, batch: int) -> tuple[Hands, Perceived]:
        """A batch of made-up and of really perceived hands."""
        config = self._config
        share = round(config.perceived * batch) if self._perceived else 0
        hands = self._sampler.draw(batch - share)
        seen = perceive(hands.joints, config.noise, self._generator)
        if self._perceived is None:
            return hands, seen
        true, found = self._perceived
        rows = torch.randint(len(true.joints), (share,), generator=self._generator)
        picked = found.rows(rows)

        def retouch(points: Tensor) -> Tensor:
            return points + config.retouch_m * torch.randn(points.shape, generator=self._generator)

        picked = Perceived(retouch(picked.landmarks), retouch(picked.ray_points), picked.view)
        return hands.joined(true.rows(rows)), seen.joined(picked)

    def _loss(self, hands: Hands, seen: Perceived) -> tuple[Tensor, float]:
        rotations, betas = self.network(seen.landmarks, seen.ray_points, seen.view)
        joints = relative_joints(self._kinematics, rotations, betas)
        offset = (joints - hands.joints)[:, 1:]
        error = offset.norm(dim=-1).mean()
        # Depth errs most and would drown what the picture shows well: the place across the line of sight.
        along = (offset * seen.view[:, None]).sum(-1, keepdim=True) * seen.view[:, None]
        across = (offset - along).norm(dim=-1).mean()
        # The chordal distance has a gradient everywhere, which the angle itself lacks at 0 and pi.
        turn = (rotations - hands.rotations).square().sum(dim=(-2, -1)).mean()
        shape = (betas - hands.betas).square().mean()
        position = (error + self._config.across_weight * across) / _PALM_M
        loss = position + self._config.rotation_weight * turn + self._config.betas_weight * shape
        return loss, 1e3 * float(error.detach())
