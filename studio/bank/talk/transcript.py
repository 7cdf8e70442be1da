"""The transcript: turns as they come, and the end, which code decides.

It ends when both have finished, when both have closed (two closing turns at most: no goodbye loop), when a turn
repeats an earlier one, and at the cap. A turn that speaks as the other is the simulator's fault, and counted apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from studio.bank.person import Person
from studio.bank.talk.relations import Side
from studio.chatml import Frozen, Unicode
from studio.text.words import words_of

Ended = Literal["", "finished", "closed", "repeated", "cap", "fault"]
Fault = Literal["", "role flip"]
ALIKE = 0.9
"""Jaccard similarity of the words of two turns from which the later one repeats the earlier."""
LEAST_REPEATED = 4
"""Words from which a turn counts as repeated; shorter ones (``ok``) come again in any conversation."""
CLOSING_WORDS = 14
"""Words up to which a turn with a goodbye in it closes."""
_GOODBYE = re.compile(
    r"\b(?:good ?bye|bye(?:[ -]?bye)?|see (?:you|ya|u)|take care(?! of)|talk (?:to you )?(?:soon|later)|speak soon|"
    r"ttyl|good ?night|so long|until then|till then|all the best|have a (?:good|nice|great|lovely|safe) \w+|tschüss|"
    r"auf wiedersehen|au revoir|à bientôt|adiós|hasta luego|ciao|arrivederci|tchau|até logo|tot ziens|do widzenia)\b",
    re.IGNORECASE,
)
_GREETED = r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|thanks|thank you|sorry|listen|look)"
_INTRODUCED = r"(?:[Ii]'?m|[Ii] am|[Tt]his is|[Mm]y name is|[Mm]y name's)"


class Turn(Frozen):
    side: Side
    text: Unicode
    finished: bool = False


class Transcript:
    """Turns of ``first`` and ``second``, at most ``cap``. ``ended`` is empty while it goes on."""

    def __init__(self, first: Person, second: Person, cap: int) -> None:
        self._people: dict[Side, Person] = {"first": first, "second": second}
        self._cap = cap
        self.turns: list[Turn] = []
        self.ended: Ended = ""
        self.fault: Fault = ""

    @property
    def next_side(self) -> Side:
        return "first" if len(self.turns) % 2 == 0 else "second"

    def add(self, text: str, finished: bool = False) -> None:
        """The next turn. One that repeats another is left out; one that flips roles stays, to be looked at."""
        assert not self.ended, "no turn comes after the end"
        side = self.next_side
        own, whole = self._people[side], self._people["second" if side == "first" else "first"]
        text = without_label(text, own)
        if not text or any(repeats(text, turn.text) for turn in self.turns):
            self.ended = "repeated"
            return
        self.turns.append(Turn(side=side, text=text, finished=finished))
        if speaks_as_other(text, own, whole):
            self.ended, self.fault = "fault", "role flip"
        elif len(self.turns) > 1 and all(map(closing, self.turns[-2:])):
            self.ended = "finished" if all(turn.finished for turn in self.turns[-2:]) else "closed"
        elif len(self.turns) == self._cap:
            self.ended = "cap"

    def add_all(self, turns: Iterable[tuple[Side, str]]) -> None:
        """A conversation that came whole: turns of one side after the other are one turn."""
        joined: list[tuple[Side, str]] = []
        for side, text in turns:
            if joined and joined[-1][0] == side:
                joined[-1] = (side, f"{joined[-1][1]}\n{text}")
            elif joined or side == "first":
                joined.append((side, text))
        for _, text in joined:
            self.add(text)
            if self.ended:
                return
        self.ended = "finished"


def closing(turn: Turn) -> bool:
    """Whether a turn closes the conversation: its side has finished, or it is a short goodbye."""
    return turn.finished or (_GOODBYE.search(turn.text) is not None and len(turn.text.split()) <= CLOSING_WORDS)


def repeats(text: str, earlier: str) -> bool:
    """Whether ``text`` says ``earlier`` again, word for word or nearly so."""
    own, there = words_of(text), words_of(earlier)
    if len(own) < LEAST_REPEATED:
        return False
    shared = len(set(own) & set(there))
    return own == there or shared / len(set(own) | set(there)) >= ALIKE


def without_label(text: str, person: Person) -> str:
    """``text`` without the speaker's own name before it, as of a script, and without quotes around it."""
    names = "|".join(re.escape(name) for name in _names(person))
    text = re.sub(rf"^\W*(?:{names})\W*:[*_\s]*", "", text.strip(), flags=re.IGNORECASE) if names else text.strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "“”") and text.count(text[0]) <= 2:
        text = text[1:-1]
    return text.strip()


def speaks_as_other(text: str, person: Person, whole: Person) -> bool:
    """Whether a turn of ``person`` is the other's: under the other's name, introduced as them, or greeting oneself."""
    mine, theirs = _names(person), _names(whole)
    if not mine or not theirs or mine[-1].lower() == theirs[-1].lower():
        return False
    own_name, other_name = ("|".join(re.escape(name) for name in names) for names in (mine, theirs))
    return bool(
        re.search(rf"^\W*(?:{other_name})\W*:\s", text, re.IGNORECASE | re.MULTILINE)
        or re.search(rf"\b{_INTRODUCED} (?:{other_name})\b(?!['\u2019]|\w)", text[:120])
        or re.search(rf"^\W*(?:{other_name}) here\b", text, re.IGNORECASE)
        or re.match(rf"^\W*{_GREETED},? (?:{own_name})\b(?!['\u2019])", text, re.IGNORECASE)
    )


def _names(person: Person) -> list[str]:
    """The whole name, and the first name last; longest first, so that a pattern takes as much as it can."""
    name = person.name.strip()
    return list(dict.fromkeys((name, name.split()[0]))) if name else []
