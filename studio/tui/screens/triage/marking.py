"""Marking many examples at once: a range of rows, all that the filter shows, or those like one example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.store import Workspace
from studio.store.records import Row
from studio.triage.similar import LEAST, SimilarExamples
from studio.tui.live.threads import detached
from studio.tui.screens.triage.alike import Alike

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studio.tui.screens.triage.screen import TriageScreen


class Marking:
    """Marks in the screen's list."""

    def __init__(self, screen: TriageScreen) -> None:
        self._screen = screen
        self._similar: tuple[Workspace, SimilarExamples] | None = None

    def mark(self) -> None:
        """The example under the cursor."""
        self._screen.rows.mark()
        self._screen.show_title()

    def range(self) -> None:
        """Begin a range of rows at the cursor; again, and all between are marked."""
        rows = self._screen.rows
        if rows.range_from is None:
            rows.begin_range()
            self._screen.show_title()
        else:
            places = rows.end_range()
            self._mark_stretch(places.start, len(places))

    def all(self) -> None:
        """All that the filter shows."""
        self._mark_stretch(0, None)

    def _mark_stretch(self, offset: int, limit: int | None) -> None:
        self._screen.run(self._read_stretch(offset, limit), "mark", keys_wait=True)

    async def _read_stretch(self, offset: int, limit: int | None) -> None:
        screen = self._screen
        read, store = screen.studio.disk.read, screen.session.workspace.examples
        self._mark(await read(store.list_ids, screen.listing.filter, offset, limit))

    def _mark(self, ids: Iterable[str]) -> None:
        self._screen.rows.mark_all(ids)
        self._screen.show_title()

    async def offer_alike(self, row: Row) -> None:
        """Examples like ``row``'s, to be marked down to a bound."""
        screen, workspace = self._screen, self._screen.session.workspace
        if self._similar is None or self._similar[0] is not workspace:
            self._similar = workspace, SimilarExamples(workspace.examples)
        similar = self._similar[1]

        def told(done: int, total: int) -> None:
            screen.app.call_from_thread(screen.decisions.say, f"reading {done} of {total}", "$warning")

        screen.decisions.say("looking for examples like this one", "$warning")
        try:
            found = await detached(lambda: similar.like(row.example.id, told=told))
        finally:
            screen.decisions.say("")
        if not found:
            screen.studio.tell(f"no other example is like it, by a similarity of {LEAST} at least")
            return
        rows = await screen.studio.disk.read(workspace.examples.rows_of, [one.example_id for one in found])

        def mark(ids: list[str] | None) -> None:
            if ids is not None:
                self._mark(ids)

        screen.app.push_screen(Alike(row, found, rows), mark)
