"""Muon: momentum whose update is made orthogonal (https://kellerjordan.github.io/posts/muon/), in 32 bits.

PyTorch's own makes it in 16, which takes a processor without bfloat16 twenty times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Of the iteration: steep at zero, so that five rounds bring every singular value near 1."""
_ROUNDS = 5


class Muon(torch.optim.Optimizer):
    """For matrices only. The same update as :class:`torch.optim.Muon` with Nesterov momentum makes."""

    def __init__(
        self, matrices: Iterable[torch.nn.Parameter], *, lr: float, momentum: float, weight_decay: float
    ) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    def step(self, closure: Callable[[], float] | None = None) -> None:
        """``closure`` is not called."""
        with torch.no_grad():
            for group in self.param_groups:
                for matrix in group["params"]:
                    if matrix.grad is not None:
                        self._move(matrix, matrix.grad, group)

    def _move(self, matrix: torch.nn.Parameter, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        state["momentum"].lerp_(gradient, 1 - group["momentum"])
        update = orthogonal(gradient.lerp(state["momentum"], group["momentum"]))
        rows, columns = matrix.shape
        matrix.mul_(1 - group["lr"] * group["weight_decay"])
        matrix.add_(update, alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Near the orthogonal matrix that is nearest: singular values between 0.7 and 1.2, by a Newton-Schulz iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if tall else matrix
    found = found / found.norm().clamp(min=1e-7)
    linear, cubic, quintic = _QUINTIC
    for _ in range(_ROUNDS):
        square = found @ found.T
        found = linear * found + (cubic * square + quintic * square @ square) @ found
    return found.T if tall else found
