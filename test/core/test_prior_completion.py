# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
import torch

from hmp_core.prior.completion import ClipCompletion
from hmp_core.prior.config import PriorConfig

CONFIG = PriorConfig(grid_size=12, completion_dim=5)


def _clips(count: int) -> torch.Tensor:
    """Clips in the span of five fixed ones."""
    generator = torch.Generator().manual_seed(0)
    basis = torch.randn(5, 12, 15, 3, generator=generator)
    weights = torch.randn(count, 5, generator=generator)
    return 0.2 + torch.einsum("bq,qnjc->bnjc", weights, basis)


def _fitted() -> ClipCompletion:
    completion = ClipCompletion(CONFIG)
    completion.fit(_clips(400))
    return completion


def test_a_clip_of_the_components_is_completed_from_a_part_of_it():
    clips = _clips(6)
    seen = torch.ones(6, 12, 15)
    seen[:3, 4:9, :12] = 0.0  # four fingers for a while
    seen[3:, 6:] = 0.0  # everything from the middle on
    completed = _fitted()(torch.where(seen[..., None] > 0, clips, 0.0), seen)
    assert (completed - clips).abs().max() < 0.05
    assert torch.equal(completed[seen > 0], clips[seen > 0])


def test_the_completion_is_the_conditional_mean_of_the_gaussian():
    completion = _fitted().double()
    clip = _clips(1).double()
    seen = (torch.rand(1, 12, 15, generator=torch.Generator().manual_seed(1)) > 0.5).double()
    seen[0, 3:5] = 0.0
    W, mean = completion.components, completion.mean
    covariance = W @ W.T + 0.1**2 * torch.eye(len(W)).double()
    known = seen.repeat_interleave(3, -1).flatten() > 0
    gain = covariance[:, known] @ torch.linalg.inv(covariance[known][:, known])
    # The noise of what is seen is no part of what is not.
    expected = mean + gain @ (clip.flatten() - mean)[known]
    untied = mean + W @ torch.linalg.solve(
        W[known].T @ W[known] + 0.1**2 * torch.eye(5).double(), W[known].T @ (clip.flatten() - mean)[known]
    )
    torch.testing.assert_close(untied[~known], expected[~known])
    completed = completion(torch.where(seen[..., None] > 0, clip, 7.0), seen).flatten()
    # What is left is the line between the misses at the ends, and they are small here.
    torch.testing.assert_close(completed[~known], expected[~known], atol=0.05, rtol=0.0)


def test_nothing_seen_gives_the_mean_clip():
    completion = _fitted()
    completed = completion(torch.zeros(1, 12, 15, 3), torch.zeros(1, 12, 15))
    torch.testing.assert_close(completed.flatten(), completion.mean)
