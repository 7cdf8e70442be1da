"""Numbers as people read them: few digits, a unit, and a dash where nothing is known."""

from __future__ import annotations

UNKNOWN = "-"


def duration(seconds: float | None) -> str:
    """``8 s``, ``1:12``, ``2:03:10``."""
    if seconds is None:
        return UNKNOWN
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def counted(number: int, what: str, several: str = "") -> str:
    """``1 problem``, ``2 problems``; ``several`` where that is no plain ``s``."""
    return f"{number} {what if number == 1 else several or what + 's'}"


def cost(usd: float | None) -> str:
    """``$0.0123``; offline and local models cost nothing."""
    if usd is None:
        return "unknown"
    return "none" if usd == 0 else f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"


def score(value: float | None) -> str:
    """Of 10, one decimal."""
    return UNKNOWN if value is None else f"{value:.1f}"


def share(part: float, whole: float) -> str:
    """``87 %``; a dash of nothing."""
    return UNKNOWN if whole <= 0 else f"{100 * part / whole:.0f} %"


def rate(per_second: float | None) -> str:
    """Whichever of ``3.2/s`` and ``14/min`` is easier to read."""
    if not per_second or per_second < 0:
        return UNKNOWN
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{per_second * 60:.1f}/min"
