"""What follows from a judge's marks: totals, the verdict and its reasons, all computed here and never by a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from studio.chatml import Messages, last_reply
from studio.judge.schema import Answer, TraitMark
from studio.spec import LoadedSpec, Rules, Spec
from studio.store.records import Judgement, TraitScore, Verdict, Violation
from studio.text.inert import inert_line
from studio.text.normalize import VARIANTS, folded

LONGEST_QUOTE = 400
_ELLIPSIS = re.compile(r"\.{3,}|\u2026")
_LOOSE = {" ": r"\s+", **{mark: f"[{mark}{variants}]" for mark, variants in VARIANTS.items()}}


def total_of(scores: Sequence[int]) -> float:
    """0..10 = 10 * sum / (2 * traits); every trait weighs the same."""
    return 10 * sum(scores) / (2 * len(scores))


def scored(
    loaded: LoadedSpec, rules: Rules, judge: str, messages: Messages, answer: Answer, broken: Sequence[Violation]
) -> Judgement:
    """The judgement of a reply from a judge's answer and from the rules that the reply broke.

    A quote that is not in the reply is dropped, the mark or violation that it should show is not: judges paraphrase,
    and a boundary crossed by what is missing has no words. Preferred vocabulary is looked up here, not believed.
    """
    spec, reply = loaded.spec, last_reply(messages)
    turns = "\n".join(m.content for m in messages if m.role == "assistant")
    traits = {name: _trait(answer.traits[name], reply) for name in spec.trait_names}
    violations = (*broken, *_boundaries(spec, answer, turns))
    total = total_of([trait.score for trait in traits.values()])
    weak = any(trait.score < spec.success.accept_trait for trait in traits.values())
    passed = total >= spec.success.accept_score and not weak and not violations
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict="passed" if passed else "failed",
        traits=traits,
        preferred=rules.preferred(reply),
        steps={step.step: answer.steps.get(step.step, False) for step in spec.patterns},
        violations=violations,
        total=total,
        reasons=() if passed else _reasons(spec, violations, traits, total),
        at=datetime.now(UTC),
    )


def failed_by_rules(loaded: LoadedSpec, judge: str, broken: Sequence[Violation]) -> Judgement:
    """A reply that breaks a rule: failed without asking anybody, so there are no marks and no total."""
    return _unmarked(loaded, judge, "failed", violations=tuple(broken), reasons=_rules(broken))


def not_scored(loaded: LoadedSpec, judge: str, broken: Sequence[Violation] = ()) -> Judgement:
    """A reply whose traits nobody could score: no model judges, and there are no labels. Broken rules fail it."""
    if broken:
        return failed_by_rules(loaded, judge, broken)
    return _unmarked(loaded, judge, "unscored", violations=())


def unscored(loaded: LoadedSpec, judge: str, error: str, broken: Sequence[Violation] = ()) -> Judgement:
    """A reply that could not be judged, which is no failure of the reply."""
    return _unmarked(loaded, judge, "error", violations=tuple(broken), error=inert_line(error))


def _unmarked(
    loaded: LoadedSpec,
    judge: str,
    verdict: Verdict,
    violations: tuple[Violation, ...],
    reasons: tuple[str, ...] = (),
    error: str | None = None,
) -> Judgement:
    return Judgement(
        judge=judge,
        spec_hash=loaded.hash,
        verdict=verdict,
        violations=violations,
        reasons=reasons,
        error=error,
        at=datetime.now(UTC),
    )


def _trait(mark: TraitMark, reply: str) -> TraitScore:
    return TraitScore(score=mark.score, rationale=mark.rationale.strip(), quote=quoted(mark.quote, reply))


def _boundaries(spec: Spec, answer: Answer, turns: str) -> list[Violation]:
    """The boundaries that the judge saw crossed, each once, with the first of its quotes that is in the reply."""
    known = {boundary.id for boundary in spec.boundaries}
    quotes: dict[str, str] = {}
    for mark in answer.violations:
        if mark.id in known:
            quotes[mark.id] = quotes.get(mark.id) or quoted(mark.quote, turns)
    return [Violation(kind="boundary", name=name, quote=quotes[name]) for name in sorted(quotes)]


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


def _reasons(
    spec: Spec, violations: Sequence[Violation], traits: dict[str, TraitScore], total: float
) -> tuple[str, ...]:
    """Short reasons, the most telling first: what was violated, a low total, and the traits under their least."""
    low = ["score"] if total < spec.success.accept_score else []
    weak = [f"trait:{name}" for name, trait in traits.items() if trait.score < spec.success.accept_trait]
    return tuple(dict.fromkeys([*_rules(violations), *low, *weak]))


def _rules(violations: Sequence[Violation]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{violation.kind}:{violation.name.lower()}" for violation in violations))
