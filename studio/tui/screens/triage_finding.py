"""Which examples are shown, and going to those that hold a word."""

from __future__ import annotations

from typing import cast

from textual import work

from studio.store import Filter
from studio.store.records import Status
from studio.triage import sample_ids
from studio.tui.memory import Value
from studio.tui.screens.stage import StageScreen
from studio.tui.widgets.dialogs import Ask, Choose
from studio.tui.widgets.pick import Pick
from studio.tui.widgets.row_list import RowList

STATUSES: dict[str, Status] = {"y": "accepted", "n": "rejected", "p": "pending"}
CHOICES = {
    "a": "all",
    "y": "accepted",
    "n": "rejected",
    "p": "pending",
    "c": "one category",
    "d": "rejected for one reason",
    "t": "with certain words",
}
SEARCH_LIMIT = 10_000


class Finding(StageScreen):
    """Keeps the filter; the screen shows what passes it when ``filter_changed`` is called."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.filter = Filter()
        self._sample = False
        self._words = ""

    @property
    def rows(self) -> RowList:
        raise NotImplementedError

    def filter_changed(self) -> None:
        raise NotImplementedError

    def show_all(self) -> None:
        self.filter, self._sample = Filter(), False

    @property
    def filter_told(self) -> str:
        """The filter in words."""
        one = self.filter
        parts = ["sample" if self._sample else "", one.status or "", one.category or "", one.reason or ""]
        told = " ".join(part for part in (*parts, f'"{one.text}"' if one.text else "") if part)
        return told or "all"

    def recall_filter(self, state: dict[str, Value]) -> None:
        status = state.get("status")
        self.filter = Filter(
            status=cast(Status, status) if status in STATUSES.values() else None,
            category=str(state["category"]) if state.get("category") else None,
            reason=str(state["reason"]) if state.get("reason") else None,
            text=str(state["text"]) if state.get("text") else None,
        )
        if state.get("sample"):
            self.run(self._show_sample())

    def remember_filter(self) -> dict[str, Value]:
        one = self.filter
        return {
            "status": one.status,
            "category": one.category,
            "reason": one.reason,
            "text": one.text,
            "sample": self._sample,
        }

    @work
    async def action_filter(self) -> None:
        choice = await self.app.push_screen_wait(Choose("Show", CHOICES))
        if choice is None:
            return
        chosen = await self._chosen_filter(choice)
        if chosen is not None:
            self.filter, self._sample = chosen, False
            self.filter_changed()

    async def _chosen_filter(self, choice: str) -> Filter | None:
        if choice in STATUSES:
            return Filter(status=STATUSES[choice])
        if choice == "c":
            names = list(self.session.loaded.spec.scenarios)
            index = await self.app.push_screen_wait(Pick("which category", names))
            return None if index is None else Filter(category=names[index])
        if choice == "d":
            counts = await self.studio.disk.read(self.session.workspace.examples.reasons)
            reasons = sorted(counts, key=lambda reason: -counts[reason])
            index = await self.app.push_screen_wait(Pick("which reason", [f"{one}  {counts[one]}" for one in reasons]))
            return None if index is None else Filter(reason=reasons[index])
        if choice == "t":
            words = await self.app.push_screen_wait(Ask("With the words", self.filter.text or ""))
            return Filter(text=words) if words else None
        return Filter()

    def action_sample(self) -> None:
        """Between the random sample that a person ought to look at, and everything."""
        if self._sample:
            self.show_all()
            self.filter_changed()
        else:
            self.run(self._show_sample())

    async def _show_sample(self) -> None:
        ids = await self.studio.disk.write(sample_ids, self.session.workspace)
        self.filter, self._sample = Filter(ids=ids), True
        self.filter_changed()

    @work
    async def action_search(self) -> None:
        words = await self.app.push_screen_wait(Ask("Go to examples with the words", self._words))
        if words:
            self._words = words
            await self._go(1)

    def action_next(self) -> None:
        self.run(self._go(1), "go", exclusive=True)

    def action_previous(self) -> None:
        self.run(self._go(-1), "go", exclusive=True)

    async def _go(self, step: int) -> None:
        """To the next example with the words, in the order of the list, around its end."""
        if not self._words:
            self.studio.tell("press / and say what to find")
            return
        wanted = self.filter.model_copy(update={"text": self._words})
        found = await self.studio.disk.read(self.session.workspace.examples.rows, wanted, 0, SEARCH_LIMIT)
        if not found:
            self.studio.tell(f"no example shown here has {self._words}")
            return
        row = self.rows.current
        here = row.seq if row else 0
        ordered = found if step > 0 else found[::-1]
        ahead = (one for one in ordered if (one.seq - here) * step > 0)
        self.rows.stand_on(next(ahead, ordered[0]).example.id)
