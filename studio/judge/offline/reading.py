"""One reply read once: what it was asked, what it kept, whether it answers, and how it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from studio.chatml import Messages
from studio.judge.offline.fluency import Fluency, fluency
from studio.judge.offline.garbling import garbled
from studio.judge.offline.likeness import NEAR, Fit
from studio.judge.offline.manners import TROUBLES, hurtful
from studio.judge.offline.persona import Persona, opens_with_stock, substance
from studio.judge.offline.text import SMALL_WORDS, Text, content, heard, words_of
from studio.letters import folded

ANSWERED, PARTLY = 0.75, 0.4
"""From the first on a reply answers, from the second it answers in part."""
LEAST_SUBSTANCE = 3
FULL_ANSWER = 8
"""New words that carry meaning, from which a reply counts as one even if it only says "it" or "that one"."""
LIKE_AN_ANSWER = 0.35


@dataclass(frozen=True)
class Relevance:
    """How far the reply answers the request, 0..1, and why not further."""

    value: float
    why: str = ""
    empty: bool = False
    """Phrases only: there is no answer in it."""

    @property
    def answered(self) -> bool:
        return self.value >= ANSWERED

    @property
    def wrong(self) -> bool:
        return self.value < PARTLY


@dataclass(frozen=True)
class Reading:
    request: Text
    reply: Text
    keep: tuple[str, ...]
    """The words of the request that a reply has to repeat."""
    missing: tuple[str, ...]
    relevance: Relevance
    out_of_place: bool
    """Opens with praise for a deed where the persona's own replies meet a trouble first."""
    fluency: Fluency
    hurt: tuple[str, str] | None
    """(kind, words) where the reply is hurtful."""


def read(persona: Persona, messages: Messages, scenario: str = "") -> Reading:
    """The last assistant turn of ``messages``, read as the answer to the user turn before it."""
    at = max((i for i, message in enumerate(messages) if message.role == "assistant"), default=len(messages))
    before = messages[:at]
    reply = Text(messages[at].content if at < len(messages) else "")
    request = Text(next((m.content for m in reversed(before) if m.role == "user"), ""))
    said = words_of(folded("\n".join(m.content for m in before if m.role != "system")))
    asked = persona.keeping.asked(request)
    missing = tuple(word for word in asked.keep if not heard(word, reply.vocabulary))
    fit = persona.fit(request, asked, reply, scenario)
    suspects = [word for word in content(request.words) if not heard(word, reply.vocabulary)]
    bad = garbled(reply, suspects, persona.vocabulary | frozenset(said)) if persona.english else ""
    return Reading(
        request=request,
        reply=reply,
        keep=asked.keep,
        missing=missing,
        relevance=_relevance(persona, request, reply, asked.keep, missing, said, fit),
        out_of_place=opens_with_stock(persona.stock, reply) and not _may_praise(persona, request, fit),
        fluency=fluency(reply, english=persona.english, ends_marked=persona.voice.ends_marked, garbled=bad),
        hurt=hurtful(reply.plain) if persona.english else None,
    )


def _may_praise(persona: Persona, request: Text, fit: Fit) -> bool:
    """Whether replies to such a request begin with praise in the examples, as far as these tell."""
    troubled = persona.english and bool(request.vocabulary & TROUBLES)
    return fit.stock_opening and (persona.praises_trouble or not troubled or fit.known >= NEAR)


def _relevance(
    persona: Persona,
    request: Text,
    reply: Text,
    keep: Sequence[str],
    missing: Sequence[str],
    said: tuple[str, ...],
    fit: Fit,
) -> Relevance:
    told = frozenset(substance(persona, reply))
    if echoed := _echo(request, reply, keep):
        return Relevance(0.2, f"gives the request back: '{echoed}'", empty=True)
    if not keep and _says_nothing(request, reply, told, fit):
        return Relevance(0.2, "phrases that fit any request, and no answer to this one", empty=True)
    if invented := persona.keeping.invented(reply, said, missing):
        return Relevance(0.3, f"brings in '{invented}', which nobody mentioned")
    share = 1 - len(missing) / len(keep) if keep else 1.0
    lost = ", ".join(missing)
    if changed := _changed(persona, reply, keep, missing, said):
        return Relevance(0.3, f"puts '{changed}' in the place of what was asked about: {lost}")
    if share < 0.5 and len(told - request.vocabulary) >= FULL_ANSWER and not fit.misplaced:
        return Relevance(0.5, f"answers at length, but does not name {lost}")
    if share < 0.5:
        empty = len(told) < LEAST_SUBSTANCE
        return Relevance(0.1 + 0.4 * share, f"leaves out what it was asked about: {lost}", empty=empty)
    if fit.misplaced:
        return Relevance(0.3, "answers something else: it reads like the reply to another kind of request")
    if share < 1:
        return Relevance(0.6, f"loses a part of what it was asked about: {lost}")
    return Relevance(1.0)


def _changed(persona: Persona, reply: Text, keep: Sequence[str], missing: Sequence[str], said: tuple[str, ...]) -> str:
    """A word that neither the spec nor the user has, right beside one that was kept, where another is missing."""
    if not missing:
        return ""
    kept = [word for word in keep if word not in missing]
    known = persona.vocabulary | set(said) | SMALL_WORDS
    for first, second in pairwise(reply.words):
        for here, beside in ((first, second), (second, first)):
            if beside not in known and any(heard(word, frozenset((here,))) for word in kept):
                return beside
    return ""


def _echo(request: Text, reply: Text, keep: Sequence[str]) -> str:
    """A sentence of the request that the reply repeats whole, and not only what it had to keep; empty if none."""
    for sentence in request.sentences:
        size = len(sentence.words)
        if len(set(sentence.words) - set(keep)) > 2 and any(
            said.words[at : at + size] == sentence.words
            for said in reply.sentences
            for at in range(len(said.words) - size + 1)
        ):
            return sentence.text
    return ""


def _says_nothing(request: Text, reply: Text, told: frozenset[str], fit: Fit) -> bool:
    """No word of its own that carries meaning: stock phrases, or the request's words in another order."""
    if not reply.words:
        return True
    own = told - request.vocabulary
    if len(own) >= LEAST_SUBSTANCE or fit.expected >= LIKE_AN_ANSWER:
        return False
    topic = set(request.words) - SMALL_WORDS
    return len(topic) > 1 and not (own and any(heard(word, told) for word in topic))
