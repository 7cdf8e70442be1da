"""The optimizer that teaches the pocket base."""

from __future__ import annotations

import pytest
import torch

from studio.train.pocket.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (8, 8)])
def test_an_update_turns_in_all_directions_alike(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    strengths = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert strengths.min() > 0.4 and strengths.max() < 1.3


def test_it_moves_a_matrix_as_the_one_of_pytorch_does() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(20, 6), torch.randn(3, 20, 6)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    makers = Muon([ours], lr=0.1, momentum=0.9, weight_decay=0.1), torch.optim.Muon([theirs], lr=0.1, momentum=0.9)
    for gradient in gradients:
        for matrix, optimizer in zip((ours, theirs), makers, strict=True):
            matrix.grad = gradient.clone()
            optimizer.step()
    assert (ours - start).norm() > 0.5
    assert torch.allclose(ours, theirs, atol=0.02)  # theirs is made in 16 bits
