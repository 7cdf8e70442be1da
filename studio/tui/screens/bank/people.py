"""The people as a list, those found in it, and the page of one: what is known of them, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from studio.bank import faults
from studio.bank.removed import Alike, Removals
from studio.build import Session
from studio.store import PeopleFilter
from studio.store.crowd import Crowd
from studio.store.records import Person
from studio.tui.dialogs.questions import Ask
from studio.tui.live.threads import detached
from studio.tui.screens.bank.filters import BY, SOURCES
from studio.tui.text import Part, clip, counted, join, line, pad
from studio.tui.widgets.layout import facts
from studio.tui.widgets.paged_list import PagedList

if TYPE_CHECKING:
    from studio.tui.screens.bank.screen import BankScreen

TOLD = 3
"""Of those who were too much like somebody, so many are named."""


@dataclass(frozen=True)
class People:
    """Those who pass a filter, as what a list shows."""

    crowd: Crowd
    filter: PeopleFilter

    def count(self) -> int:
        return self.crowd.count(self.filter)

    def index_of(self, id: str) -> int | None:
        return self.crowd.index_of(id, self.filter)

    def rows(self, offset: int, limit: int) -> Sequence[Person]:
        return self.crowd.rows(self.filter, offset, limit)


class PeopleList(PagedList[Person]):
    """A line a person: name, work, and what makes them somebody."""

    def id_of(self, row: Person) -> str:
        return row.id

    def draw_row(self, row: Person, width: int) -> Content:
        name, role = pad(row.name or row.topic, 18), pad(row.profession or row.role, 26)
        rest = clip(row.background or row.query, max(width - 19 - 27, 0))
        return join(name, " ", role, " ", (rest, "$quiet"))


class Finder:
    """Going to those with certain words, in the order of the list, around its end; looked for off the UI thread."""

    def __init__(self, screen: BankScreen, people: PeopleList) -> None:
        self._screen, self._list = screen, people
        self._words = ""
        self.found = ""
        """What was found last: ``"nurse" 3 of 17``."""

    def ask(self) -> None:
        def search(words: str | None) -> None:
            if words and words.strip():
                self._words = words.strip()
                self.go(1)

        self._screen.app.push_screen(Ask("Find people with the words", self._words), search)

    def go(self, step: Literal[1, -1]) -> None:
        self._screen.run(self._go(step), "go", exclusive=True, keys_wait=True)

    async def _go(self, step: Literal[1, -1]) -> None:
        screen = self._screen
        if not self._words:
            screen.studio.tell("press / and say what to find")
            return
        words = " ".join(filter(None, (screen.filter.text, self._words)))
        wanted, person = screen.filter.model_copy(update={"text": words}), await self._list.arrived()
        crowd = screen.session.workspace.examples.crowd
        found = await detached(crowd.next_from, person.id if person else "", wanted, step)
        if found is None:
            self.found = ""
            screen.studio.tell(f"nobody shown here has {self._words}")
        else:
            id, place, count = found
            self.found = f'"{clip(self._words, 20)}" {place + 1:,} of {count:,}'
            self._list.stand_on(id)
        screen.show_title()


@dataclass(frozen=True)
class Origin:
    """What the store knows of somebody besides their own record."""

    names: dict[str, str]
    """Of parents and root, by id."""
    examples: int
    alike: tuple[Alike, ...]
    """Who was removed for being like them."""


def read_origin(session: Session, removals: Removals, person: Person) -> Origin:
    """Reads the store, and the journals once after each change."""
    crowd = session.workspace.examples.crowd
    ids = [one for one in (*person.parents, person.root) if one]
    names = crowd.names(ids) if ids else {}
    return Origin(names, crowd.examples_of(person.id), removals.of(person.id))


def person_page(person: Person, origin: Origin | None) -> Callable[[int], Content]:
    """All that is known of a person; ``origin`` is None until it has been read."""
    wrong = faults(person)
    age, spoken = str(person.age or ""), f"first language {person.language}" if person.language else ""
    known: list[tuple[str, Part]] = [
        ("name", join(", ".join(filter(None, (person.name, age))), (f"  {person.username or ''}", "$quiet"))),
        ("role", line(person.role)),
        ("work", line(person.profession)),
        ("place", line(", ".join(filter(None, (person.place, spoken))))),
        ("traits", line(", ".join(person.traits))),
        ("topic", line(person.topic)),
        ("background", line(person.background)),
        ("writes", line(person.chatting_style)),
        ("asks", line(person.query)),
        ("extreme", "yes: drawn from harder circumstances" if person.extreme else ""),
        ("not whole", (", ".join(wrong), "$warning") if wrong and person.source == "bank" else ""),
    ]
    pairs = [*known, *_origin(person, origin)]
    return lambda width: facts(pairs, width)


def _origin(person: Person, origin: Origin | None) -> list[tuple[str, Part]]:
    names = origin.names if origin else {}
    seed = "" if person.seed is None or person.seed < 0 else f"seed {person.seed}"
    by = BY[person.method] if person.method not in ("", person.source) else ""
    how = [SOURCES[person.source], by, person.origin, person.model, seed]
    hop = f"hop {person.hop}" if person.hop else ""
    root = names.get(person.root, person.root) if person.root and person.root not in person.parents else ""
    told: list[tuple[str, Part]] = [
        ("from", line(", ".join(part for part in how if part))),
        ("relation", line(", ".join(part for part in (person.relation, hop, f"from {root}" if root else "") if part))),
        ("parents", line(", ".join(names.get(one) or one for one in person.parents))),
        ("text", person.text_hash),
    ]
    if origin is not None:
        said = f"{counted(origin.examples, 'example')}: t opens them in triage" if origin.examples else "none yet"
        told.append(("examples", said))
        for one in origin.alike[:TOLD]:
            alike = f"{one.similarity:.2f} in {one.reason}" if one.similarity is not None else one.reason
            told.append(("removed twin", join((f"{alike}: ", "$quiet"), line(one.text))))
        if len(origin.alike) > TOLD:
            told.append(("", (f"and {len(origin.alike) - TOLD} more", "$quiet")))
    return [*told, ("id", person.id)]
