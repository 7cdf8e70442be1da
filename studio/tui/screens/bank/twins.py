"""People who are in the bank twice: found in two stages, shown with their twins, removed after a yes, and put back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from studio.bank.file_dedup import Deduplicated, dedup_people
from studio.bank.quality import Removal
from studio.bank.removed import put_back, remove_twins
from studio.embed import disk_embedder
from studio.files import as_seen
from studio.store import PeopleFilter
from studio.store.records import Person
from studio.tui.dialogs.questions import Choose
from studio.tui.dialogs.review import Review
from studio.tui.live.work import Progress
from studio.tui.text import clip, counted, join, lines

if TYPE_CHECKING:
    from studio.tui.screens.bank.screen import BankScreen

BANK = PeopleFilter(source="bank")
SHOWN = 500
"""Pairs that are shown."""
QUESTION = "Find people who are in the bank twice, by what two of them share"
HOW = {"d": "nine tenths of their words or meaning", "s": "half of them (strict)"}
NOTHING = "nobody is in the bank twice"
UNDO = "u puts them back"


class Twins:
    """De-duplication from the bank's screen."""

    def __init__(self, screen: BankScreen) -> None:
        self._screen = screen

    def ask(self) -> None:
        self._screen.app.push_screen(Choose(QUESTION, HOW), self._look)

    def _look(self, key: str | None) -> None:
        if key is not None:
            self._screen.run(self._found(strict=key == "s"), "work")

    async def _found(self, *, strict: bool) -> None:
        """A dry run, and who would go, to be confirmed."""
        crowd = self._screen.session.workspace.examples.crowd

        def look(progress: Progress) -> tuple[list[Person], list[Removal | None], Deduplicated]:
            whole, people = crowd.count(BANK), []
            for person in crowd.each(BANK):
                people.append(person)
                if len(people) % SHOWN == 0:
                    progress(len(people), whole)
            progress(0, len(people), "comparing people")
            return people, *dedup_people(
                people, disk_embedder(), strict=strict, progress=lambda done: progress(done, len(people))
            )

        found = await self._screen.work.do("reading people", look)
        if found is None:
            return
        people, removals, told = found
        if not told.removed:
            self._screen.studio.tell(NOTHING)
            return
        who = counted(told.removed, "person", "people")
        title = f"{who} of {told.people:,} would go: each is somebody who was there before"
        review = Review(title, lambda width: twins_page(people, removals, told, width), f"remove {who} ({UNDO})")
        self._screen.app.push_screen(review, lambda sure: self._remove(people, removals) if sure else None)

    def _remove(self, people: Sequence[Person], removals: Sequence[Removal | None]) -> None:
        self._screen.run(self._removed(people, removals), "work", keys_wait=True)

    async def _removed(self, people: Sequence[Person], removals: Sequence[Removal | None]) -> None:
        workspace = self._screen.session.workspace
        write = self._screen.studio.disk.write
        gone, path = await write(remove_twins, workspace.examples, workspace.folder, people, removals)
        stay = sum(removal is not None for removal in removals) - gone
        named = f", {stay} stay: examples name them" if stay else ""
        self._screen.studio.tell(
            f"{counted(gone, 'person', 'people')} removed{named}; {UNDO}, and {as_seen(path)} has them"
        )
        self._screen.studio.wake()

    async def undo(self) -> None:
        """Put back who was removed last."""
        workspace = self._screen.session.workspace
        count = await self._screen.studio.disk.write(put_back, workspace.examples, workspace.folder)
        told = "nobody was removed here" if count is None else f"{counted(count, 'person', 'people')} put back"
        self._screen.studio.tell(told)
        self._screen.studio.wake()


def twins_page(people: Sequence[Person], removals: Sequence[Removal | None], told: Deduplicated, width: int) -> Content:
    """Who would go, and beneath each the twin who stays."""
    reasons = ", ".join(
        f"{reason} {count:,}" for reason, count in sorted(told.reasons.items(), key=lambda one: -one[1])
    )
    parts = [join(("found by ", "$quiet"), reasons), Content("")]
    gone = [(one, removal) for one, removal in zip(people, removals, strict=True) if removal is not None]
    for person, removal in gone[:SHOWN]:
        alike = f"{removal.similarity:.2f} {removal.reason}" if removal.similarity is not None else removal.reason
        parts.append(join(("goes   ", "$error bold"), _short(person, width - 7)))
        twin = people[int(removal.twin) - 1] if removal.twin else None
        stays = (
            join(("stays  ", "$success bold"), _short(twin, width - 7)) if twin else join((removal.detail, "$quiet"))
        )
        parts += [stays, join((f"       {alike}", "$quiet")), Content("")]
    if len(gone) > SHOWN:
        parts.append(join((f"and {len(gone) - SHOWN:,} more", "$quiet")))
    return lines(parts)


def _short(person: Person, width: int) -> str:
    return clip(f"{person.name or person.topic}: {person.background or person.query}", width)
