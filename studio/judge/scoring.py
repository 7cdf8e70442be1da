"""What follows from a judge's marks: totals, the verdict and its reasons, all computed here and never by a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from studio.chatml import Messages, last_reply
from studio.judge.rubric import Answer
from studio.judge.rules import broken
from studio.judge.types import Estimate
from studio.spec import LoadedSpec
from studio.store.records import Judgement, TraitScore, Violation
from studio.text.inert import inert_line
from studio.text.normalize import VARIANTS, folded

LONGEST_QUOTE = 400
_ELLIPSIS = re.compile(r"\.{3,}|\u2026")
_LOOSE = {" ": r"\s+", **{mark: f"[{mark}{variants}]" for mark, variants in VARIANTS.items()}}


def mark_of(trait: TraitScore) -> float:
    """0..2: the expected score where the judge is a regression, which tells more than the rounded one."""
    return float(trait.score) if trait.estimate is None else trait.estimate


def scored(
    loaded: LoadedSpec, judge: str, messages: Messages, scenario: str, answer: Answer, violations: Sequence[Violation]
) -> Judgement:
    """The judgement of a reply from a model's answer and from the rules that the conversation breaks.

    A quote that is not in the reply is dropped, the mark or violation that it should show is not: judges paraphrase,
    and a boundary crossed by what is missing has no words. Where a ``scenario`` was given and the user's side does not
    show it, the reply fails as ``off_scenario``.
    """
    spec, reply = loaded.spec, last_reply(messages)
    turns = "\n".join(m.content for m in messages if m.role == "assistant")
    quotes: dict[str, str] = {}
    for crossed in answer.violations:  # each once, with the first of its quotes that is in the replies
        if any(crossed.id == boundary.id for boundary in spec.boundaries):
            quotes[crossed.id] = quotes.get(crossed.id) or quoted(crossed.quote, turns)
    boundaries = [Violation(kind="boundary", name=name, quote=quotes[name]) for name in sorted(quotes)]
    return concluded(
        loaded,
        judge,
        [*violations, *boundaries],
        traits={
            name: TraitScore(score=mark.score, rationale=mark.rationale.strip(), quote=quoted(mark.quote, reply))
            for name, mark in ((name, answer.traits[name]) for name in spec.trait_names)
        },
        steps={step.step: answer.steps.get(step.step, False) for step in spec.patterns},
        reasons=("off_scenario",) if scenario.strip() and not answer.shows_scenario else (),
    )


def estimated(loaded: LoadedSpec, judge: str, found: Estimate, violations: Sequence[Violation]) -> Judgement:
    """The judgement of a reply from a regression's estimates.

    It passes by the same rule as any other: ``accept_score`` for the total, which is that of the estimates,
    ``accept_trait`` for each score, nothing violated. Where a trait has no estimate there is no total, and the verdict
    is ``unscored``.
    """
    traits = {
        name: TraitScore(score=found.scores[name], estimate=found.traits[name])
        for name in loaded.spec.trait_names
        if name in found.traits
    }
    crossed = [Violation(kind="boundary", name=found.boundary)] if found.boundary else []
    return concluded(loaded, judge, [*violations, *crossed], traits=traits)


def concluded(
    loaded: LoadedSpec,
    judge: str,
    violations: Sequence[Violation],
    *,
    traits: Mapping[str, TraitScore] = {},
    steps: Mapping[str, bool] = {},
    reasons: Sequence[str] = (),
) -> Judgement:
    """Verdict and reasons: what was violated first, then ``reasons``, a low total, and the traits under their least.

    The total is 0..10 = 10 * sum / (2 * traits); every trait weighs the same. Without every trait there is none. Of
    violations of one kind and name the first one counts.
    """
    spec = loaded.spec
    each_once: dict[tuple[str, str], Violation] = {}
    for violation in violations:
        each_once.setdefault((violation.kind, violation.name), violation)
    whole = len(traits) == len(spec.traits)
    total = 10 * sum(map(mark_of, traits.values())) / (2 * len(traits)) if whole else None
    named = [f"{violation.kind}:{violation.name.lower()}" for violation in broken(each_once.values())]
    low = ["score"] if total is not None and total < spec.success.accept_score else []
    weak = [f"trait:{name}" for name, trait in traits.items() if trait.score < spec.success.accept_trait]
    why = tuple(dict.fromkeys([*named, *reasons, *low, *weak]))
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict="failed" if why else "passed" if whole else "unscored",
        traits=dict(traits),
        steps=dict(steps),
        violations=tuple(each_once.values()),
        total=total,
        reasons=why,
        at=datetime.now(UTC),
    )


def unscored(loaded: LoadedSpec, judge: str, error: str, violations: Sequence[Violation] = ()) -> Judgement:
    """A reply that could not be judged, which is no failure of the reply."""
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict="error",
        violations=tuple(violations),
        error=inert_line(error),
        at=datetime.now(UTC),
    )


def quoted(quote: str, reply: str) -> str:
    """``quote`` as the reply has it, or nothing where the reply does not have it.

    Case, white space, the kind of apostrophe and quotation marks around it may differ. Of a quote with an ellipsis
    the longest part is looked for.
    """
    wanted = max((part.strip() for part in _ELLIPSIS.split(" ".join(folded(quote).split()))), key=len)
    for form in (wanted, wanted.strip("\"' ")):
        loose = "".join(_LOOSE.get(character, re.escape(character)) for character in form[:LONGEST_QUOTE])
        if form and (match := re.search(loose, reply, re.IGNORECASE)):
            return match[0]
    return ""
