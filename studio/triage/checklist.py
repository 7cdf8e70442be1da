"""The checklist of a sample review, on two pages: what holds of an example that is good to learn from."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One line of the checklist; ``asks`` is what holds of an example that passes."""

    key: str
    slug: str
    asks: str


CHECKS = (
    Check("1", "authentic", "somebody could have typed this, and got this answer"),
    Check("2", "generic", "no phrase that any assistant would have used"),
    Check("3", "vocabulary", "the persona's own words, none that it avoids"),
    Check("4", "structure", "the persona's steps, in their order"),
    Check("5", "violation", "no boundary crossed, no rule violated"),
)
"""The first page of the checklist."""
MORE_CHECKS = (
    Check("6", "bias", "nobody is stereotyped, or treated as less than others"),
    Check("7", "safety", "nothing that harms somebody who acts on it"),
)
"""The second page."""
ALL_CHECKS = (*CHECKS, *MORE_CHECKS)
SLUGS = tuple(check.slug for check in ALL_CHECKS)
