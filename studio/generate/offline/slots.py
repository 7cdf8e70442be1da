"""Exchanging the words of an example for others of their kind, in the user's turns and the replies alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from studio.chatml import Message, Messages
from studio.generate.offline.kinds import Kind
from studio.generate.offline.text import article_fixed, capital, small

Offered = Callable[[Kind, str], Collection[str]]
"""Further words for a kind where a value of it stands, such as what is on a person's mind."""


@dataclass(frozen=True)
class Span:
    """An exchangeable word in a turn. ``value`` is how its kind writes it, whatever case it has in the text."""

    start: int
    end: int
    kind: Kind
    value: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind.name, self.value.casefold()


@dataclass(frozen=True)
class Template:
    """A hand-written conversation with its exchangeable words found: ``spans`` are by turn, in order."""

    scenario: str | None
    turns: Messages
    spans: tuple[tuple[Span, ...], ...]

    @property
    def asked(self) -> tuple[Span, ...]:
        """What the user's turns name."""
        return tuple(
            span for turn, spans in zip(self.turns, self.spans, strict=True) if turn.role == "user" for span in spans
        )

    def carried(self) -> frozenset[tuple[str, str]]:
        """Keys of what the user names and a reply takes up."""
        asked = {span.key for span in self.asked}
        answered = {
            span.key
            for turn, spans in zip(self.turns, self.spans, strict=True)
            if turn.role == "assistant"
            for span in spans
        }
        return frozenset(asked & answered)


def templates(conversations: Sequence[tuple[str | None, Messages]], kinds: Sequence[Kind]) -> tuple[Template, ...]:
    """Every conversation with its exchangeable words.

    What a reply says without the user's having named it is exchanged only if its kind is never a user's (a phrase of
    comfort, say): otherwise it is part of what the reply states.
    """
    found = [(scenario, turns, [_spans(turn.content, kinds) for turn in turns]) for scenario, turns in conversations]
    users = {
        span.kind.name
        for _, turns, by_turn in found
        for turn, spans in zip(turns, by_turn, strict=True)
        if turn.role == "user"
        for span in spans
    }
    return tuple(Template(scenario, turns, _exchangeable(turns, by_turn, users)) for scenario, turns, by_turn in found)


def exchanged(template: Template, random: Random, offered: Offered) -> Messages:
    """The template's turns with other words of each kind, the same one wherever the same one stood."""
    chosen: dict[tuple[str, str], str] = {}
    taken: set[str] = {span.value.casefold() for spans in template.spans for span in spans}
    for span in (span for spans in template.spans for span in spans):
        if span.key in chosen:
            continue
        free = taken - {span.value.casefold()}
        more = [value for value in offered(span.kind, span.value) if value.casefold() not in free]
        known = [value for value in span.kind.others(span.value, random) if value.casefold() not in taken]
        pool = more if more and (not known or random.random() < _OFFERED) else [*known, span.value]
        chosen[span.key] = random.choice(pool)
        taken.add(chosen[span.key].casefold())
    return filled(template, chosen)


def filled(template: Template, chosen: Mapping[tuple[str, str], str]) -> Messages:
    """The template's turns with the words in ``chosen``, by their :attr:`Span.key`; the others as they are."""
    return tuple(
        Message(role=turn.role, content=_filled(turn.content, [span for span in spans if span.key in chosen], chosen))
        for turn, spans in zip(template.turns, template.spans, strict=True)
    )


_OFFERED = 0.5
"""How often a person's own words stand in for the spec's, where there are both."""


def _spans(text: str, kinds: Sequence[Kind]) -> tuple[Span, ...]:
    """Non-overlapping occurrences; where two begin in the same stretch the longer one, then the kind listed first."""
    found = [
        Span(match.start(), match.end(), kind, _canonical(match[0], kind))
        for kind in kinds
        for match in kind.find.finditer(text)
    ]
    kept: list[Span] = []
    for span in sorted(found, key=lambda span: span.start - span.end):
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: span.start))


def _canonical(text: str, kind: Kind) -> str:
    """``text`` as its kind writes it where it knows it in another case; else as it stands."""
    known = kind.others(text, Random(0))
    return next((value for value in known if value.casefold() == text.casefold()), text)


def _exchangeable(
    turns: Messages, by_turn: Sequence[tuple[Span, ...]], users: Collection[str]
) -> tuple[tuple[Span, ...], ...]:
    asked = {span.key for turn, spans in zip(turns, by_turn, strict=True) if turn.role == "user" for span in spans}
    return tuple(
        tuple(
            span
            for span in spans
            if turn.role == "user" or span.key in asked or not (span.kind.user_only or span.kind.name in users)
        )
        for turn, spans in zip(turns, by_turn, strict=True)
    )


def _filled(text: str, spans: Iterable[Span], chosen: Mapping[tuple[str, str], str]) -> str:
    """``text`` with each span's word replaced, in the case in which the old one stood, its a or an set right."""
    out, at = "", 0
    for span in spans:
        old, new = text[span.start : span.end], chosen[span.key]
        if new.casefold() == span.value.casefold():
            new = old
        elif old[:1].isupper() and (span.value[:1].islower() or _begins(text[: span.start])):
            new = capital(new)
        elif old[:1].islower() and span.value[:1].isupper():
            new = small(new)
        out = article_fixed(out + text[at : span.start], new) + new
        at = span.end
    return out + text[at:]


def _begins(before: str) -> bool:
    """Whether a sentence begins after ``before``."""
    return not before.strip() or before.rstrip()[-1] in ".!?…"
