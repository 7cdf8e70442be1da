"""Why generating ends before it is complete: calls that failed, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.generate.types import CallFailed
from studio.llm import ModelError
from studio.store import Judgement

MOST_IN_A_ROW = 10
"""So many calls that fail for good one after the other, each after its own retries, end the run."""


_NAMED = 6


class Failures:
    """Counts failed calls. ``fatal`` is the error that ends the run."""

    def __init__(self) -> None:
        self.count = 0
        self.fatal: ModelError | None = None
        self._too_little: dict[str, ModelError] = {}
        self._in_a_row = 0

    @property
    def too_little(self) -> ModelError | None:
        """What the spec gives too little for, in one error that names every scenario of which that is so."""
        if not self._too_little:
            return None
        first, *others = self._too_little
        said = str(self._too_little[first])
        if others:
            said += f"; so for {named(others)}"
        return ModelError("too_little", said)

    def wrote_nothing(self, error: ModelError, scenario: str) -> CallFailed:
        """The author failed. A refused key ends the run at once, since no other call can do better."""
        self.count += 1
        if error.kind == "too_little":
            self._too_little.setdefault(scenario, error)
        elif error.kind == "auth":
            self.fatal = self.fatal or error
        else:
            self._again(error)
        return CallFailed(purpose="author", error=str(error), scenario=scenario)

    def judged(self, judgement: Judgement, scenario: str) -> CallFailed | None:
        """A judgement came: the event of its failure, or None where it is one."""
        if judgement.verdict != "error":
            self._in_a_row = 0
            return None
        self.count += 1
        error = judgement.error or "the judge failed"
        self._again(ModelError("server", error))
        return CallFailed(purpose="judge", error=error, scenario=scenario)

    def _again(self, error: ModelError) -> None:
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW and self.fatal is None:
            self.fatal = ModelError(error.kind, f"{self._in_a_row} calls in a row failed, the last with: {error}")


def named(scenarios: Sequence[str]) -> str:
    """The scenarios, or the first of them and how many more there are."""
    shown = ", ".join(f"{one!r}" for one in scenarios[:_NAMED])
    return shown + (f" and {len(scenarios) - _NAMED} more" if len(scenarios) > _NAMED else "")


def ending(
    short: Sequence[tuple[str, int, int]],
    thin: Sequence[str],
    reasons: Mapping[str, int],
    failures: Failures,
    *,
    stopped: bool,
) -> str:
    """Why the targets were not met, in one line; empty where they were, and no scenario fell behind.

    ``short``: category, accepted, target. ``thin``: scenarios that gave little. ``reasons``: rejections by reason.
    """
    if not short:
        return f"little could be accepted of {named(thin)}; give the spec more examples there" if thin else ""
    if stopped:
        return "stopped; start it again to go on"
    if failures.fatal is not None:
        return str(failures.fatal)
    missing = ", ".join(f"{name} {accepted} of {target}" for name, accepted, target in short)
    if failures.too_little is not None:
        return f"{missing}: {failures.too_little}"
    if reasons.get("duplicate", 0) * 2 > sum(reasons.values()):
        where = f", most in {named(thin)}" if thin else ""
        remedy = f"the author repeats itself{where}; give the spec more examples there"
    else:
        common = ", ".join(sorted(reasons, key=lambda reason: -reasons[reason])[:3]) or "nothing"
        remedy = f"most were rejected for {common}; look at them in triage and mend the spec"
    return f"out of attempts: {missing}; {remedy}"
