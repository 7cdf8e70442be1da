"""The people who talk to the persona: a list, the one under the cursor, and the jobs that make more."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.store import Filter, PeopleCount, PeopleFilter
from studio.store.records import Person
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Confirm
from studio.tui.keys import bindings
from studio.tui.live.state import Value
from studio.tui.live.threads import detached
from studio.tui.live.work import Work
from studio.tui.screens.bank.filters import choices, in_words, recalled, remembered, told_of
from studio.tui.screens.bank.made import Made
from studio.tui.screens.bank.making import Making
from studio.tui.screens.bank.people import Finder, People, PeopleList, person_page, read_origin
from studio.tui.screens.bank.report import Report
from studio.tui.screens.bank.running import job_page
from studio.tui.screens.bank.transfer import Transfer
from studio.tui.screens.bank.twins import Twins
from studio.tui.screens.job_stage import JobStage
from studio.tui.text import counted, join
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.bank.removed import Removals
    from studio.store import Workspace

EMPTY = "Nobody yet. Press s to make people, i to import them; without a bank, generating composes some of its own."
EMPTY_FILTER = "Nobody passes this filter. Press f to change it, escape for everybody."
REMOVE = "Remove the people of the bank?"
REMOVE_NOTE = (
    "Those whom an example refers to stay. Composing again makes the same people; imported ones are imported again."
)
REPORT = "-report"
"""The class of the screen while it shows the report in place of the list."""
REST_S = 0.08
"""So long does the cursor rest on somebody before it is looked up where they come from."""


class BankScreen(JobStage):
    """Only what is on the screen is read; counts are kept as people come."""

    CSS_PATH = "bank.tcss"
    BINDINGS = [*bindings("job"), *bindings("bank")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._headline = Title()
        self._progress = Page(id="running", classes="detail")
        self._progress.can_focus = False
        self._list = PeopleList(id="people", empty=EMPTY)
        self._page = Page(id="person", classes="detail")
        self._counts: Sequence[PeopleCount] | None = None
        """None until they were read."""
        self._counting = self._count_again = False
        self._removals: Removals | None = None
        self._shown: Person | None = None
        self.filter = PeopleFilter()
        self._wanted = ""
        """The id of the person to stand on when the list is opened."""
        self._open: Workspace | None = None
        self._version = -1
        self.work = Work(self.show_title, lambda told: self.studio.tell(told), self.set_interval)
        self._finder = Finder(self, self._list)
        self._making, self._made = Making(self), Made(self)
        self._transfer, self._twins = Transfer(self), Twins(self)
        self._report = Report(self, id="report")

    def body(self) -> ComposeResult:
        yield self._headline
        yield self._progress
        with Container(id="split"):
            yield self._list
            yield self._page
        yield self._report.page

    def on_mount(self) -> None:
        self._list.focus()

    def recall(self, state: dict[str, Value]) -> None:
        self.filter = recalled(state)
        self._wanted = str(state.get("person") or "")
        self._open = None

    def remember(self) -> dict[str, Value]:
        person = self._list.current
        return {"person": person.id if person else "", **remembered(self.filter)}

    def sync(self) -> None:
        if self._open is not self.session.workspace:
            from studio.bank.removed import Removals

            self._open, self._version, self._counts = self.session.workspace, -1, None
            self._removals = Removals(self._open.folder)
            self._report.forget()
            self._open_list()
        if self._version != self.studio.version:
            self._version = self.studio.version
            self._list.renew()
            self._count()
            if self._shown is not None and not (self.job and self.job.alive):
                self.run(self._show_origin(self._shown), "origin", exclusive=True)
        self.set_class(self.job is not None, "-job")
        self._progress.show(lambda width: job_page(self.job, width), from_top=False)
        self.show_title()

    def _open_list(self) -> None:
        empty = EMPTY if self.filter == PeopleFilter() else EMPTY_FILTER
        self._list.show(People(self.session.workspace.examples.crowd, self.filter), self._wanted or None, empty)
        self._wanted = ""

    def _count(self) -> None:
        """Count by kind, apart from the reader of rows; one counting at a time, and once more where it was asked."""
        self._count_again = self._counting
        if not self._counting:
            self._counting = True
            self.run(self._counted(), "counts")

    async def _counted(self) -> None:
        await self._list.arrived()  # first what is looked at
        try:
            self._counts = await detached(self.session.workspace.examples.crowd.counts)
        finally:
            self._counting = False
        self.show_title()
        if self._count_again:
            self._count()

    def show_title(self) -> None:
        counts, told = self._counts, in_words(self.filter)
        number = "1 person" if self._list.count == 1 else f"{self._list.count:,} people"
        if counts is None:
            who = "counting"
        elif told:
            who = f"of {sum(one.n for one in counts):,}: {told}"
        else:
            who = told_of(counts)
        place = f"{self._list.cursor + 1:,} of {self._list.count:,}" if self._list.count > 1 else ""
        parts = (
            (number, "bold"),
            f"  {who}  " if who else "  ",
            (place, "$quiet"),
            (f"  {self._finder.found}", "$primary"),
        )
        self._headline.show(self.work.told if self.work.busy else join(*parts), whole=True)

    @on(VirtualList.Moved, "#people")
    def _show_person(self) -> None:
        before, self._shown = self._shown, self._list.current
        self.show_title()
        if self._shown is None:
            self._page.show(Content(""))
        elif self._shown != before:
            self._page.show(person_page(self._shown, None))
            self.run(self._show_origin(self._shown), "origin", exclusive=True)

    async def _show_origin(self, person: Person) -> None:
        await asyncio.sleep(REST_S)
        if self._removals is not None:
            origin = await detached(read_origin, self.session, self._removals, person)
            if self._shown == person:
                self._page.show(person_page(person, origin), from_top=False)

    def back(self) -> None:
        if self.work.give_up():
            return
        if self.has_class(REPORT):
            self.action_report()
        elif self.filter != PeopleFilter():
            self._show_only(PeopleFilter())

    # --- making people

    def action_start(self) -> None:
        """Choose a method; what it needs is said there."""
        self._making.choose()

    def action_use(self) -> None:
        """Choose what people are to do."""
        self._making.choose_use()

    def action_made(self) -> None:
        """List what people were used for."""
        self._made.choose()

    def action_import(self) -> None:
        self._transfer.ask_import()

    def action_export(self) -> None:
        """Of the people shown, or of what they were used for."""
        shown = "those shown here" if self.filter != PeopleFilter() else "all of them"
        self._made.choose_export(f"people: {shown}", self._transfer.ask_export)

    # --- fewer of them

    def action_dedup(self) -> None:
        if self._building():
            return
        self._twins.ask()

    def action_undo(self) -> None:
        self.run(self._twins.undo(), "work", keys_wait=True)

    def action_remove(self) -> None:
        """Forget the people of the bank, but for those whom an example names."""
        if not self._building():
            self.app.push_screen(Confirm(REMOVE, REMOVE_NOTE), self._remove)

    def _building(self) -> bool:
        alive = self.job is not None and self.job.alive
        if alive:
            self.studio.tell("the bank is being built: S stops it")
        return alive

    def _remove(self, sure: bool | None) -> None:
        if sure:
            self.run(self._removed(), "remove", keys_wait=True)

    async def _removed(self) -> None:
        count = await self.studio.disk.write(self.session.workspace.examples.remove_unused_people, "bank")
        self.studio.tell(f"{counted(count, 'person', 'people')} removed")
        self.studio.wake()

    # --- looking

    async def action_triage(self) -> None:
        """Show the examples of the person under the cursor in triage."""
        person = await self._list.arrived()
        if person is not None:
            await self.studio.look_through(Filter(person_id=person.id))

    def action_filter(self) -> None:
        """One list of all that can be asked for; what fits none of it is looked for in the text."""
        found = choices(self._counts or (), self.filter)

        def picked(answer: int | str | None) -> None:
            if isinstance(answer, str):
                self._show_only(self.filter.model_copy(update={"text": answer}))
            elif answer is not None:
                self._show_only(found[answer][1])

        self.app.push_screen(Pick("show only", [told for told, _ in found], free="with the words"), picked)

    def _show_only(self, wanted: PeopleFilter) -> None:
        person = self._list.current
        self.filter, self._wanted = wanted, person.id if person else ""
        self._finder.found = ""
        self._open_list()
        self.show_title()
        if self.has_class(REPORT):
            self._report.renew()

    def action_search(self) -> None:
        self._finder.ask()

    def action_next(self) -> None:
        self._finder.go(1)

    def action_previous(self) -> None:
        self._finder.go(-1)

    # --- the report

    def action_report(self) -> None:
        """Between the list and the report."""
        if self.has_class(REPORT):
            self.remove_class(REPORT)
            self._list.focus()
        else:
            self.show_report()

    def show_report(self) -> None:
        """In place of the list."""
        self.add_class(REPORT)
        self._report.page.focus()
        self._report.renew()

    def action_beside(self) -> None:
        """Name the file of another bank."""
        self._report.ask_beside()

    def action_picture(self) -> None:
        self._report.draw()
