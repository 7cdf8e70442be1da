"""Which examples are shown, and going to those that hold a word."""

from __future__ import annotations

from typing import Literal, cast

from studio.store import Filter
from studio.store.records import Status
from studio.triage import sample_ids
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Ask
from studio.tui.live.state import Value
from studio.tui.screens.stage import StageScreen
from studio.tui.screens.triage_counts import Counts
from studio.tui.text import clip
from studio.tui.widgets.row_list import RowList

STATUSES = ("accepted", "rejected", "pending")


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

    @property
    def counts(self) -> Counts | None:
        raise NotImplementedError

    def filter_changed(self) -> None:
        raise NotImplementedError

    def say(self, told: str, style: str) -> None:
        """Show what was just done."""
        raise NotImplementedError

    def show_all(self) -> None:
        self.filter, self._sample = Filter(), False

    @property
    def filter_told(self) -> str:
        """The filter in words."""
        one = self.filter
        parts = ["sample" if self._sample else "", one.status or "", one.category or "", clip(one.reason or "", 24)]
        told = " ".join(part for part in (*parts, f'"{one.text}"' if one.text else "") if part)
        return told or "all"

    def recall_filter(self, state: dict[str, Value]) -> None:
        status = state.get("status")
        self.filter = Filter(
            status=cast(Status, status) if status in STATUSES else None,
            category=str(state["category"]) if state.get("category") else None,
            reason=str(state["reason"]) if state.get("reason") else None,
            text=str(state["text"]) if state.get("text") else None,
        )
        if state.get("sample"):
            self.run(self._show_sample(), keys_wait=True)

    def remember_filter(self) -> dict[str, Value]:
        one = self.filter
        return {
            "status": one.status,
            "category": one.category,
            "reason": one.reason,
            "text": one.text,
            "sample": self._sample,
        }

    def action_filter(self) -> None:
        """One list of all that can be asked for; what fits none of it is looked for in the text."""
        choices = self._choices()
        entries = [told for told, _ in choices]

        def picked(answer: int | str | None) -> None:
            if answer is not None:
                self.filter = Filter(text=answer) if isinstance(answer, str) else choices[answer][1]
                self._sample = False
                self.filter_changed()

        self.app.push_screen(Pick("show only", entries, free="with the words"), picked)

    def _choices(self) -> list[tuple[str, Filter]]:
        now = self.counts or Counts()
        statuses: dict[Status, int] = {"accepted": now.accepted, "rejected": now.rejected, "pending": now.pending}
        return [
            ("all", Filter()),
            *((f"{status} ({count})", Filter(status=status)) for status, count in statuses.items()),
            *((f"category {name} ({count})", Filter(category=name)) for name, count in now.categories),
            *((f"rejected for {reason} ({count})", Filter(reason=reason)) for reason, count in now.reasons),
        ]

    def action_sample(self) -> None:
        """Between the random sample that a person ought to look at, and everything."""
        if self._sample:
            self.show_all()
            self.filter_changed()
        else:
            self.run(self._show_sample(), keys_wait=True)

    async def _show_sample(self) -> None:
        ids = await self.studio.disk.write(sample_ids, self.session.workspace)
        self.filter, self._sample = Filter(ids=ids), True
        self.filter_changed()

    def action_search(self) -> None:
        self.app.push_screen(Ask("Go to examples with the words", self._words), self._search)

    def _search(self, words: str | None) -> None:
        if words:
            self._words = words
            self.action_next()

    def action_next(self) -> None:
        self.run(self._go(1), "go", exclusive=True, keys_wait=True)

    def action_previous(self) -> None:
        self.run(self._go(-1), "go", exclusive=True, keys_wait=True)

    async def _go(self, step: Literal[1, -1]) -> None:
        """To the next example with the words, in the order of the list, around its end."""
        if not self._words:
            self.studio.tell("press / and say what to find")
            return
        text = " ".join(filter(None, (self.filter.text, self._words)))
        wanted = self.filter.model_copy(update={"text": text})
        row = await self.rows.arrived()
        store, here = self.session.workspace.examples, row.seq if row else 0
        found = await self.studio.disk.read(store.next_from, here, wanted, step)
        if found is None:
            self.studio.tell(f"no example shown here has {self._words}")
            return
        place = await self.studio.disk.read(store.index_of, found.example.id, wanted)
        count = await self.studio.disk.read(store.count, wanted)
        self.say(f'"{clip(self._words, 20)}" {(place or 0) + 1} of {count}', "$primary")
        self.rows.stand_on(found.example.id)
