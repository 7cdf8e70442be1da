"""What follows from a judge's marks: totals, the verdict and its reasons, all computed here and never by a model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from studio.chatml import Messages, last_reply
from studio.judge.rubric import Answer, TraitMark
from studio.judge.rules import broken
from studio.judge.types import NOBODY, RULES, Estimate
from studio.spec import LoadedSpec, Spec
from studio.store.records import Judgement, TraitScore, Violation
from studio.text.inert import inert_line
from studio.text.normalize import VARIANTS, folded

LONGEST_QUOTE = 400
_ELLIPSIS = re.compile(r"\.{3,}|\u2026")
_LOOSE = {" ": r"\s+", **{mark: f"[{mark}{variants}]" for mark, variants in VARIANTS.items()}}


def total_of(traits: Iterable[TraitScore]) -> float:
    """0..10 = 10 * sum / (2 * traits); every trait weighs the same. Of a regression the estimates are summed."""
    marks = [trait.score if trait.estimate is None else trait.estimate for trait in traits]
    return 10 * sum(marks) / (2 * len(marks))


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
    return concluded(
        loaded,
        judge,
        traits={name: _trait(answer.traits[name], reply) for name in spec.trait_names},
        violations=_each_once((*violations, *_boundaries(spec, answer, turns))),
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
    return concluded(loaded, judge, traits=traits, violations=_each_once((*violations, *crossed)))


def concluded(
    loaded: LoadedSpec,
    judge: str,
    *,
    traits: Mapping[str, TraitScore],
    violations: Sequence[Violation],
    steps: Mapping[str, bool] | None = None,
    reasons: Sequence[str] = (),
) -> Judgement:
    """Verdict and reasons: what was violated first, then ``reasons``, a low total, and the traits under their least."""
    spec = loaded.spec
    whole = len(traits) == len(spec.traits)
    total = total_of(traits.values()) if whole else None
    low = ["score"] if total is not None and total < spec.success.accept_score else []
    weak = [f"trait:{name}" for name, trait in traits.items() if trait.score < spec.success.accept_trait]
    why = tuple(dict.fromkeys([*_named(violations), *reasons, *low, *weak]))
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict="failed" if why else "passed" if whole else "unscored",
        traits=dict(traits),
        steps=dict(steps or {}),
        violations=tuple(violations),
        total=total,
        reasons=why,
        at=datetime.now(UTC),
    )


def failed_by_rules(loaded: LoadedSpec, violations: Sequence[Violation]) -> Judgement:
    """A reply that breaks a rule: failed without asking anybody, so there are no marks and no total."""
    return concluded(loaded, RULES, traits={}, violations=violations)


def not_scored(loaded: LoadedSpec, violations: Sequence[Violation] = ()) -> Judgement:
    """A reply whose traits nobody could score: no model judges, and there are no labels. Broken rules fail it."""
    return concluded(loaded, RULES if broken(violations) else NOBODY, traits={}, violations=violations)


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


def _trait(mark: TraitMark, reply: str) -> TraitScore:
    return TraitScore(score=mark.score, rationale=mark.rationale.strip(), quote=quoted(mark.quote, reply))


def _boundaries(spec: Spec, answer: Answer, turns: str) -> list[Violation]:
    """The boundaries that the judge saw crossed, each once, with the first of its quotes that is in the replies."""
    known = {boundary.id for boundary in spec.boundaries}
    quotes: dict[str, str] = {}
    for mark in answer.violations:
        if mark.id in known:
            quotes[mark.id] = quotes.get(mark.id) or quoted(mark.quote, turns)
    return [Violation(kind="boundary", name=name, quote=quotes[name]) for name in sorted(quotes)]


def _each_once(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """The first of each kind and name."""
    found: dict[tuple[str, str], Violation] = {}
    for violation in violations:
        found.setdefault((violation.kind, violation.name), violation)
    return tuple(found.values())


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


def _named(violations: Sequence[Violation]) -> list[str]:
    return [f"{violation.kind}:{violation.name.lower()}" for violation in broken(violations)]
