"""How many accepted examples each category needs."""

from __future__ import annotations

from studio.spec.models import Spec

WEIGHTS = {"high": 3, "medium": 2, "low": 1}


def targets(spec: Spec) -> dict[str, int]:
    """Accepted examples wanted of each category that is trained on, in the order of the file.

    Each has its own target. If these sum to less than ``success.examples`` the rest is spread by priority
    (high 3, medium 2, low 1) with the largest remainder; equal remainders go to the category listed first.
    """
    open_categories = {name: category for name, category in spec.scenarios.items() if not category.holdout}
    wanted = {name: category.target for name, category in open_categories.items()}
    rest = spec.success.examples - sum(wanted.values())
    if rest <= 0:
        return wanted
    weights = {name: WEIGHTS[category.priority] for name, category in open_categories.items()}
    total = sum(weights.values())
    for name, weight in weights.items():
        wanted[name] += rest * weight // total
    left = rest - sum(rest * weight // total for weight in weights.values())
    by_remainder = sorted(weights, key=lambda name: -(rest * weights[name] % total))
    for name in by_remainder[:left]:
        wanted[name] += 1
    return wanted
