# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Crossing spans in which joints are unseen: straight lines, and decoded motion tied to what was seen."""

import torch
from torch import Tensor


def bridge_gaps(vectors: Tensor, seen: Tensor) -> Tensor:
    """Straight lines across unseen spans, the nearest seen value at the window's ends, zero for a joint never seen.

    Args:
        vectors: [B, N, J, 3] rotation vectors at regular times [rad]; any value where unseen.
        seen: [B, N, J] above 0 where seen.
    """
    count = vectors.shape[1]
    index = torch.arange(count, device=vectors.device).view(1, -1, 1)
    shown = seen > 0
    last = torch.where(shown, index, -1).cummax(dim=1).values
    following = torch.where(shown, index, count).flip(1).cummin(dim=1).values.flip(1)
    never = last.eq(-1) & following.eq(count)
    left = torch.where(last < 0, following, last).clamp_max(count - 1)
    right = torch.where(following >= count, last, following).clamp_min(0)
    share = (index - left) / (right - left).clamp_min(1)

    def take(at: Tensor) -> Tensor:
        return vectors.gather(1, at.unsqueeze(-1).expand(-1, -1, -1, 3))

    bridged = torch.lerp(take(left), take(right), share.to(vectors.dtype).unsqueeze(-1))
    return torch.where(never.unsqueeze(-1), 0.0, bridged)


def tie_to_seen(decoded: Tensor, vectors: Tensor, seen: Tensor) -> Tensor:
    """Decoded motion where unseen, shifted so that it meets what was seen; the seen values themselves elsewhere.

    What the decoded motion misses at a gap's two ends is carried across in a straight line, and from one end as it
    is: the mean of a random walk through the misses. The decoded motion thus gives a gap its shape and the seen
    frames its ends, and a still decoded hand amounts to interpolation.

    Args:
        decoded: [B, N, J, 3] rotation vectors at regular times [rad].
        vectors: [B, N, J, 3] what was seen; any value elsewhere.
        seen: [B, N, J] above 0 where seen.
    """
    missed = bridge_gaps(vectors - decoded, seen)
    return torch.where(seen.unsqueeze(-1) > 0, vectors, decoded + missed)
