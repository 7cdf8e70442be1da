"""One turn of a conversation taken apart: what is asked, and what the sentences of the reply do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.offline.framing import Framed, Framing, is_hole
from studio.judge.offline.keeping import Asked, Keeping
from studio.judge.offline.nearness import Bag
from studio.judge.offline.slots import Slots
from studio.judge.offline.text import Text
from studio.letters import folded

LONG_ENOUGH = 3
"""Sentences from which the first and the last of a reply open and close it."""


@dataclass(frozen=True)
class Turn:
    """A reply and what was said before it, taken apart. ``asked`` is what the last request names."""

    request: Text
    reply: Text
    said: Text
    asked: Asked
    requested: tuple[Framed, ...]
    """The sentences of the request, framed like those of the reply."""
    framed: tuple[Framed, ...]
    """The sentences of the reply."""
    body: tuple[Framed, ...]
    """Those of them that answer."""

    @property
    def bag(self) -> Bag:
        """The words of the request, with ``<kind>`` for what it names and ``<>`` if it names anything."""
        named = {f"<{kind}>" for kind in self.asked.kinds} | ({"<>"} if self.asked.holes else set())
        return (self.request.vocabulary - set(self.asked.keep)) | named

    @property
    def asks(self) -> bool:
        return bool(self.request.sentences) and self.request.sentences[-1].question


def taken_apart(slots: Slots, keeping: Keeping, stock: frozenset[tuple[str, ...]], messages: Messages) -> Turn:
    """The last assistant turn of ``messages``, framed by what the turns before it name."""
    at = max((place for place, one in enumerate(messages) if one.role == "assistant"), default=len(messages))
    requests = [Text(folded(one.content)) for one in messages[:at] if one.role == "user"] or [Text("")]
    reply = Text(folded(messages[at].content) if at < len(messages) else "")
    asked, *earlier = [keeping.asked(request) for request in reversed(requests)]
    said_before = [hole for one in earlier for hole in one.holes]
    frame = Framing(slots, keeping.carried, keeping.free, asked.holes, said_before)
    framed = tuple(frame(sentence.words) for sentence in reply.sentences)
    return Turn(
        request=requests[-1],
        reply=reply,
        said=Text(folded("\n".join(one.content for one in messages[:at] if one.role != "system"))),
        asked=asked,
        requested=tuple(frame(sentence.words) for sentence in requests[-1].sentences),
        framed=framed,
        body=_body(framed, [sentence.words in stock for sentence in reply.sentences]),
    )


def _body(framed: Sequence[Framed], stock: Sequence[bool]) -> tuple[Framed, ...]:
    """The sentences that answer: neither stock phrases, nor what opens and closes a reply and names nothing."""
    own = [sentence for sentence, known in zip(framed, stock, strict=True) if not known]
    names = [any(map(is_hole, sentence)) for sentence in own]
    if len(framed) >= LONG_ENOUGH or any(names):
        inner = [
            sentence
            for sentence, named in zip(own, names, strict=True)
            if named or sentence not in (framed[0], framed[-1])
        ]
        return tuple(inner or own)
    return tuple(own)
