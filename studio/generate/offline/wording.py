"""How a person words a message: the same request, as somebody of their tone would type it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

from studio.generate.offline.text import small

_REQUESTS = frozenset(
    """add archive arrange assign book bring call cancel change check choose clear close complete convert create
    delete describe draft edit erase explain fill find finish fix get give help keep let list look make mark move name
    note open order organize plan postpone prepare print put recommend remind remove rename reschedule reset save
    schedule search send set share show sort start stop suggest switch take tell translate turn update wipe
    write""".split()
)
_ASKS = ("can you ", "could you ", "would you ", "will you ")
_WISHES = ("i need to ", "i want to ", "i would like to ", "new task")
_TROUBLES = frozenset("accident dead died emergency fraud funeral hospital ill lost scared sick stolen thief".split())
_GREETINGS = frozenset("hi hello hey good thanks thank bye goodbye many sorry".split())


@dataclass(frozen=True)
class Manner:
    """A tone's habits. Rates are 0..1. What goes ``before`` fits any message; ``lead`` and ``after`` only requests."""

    before: tuple[str, ...] = ()
    lead: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    rate: float = 0.4
    """How often something goes before or after."""
    lower: float = 0.05
    """Small letters throughout."""
    open_end: float = 0.15
    """No full stop at the end."""
    please: float = 0.1
    shout: float = 0.0
    """An exclamation mark for the full stop of a request."""
    bare: float = 0.0
    """No quotation marks or apostrophes, as typed in a hurry."""
    light: bool = False
    """Left aside where a message tells of a trouble: nobody says hey and that somebody has died."""


_MANNERS = {
    "terse": Manner(open_end=0.6, lower=0.15, please=0.0, bare=0.2),
    "chatty": Manner(before=("Hey,", "So,", "Oh,", "Right,"), lead=("By the way,", "One more thing:"), rate=0.7),
    "polite": Manner(before=("Hello,",), after=("Thank you.", "Thanks."), please=0.7, open_end=0.0, lower=0.0),
    "hurried": Manner(lead=("Quick one:", "Quickly,"), rate=0.3, open_end=0.7, lower=0.4, bare=0.6, please=0.05),
    "worried": Manner(before=("Um,", "Oh dear,"), lead=("I hope this works:", "Sorry to ask:"), please=0.2),
    "dry": Manner(before=("Well,", "So,"), lead=("Right then.",)),
    "blunt": Manner(please=0.0, open_end=0.3),
    "cheerful": Manner(before=("Hi!", "Hello!", "Hey!"), rate=0.4, shout=0.5, light=True),
    "precise": Manner(open_end=0.0, lower=0.0),
    "rambling": Manner(before=("Okay so,", "So anyway,"), lead=("Before I forget,", "While I think of it,"), rate=0.7),
    "skeptical": Manner(before=("Hm.", "Well,"), lead=("Let's see if this works.", "I have my doubts, but"), rate=0.5),
    "tired": Manner(before=("Phew.", "Long day."), lead=("One last thing.",), open_end=0.4, lower=0.2),
    "formal": Manner(before=("Good day.",), after=("Thank you.",), please=0.5, open_end=0.0, lower=0.0),
    "learner of the language": Manner(before=("Hello,",), rate=0.2, please=0.3, bare=0.2, open_end=0.3),
    "all lower case": Manner(lower=1.0, open_end=0.8, bare=0.3),
    "impatient": Manner(before=("Come on,",), lead=("Quick:",), after=("Now.", "Quickly."), open_end=0.3),
}

_PLAIN = Manner(rate=0.0)
_ANYBODY = (_PLAIN, _MANNERS["chatty"], _MANNERS["polite"], _MANNERS["terse"], _MANNERS["worried"])


class Wording:
    """Words messages by tone. What is put before and after is English; the rest holds for any language."""

    def __init__(self, language: str, keep: Collection[str]) -> None:
        """``keep``: words that keep their capital inside a sentence, such as names and weekdays."""
        self._english = language.casefold().split("-")[0] == "en"
        self._keep = frozenset(keep)

    def worded(self, message: str, tone: str, random: Random, *, first: bool) -> str:
        """``message`` as a person of ``tone`` types it: what it asks for, and its words for that, stay.

        Of an unknown tone, or none, is anybody. Only the ``first`` message of a conversation is opened or closed
        with a few words more.
        """
        manner = _MANNERS.get(tone.split(" (")[0].strip().casefold()) or random.choice(_ANYBODY)
        manner = _PLAIN if manner.light and _TROUBLES & set(message.casefold().strip(".!?").split()) else manner
        lower = random.random() < manner.lower
        text, request = message, _is_request(message)
        if self._english:
            text = self._with_please(text, random) if random.random() < manner.please else text
            text = self._around(text, manner, request, random) if first and random.random() < manner.rate else text
        text = _ended(text, manner, request, random)
        if self._english and random.random() < manner.bare:
            text = _bare(text)
        return text.lower() if lower else text

    def _with_please(self, text: str, random: Random) -> str:
        """``text`` with please in it where it is a request; else unchanged."""
        if "please" in text.casefold():
            return text
        ask = next((ask for ask in _ASKS if text.casefold().startswith(ask)), None)
        if ask is not None:
            return f"{text[: len(ask)]}please {text[len(ask) :]}"
        if _first(text) not in _REQUESTS:
            return text
        if random.random() < 0.6 or not re.fullmatch(r"[^.!?:,]+\.", text):
            return f"Please {small(text, self._keep)}"
        return f"{text[:-1]}, please."

    def _around(self, text: str, manner: Manner, request: bool, random: Random) -> str:
        if _first(text) in _GREETINGS:
            return text
        before = manner.before + (manner.lead if request else ())
        choices = [(opening, "") for opening in before] + [("", closing) for closing in manner.after if request]
        if not choices:
            return text
        opening, closing = random.choice(choices)
        if closing:
            return f"{text} {closing}" if text[-1:] in ".!?" else f"{text}. {closing}"
        return f"{opening} {text}" if opening[-1] in ".!?" else f"{opening} {small(text, self._keep)}"


def _is_request(text: str) -> bool:
    return _first(text) in _REQUESTS or text.casefold().startswith((*_ASKS, *_WISHES))


def _first(text: str) -> str:
    return text.split(maxsplit=1)[0].strip(",.!?:'\"").casefold() if text.strip() else ""


def _ended(text: str, manner: Manner, request: bool, random: Random) -> str:
    if request and text.endswith(".") and not text.endswith("..") and random.random() < manner.shout:
        return f"{text[:-1]}!"
    return text[:-1] if text[-1:] in ".。" and random.random() < manner.open_end else text


def _bare(text: str) -> str:
    """Typed without quotation marks, and without the apostrophes of short forms."""
    text = re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"\1", text)
    return re.sub(r"(?<=\w)'(?=(?:m|t|s|ve|re|ll|d)\b)", "", text)
