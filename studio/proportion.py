"""Wilson's score interval of a proportion (1927), which holds for few events too."""

from __future__ import annotations

import math

Z95 = 1.959963984540054
"""The standard normal deviate of a two-sided 95 % interval."""


def wilson(events: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Low and high, 0..1, of ``events`` among ``n``, which is above 0; ties may count half."""
    share, square = events / n, z**2
    centre = (share + square / (2 * n)) / (1 + square / n)
    margin = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n**2))
    return max(0.0, centre - margin), min(1.0, centre + margin)
