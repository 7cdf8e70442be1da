"""The rules judge behind the interface of a model."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from studio.chatml import Messages, assistant
from studio.judge.offline.answering import answer
from studio.judge.offline.persona import Persona, Personas
from studio.judge.offline.reading import read
from studio.judge.offline.relevance import Relevance
from studio.judge.rules import check_reply
from studio.judge.schema import Preference
from studio.judge.scoring import total_of
from studio.judge.types import CompareBrief, JudgeBrief
from studio.llm import ChatModel, ModelError, OfflineModel, Request

NAME = "rules judge"
VERSION = "2"
"""To be raised whenever the same reply may get other marks: what an earlier one judged is judged again."""
MEASURES = "manner, steps, kept words and likeness to the spec's own answers, not truth or meaning"
MARGIN = 0.5
"""Points of 10 by which a reply has to be ahead; under that the better answer wins, by RELEVANCE_MARGIN, or nobody."""
RELEVANCE_MARGIN = 0.25


def rules_judge(context: str = "") -> ChatModel:
    """A model that judges and compares any text by the spec in the request's brief. ``context`` is its document."""
    personas = Personas(context)

    def answered(request: Request) -> BaseModel:
        brief = request.brief
        if isinstance(brief, JudgeBrief):
            persona = personas.of(brief.spec)
            return answer(persona, brief.messages, read(persona, brief.messages, brief.scenario))
        if isinstance(brief, CompareBrief):
            return prefer(personas.of(brief.spec), brief)
        raise ModelError("refused", f"the {NAME} only judges and compares")

    return OfflineModel(NAME, answered)


@dataclass(frozen=True)
class _Standing:
    """Of one reply: the rules and boundaries that it breaks, its total of 10, and whether it answers."""

    broken: int
    total: float
    relevance: Relevance


def prefer(persona: Persona, brief: CompareBrief) -> Preference:
    """The better of two replies: fewer boundaries and rules broken, then an answer over none, then the total.

    Of two that do not answer neither is better, whatever their manners.
    """
    first, second = (_standing(persona, brief.messages, text) for text in (brief.first, brief.second))
    if first.broken != second.broken:
        return _won(first.broken < second.broken, "it breaks fewer rules of the persona")
    if first.relevance.wrong != second.relevance.wrong:
        return _won(second.relevance.wrong, "it answers what was asked")
    if first.relevance.wrong:
        return Preference(rationale="Neither answers what was asked.", winner="tie")
    if abs(first.total - second.total) >= MARGIN:
        best, worst = max(first.total, second.total), min(first.total, second.total)
        return _won(first.total > second.total, f"{best:.1f} against {worst:.1f} of 10")
    if abs(first.relevance.value - second.relevance.value) >= RELEVANCE_MARGIN:
        return _won(first.relevance.value > second.relevance.value, "it answers more of what was asked")
    return Preference(rationale="No difference that matters.", winner="tie")


def _standing(persona: Persona, messages: Messages, reply: str) -> _Standing:
    conversation = (*messages, assistant(reply))
    reading = read(persona, conversation)
    marks = answer(persona, conversation, reading)
    broken = check_reply(persona.rules, persona.spec.language, conversation, persona.bounds)
    return _Standing(
        broken=len({(rule.kind, rule.name) for rule in broken} | {("boundary", one.id) for one in marks.violations}),
        total=total_of([mark.score for mark in marks.traits.values()]),
        relevance=reading.relevance,
    )


def _won(first: bool, why: str) -> Preference:
    return Preference(rationale=f"The {'first' if first else 'second'}: {why}.", winner="first" if first else "second")
