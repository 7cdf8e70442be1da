"""The people as a list, and the page of one: all that is known of them, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from studio.bank import faults
from studio.bank.removed import Alike, Removals
from studio.build import Session
from studio.store import PeopleFilter
from studio.store.crowd import Crowd
from studio.store.records import Person
from studio.tui.screens.bank.filters import BY, SOURCES
from studio.tui.text import Part, clip, counted, join, line, pad
from studio.tui.widgets.layout import facts
from studio.tui.widgets.paged_list import PagedList

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
    how = [SOURCES[person.source], BY[person.method] if person.method else "", person.origin, person.model, seed]
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
