# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small network that says how far off each point of one look at a hand is.

It reads the landmark network's own feature maps where that network put its keypoints: these know whether there is a
finger. Pooled features alone do not (rank correlation 0.45 against 0.63 on the same renders).
"""

from typing import Final

import torch
from torch import Tensor, nn

from hmp_core.hand.skeleton import MIDDLE_MCP, NUM_JOINTS, PARENTS, WRIST

CROP_PX: Final = 224
MAP_CHANNELS: Final = (40, 80, 112, 192)
LOCAL_CHANNELS: Final = sum(MAP_CHANNELS)
POOLED_CHANNELS: Final = 1152
OUTPUTS_PER_JOINT: Final = 3
_SCALARS: Final = 7
_LOCAL: Final = 24
_POOLED: Final = 12
_HIDDEN: Final = 48
_DROPOUT: Final = 0.1
_FARTHEST_EDGE: Final = 0.3
_PARENTS: Final = [max(parent, 0) for parent in PARENTS]
_CHILDREN: Final = [MIDDLE_MCP if j == WRIST else j if j % 4 == 0 else j + 1 for j in range(NUM_JOINTS)]


def sample(maps: tuple[Tensor, ...], landmarks: Tensor) -> Tensor:
    """Feature maps [B, C, S, S] at the keypoints, bilinearly: [B, 21, sum of C].

    Args:
        maps: each covers the whole crop.
        landmarks: [B, 63] x, y [px] in the crop, and z.
    """
    # Pixel centres are at integers, the grid's edges at -1 and 1.
    grid = (landmarks.reshape(-1, 1, NUM_JOINTS, 3)[..., :2] + 0.5) * (2 / CROP_PX) - 1
    taken = [
        nn.functional.grid_sample(one, grid, mode="bilinear", padding_mode="border", align_corners=False)
        for one in maps
    ]
    return torch.cat(taken, dim=1)[:, :, 0].mT


class EvidenceNetwork(nn.Module):
    """The head; all joints share its weights, each sees itself, both neighbours in its finger and the whole."""

    local_mean: Tensor
    local_scale: Tensor
    pooled_mean: Tensor
    pooled_scale: Tensor
    calibration: Tensor
    base_wards: Tensor
    tip_wards: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._local = nn.Linear(LOCAL_CHANNELS, _LOCAL)
        self._joint = nn.Parameter(torch.zeros(NUM_JOINTS, _LOCAL))
        self._pooled = nn.Linear(POOLED_CHANNELS, _POOLED)
        self._dropout = nn.Dropout(_DROPOUT)
        self._mix = nn.Sequential(
            nn.Linear(4 * _LOCAL + _POOLED + 2 * _SCALARS, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
        )
        self._out = nn.Linear(_HIDDEN, OUTPUTS_PER_JOINT)
        self._joint_out = nn.Parameter(torch.zeros(NUM_JOINTS, OUTPUTS_PER_JOINT))
        # About three hundredths of the region, a centimetre, a quarter covered.
        self._out.bias.data = torch.tensor([-3.5, -4.5, -1.0])
        self.register_buffer("local_mean", torch.zeros(LOCAL_CHANNELS))
        self.register_buffer("local_scale", torch.ones(LOCAL_CHANNELS))
        self.register_buffer("pooled_mean", torch.zeros(POOLED_CHANNELS))
        self.register_buffer("pooled_scale", torch.ones(POOLED_CHANNELS))
        self.register_buffer("calibration", torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
        self.register_buffer("base_wards", torch.tensor(_PARENTS), persistent=False)
        self.register_buffer("tip_wards", torch.tensor(_CHILDREN), persistent=False)

    def standardise(self, local: Tensor, pooled: Tensor) -> None:
        """Take the features' means and spreads from a training set [N, 21, C], [N, C]."""
        self.local_mean, self.local_scale = local.mean((0, 1)), local.std((0, 1)) + 1e-3
        self.pooled_mean, self.pooled_scale = pooled.mean(0), pooled.std(0) + 1e-3

    def judge(
        self, local: Tensor, landmarks: Tensor, points_m: Tensor, presence: Tensor, edge: Tensor, pooled: Tensor
    ) -> Tensor:
        """Log sigma of keypoints (fractions of the region) and of points [m], logit of "covered": [B, 21, 3].

        Before calibration; arguments as in :meth:`forward`, with ``local`` from :func:`sample`.
        """
        own = (local - self.local_mean) / self.local_scale
        own = torch.relu(self._local(self._dropout(own)) + self._joint)
        whole = torch.relu(self._pooled(self._dropout((pooled - self.pooled_mean) / self.pooled_scale)))
        scalars = self._scalars(landmarks, points_m, presence, edge)
        common = torch.cat([own.mean(1), whole, scalars.mean(1)], dim=-1)[:, None].expand(-1, NUM_JOINTS, -1)
        seen = [own, own[:, self.base_wards], own[:, self.tip_wards], scalars, common]
        result: Tensor = self._out(self._mix(torch.cat(seen, dim=-1))) + self._joint_out
        return result

    def _scalars(self, landmarks: Tensor, points_m: Tensor, presence: Tensor, edge: Tensor) -> Tensor:
        """Where the joint lies, and whether its bone looks like one [B, 21, 7]."""
        place = landmarks.reshape(-1, NUM_JOINTS, 3) * (2 / CROP_PX) - torch.tensor([1.0, 1.0, 0.0])
        bones = (points_m - points_m[:, self.base_wards]).square().sum(-1).sqrt()
        relative = torch.log(bones / bones[:, 1:].mean(1, keepdim=True) + 1e-3)
        drawn = (place - place[:, self.base_wards])[..., :2].square().sum(-1).sqrt()
        sure = (torch.logit(presence, 1e-4) / 4).expand(-1, NUM_JOINTS)
        near = edge.clamp(-_FARTHEST_EDGE, _FARTHEST_EDGE)
        # The wrist has no bone.
        relative = relative * (torch.arange(NUM_JOINTS) > 0)
        return torch.stack([place[..., 0], place[..., 1], place[..., 2], relative, drawn, near, sure], dim=-1)

    def calibrated(self, raw: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sigmas [B, 21] of keypoints and points, and the probability of being covered, from ``judge``'s result."""
        covered = raw[..., 2]
        offset, slope, extra = self.calibration[:, :, None, None].unbind(1)
        logs = offset + slope * raw[..., :2].movedim(-1, 0) + extra * torch.sigmoid(covered)
        keypoint, point = logs.exp().unbind(0)
        return keypoint, point, torch.sigmoid(covered)

    def forward(
        self,
        landmarks: Tensor,
        points_m: Tensor,
        presence: Tensor,
        edge: Tensor,
        features: Tensor,
        *feature_maps: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Sigmas and coverage of one look.

        Args:
            landmarks: [B, 63] x, y [px] in the crop, and z.
            points_m: [B, 21, 3] world points, any axes and origin [m].
            presence: [B, 1].
            edge: [B, 21] distance of the keypoints to the image's border, inside positive, over the region's size.
            features: [B, 1152] pooled.
            feature_maps: [B, C, S, S], C as ``MAP_CHANNELS``.

        Returns:
            [B, 21] each: sigma per axis of the keypoints, as a fraction of the region's size; of the points [m];
            probability that something covers the joint.
        """
        local = sample(feature_maps, landmarks)
        return self.calibrated(self.judge(local, landmarks, points_m, presence, edge, features))
