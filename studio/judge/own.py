"""A spec's own examples before its judge: they are what the persona is; where they fail, the spec lacks something."""

from __future__ import annotations

from collections import Counter

from studio.chatml import Frozen
from studio.judge.judge import Judge
from studio.spec import LoadedSpec


class OwnExamples(Frozen):
    """How a spec's own examples fare. ``traits`` are those that most of the failed ones lack, the most missed first."""

    count: int
    failed: int
    traits: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    """Of the failed ones, the most common reasons but for traits and scores: boundaries and rules."""

    def told(self) -> str:
        """One line that says what to do; empty where every example passes."""
        if not self.failed:
            return ""
        said = f"{self.failed} of {self.count} of the spec's own examples do not pass the judge"
        if self.traits:
            said += f": {', '.join(self.traits)} is not heard in them; give it `cues` that its replies hold, or none"
        elif self.reasons:
            said += f": {', '.join(self.reasons)}"
        return said


async def own_examples(judge: Judge, loaded: LoadedSpec) -> OwnExamples:
    """Score every example of ``loaded``. Meant for the rules judge: it costs milliseconds an example, and no money."""
    judgements = [await judge.score(one.turns, one.scenario or "") for one in loaded.spec.examples]
    failed = [judgement for judgement in judgements if judgement.verdict == "failed"]
    traits = Counter(name for judgement in failed for name, mark in judgement.traits.items() if mark.score == 0)
    reasons = Counter(
        reason
        for judgement in failed
        for reason in judgement.reasons
        if reason != "score" and not reason.startswith("trait:")
    )
    return OwnExamples(
        count=len(judgements),
        failed=len(failed),
        traits=tuple(name for name, missed in traits.most_common() if missed * 2 > len(failed)),
        reasons=tuple(reason for reason, _ in reasons.most_common(3)),
    )
