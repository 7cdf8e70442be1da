"""The rules judge behind the interface of a model."""

from __future__ import annotations

from pydantic import BaseModel

from studio.chatml import Messages, assistant
from studio.judge.offline.answering import answer
from studio.judge.offline.persona import Persona, Personas
from studio.judge.offline.reading import read
from studio.judge.rules import check_reply
from studio.judge.schema import Preference
from studio.judge.scoring import total_of
from studio.judge.types import CompareBrief, JudgeBrief
from studio.llm import ChatModel, ModelError, OfflineModel, Request

NAME = "rules judge"
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


def prefer(persona: Persona, brief: CompareBrief) -> Preference:
    """The better of two replies: fewer boundaries and rules broken, then the total, then the better answer."""
    first, second = (_standing(persona, brief.messages, text) for text in (brief.first, brief.second))
    if first[0] != second[0]:
        return _won(first[0] < second[0], "it breaks fewer rules of the persona")
    if abs(first[1] - second[1]) >= MARGIN:
        return _won(
            first[1] > second[1], f"{max(first[1], second[1]):.1f} against {min(first[1], second[1]):.1f} of 10"
        )
    if abs(first[2] - second[2]) >= RELEVANCE_MARGIN:
        return _won(first[2] > second[2], "it answers more of what was asked")
    return Preference(rationale="No difference that matters.", winner="tie")


def _standing(persona: Persona, messages: Messages, reply: str) -> tuple[int, float, float]:
    """(rules and boundaries broken, total of 10, relevance) of one reply."""
    conversation = (*messages, assistant(reply))
    reading = read(persona, conversation)
    marks = answer(persona, conversation, reading)
    broken = {
        (rule.kind, rule.name)
        for rule in check_reply(persona.rules, persona.spec.language, conversation, persona.bounds)
    }
    broken |= {("boundary", violation.id) for violation in marks.violations}
    total = total_of([mark.score for mark in marks.traits.values()])
    return len(broken), total, reading.relevance.value


def _won(first: bool, why: str) -> Preference:
    return Preference(rationale=f"The {'first' if first else 'second'}: {why}.", winner="first" if first else "second")
