"""Which examples the list shows, in which order: filter and sort are chosen here, and examples with certain words are
gone to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from studio.store import Filter
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Ask, Choose
from studio.tui.live.state import Value
from studio.tui.screens.triage.filters import ORDERS, in_words, read_choices, recalled, remembered
from studio.tui.text import clip

if TYPE_CHECKING:
    from studio.tui.screens.triage.screen import TriageScreen

EMPTY = "No examples yet. Press 3, then s to generate."
EMPTY_FILTER = "Nothing passes this filter. Press f to change it."


class Listing:
    """``filter`` is what the screen's list shows."""

    def __init__(self, screen: TriageScreen) -> None:
        self._screen = screen
        self.filter = Filter()
        self._wanted = ""
        """The example to stand on when the list is opened."""
        self._words = ""
        """Those searched for last."""

    def recall(self, state: dict[str, Value]) -> None:
        self._wanted = self._wanted or str(state.get("example") or "")
        self.filter = recalled(state)

    def remember(self) -> dict[str, Value]:
        row = self._screen.rows.current
        return {"example": row.example.id if row else "", **remembered(self.filter)}

    def want(self, wanted: Filter, example_id: str = "") -> None:
        """What the list shows once it is opened, from ``example_id`` or else from the first."""
        self.filter, self._wanted = wanted, example_id

    def open(self) -> None:
        screen, empty = self._screen, EMPTY_FILTER if self.filter.narrows else EMPTY
        screen.rows.open(screen.session.workspace.examples, self.filter, self._wanted or None, empty)
        self._wanted = ""

    def _show_only(self, wanted: Filter, *, from_first: bool = False) -> None:
        row = None if from_first else self._screen.rows.current
        self.want(wanted, row.example.id if row else "")
        self.open()
        self._screen.decisions.say("")

    def widen(self) -> None:
        """Show all; where all are shown, as they came."""
        if self.filter.narrows:
            self._show_only(Filter(sort=self.filter.sort, pivot=self.filter.pivot))
        elif self.filter.sort != "arrival":
            self._show_only(Filter())

    async def offer_filters(self) -> None:
        """One list of all that can be asked for besides; what fits none of it is looked for in the text."""
        screen, wanted = self._screen, self.filter
        found = await screen.studio.disk.read(read_choices, screen.session, wanted)

        def picked(answer: int | str | None) -> None:
            if isinstance(answer, str):
                self._show_only(wanted.model_copy(update={"text": answer}))
            elif answer is not None:
                self._show_only(found[answer][1])

        prompt = f"show only, of {in_words(wanted)}"
        screen.app.push_screen(Pick(prompt, [told for told, _ in found], free="with the words"), picked)

    def offer_orders(self) -> None:
        def chosen(key: str | None) -> None:
            if key is not None:
                pivot = self._screen.session.loaded.spec.success.accept_score
                wanted = self.filter.model_copy(update={"sort": ORDERS[key][0], "pivot": pivot})
                self._show_only(wanted, from_first=True)

        self._screen.app.push_screen(Choose("Sort", {key: told for key, (_, told) in ORDERS.items()}), chosen)

    def ask_words(self) -> None:
        def search(words: str | None) -> None:
            if words:
                self._words = words
                self.go(1)

        self._screen.app.push_screen(Ask("Go to examples with the words", self._words), search)

    def go(self, step: Literal[1, -1]) -> None:
        """To the next example with the words, in the order of the list, around its end; -1: to the one before."""
        self._screen.run(self._go(step), "go", exclusive=True, keys_wait=True)

    async def _go(self, step: Literal[1, -1]) -> None:
        screen = self._screen
        if not self._words:
            screen.studio.tell("press / and say what to find")
            return
        wanted = self.filter.model_copy(update={"text": " ".join(filter(None, (self.filter.text, self._words)))})
        row = await screen.rows.arrived()
        read, store = screen.studio.disk.read, screen.session.workspace.examples
        found = await read(store.next_from, row.seq if row else 0, wanted, step)
        if found is None:
            screen.studio.tell(f"no example shown here has {self._words}")
            return
        place, count = await read(store.index_of, found.example.id, wanted), await read(store.count, wanted)
        screen.decisions.say(f'"{clip(self._words, 20)}" {(place or 0) + 1} of {count}', "$primary")
        screen.rows.stand_on(found.example.id)
