"""Why a person rejects an example: one key each."""

from __future__ import annotations

REASONS: dict[str, tuple[str, str]] = {
    "t": ("tone", "not how the persona talks"),
    "g": ("generic", "any assistant could have said it"),
    "w": ("wrong", "wrong, or made up"),
    "i": ("ignores", "does not do what was asked"),
    "u": ("user", "no person would write the user's side"),
    "b": ("boundary", "crosses a boundary"),
    "l": ("length", "too long or too short"),
    "d": ("duplicate", "says what another example says"),
    "o": ("other", "something else"),
}
"""Key -> (slug that is stored, label)."""

SLUGS = frozenset(slug for slug, _ in REASONS.values())
