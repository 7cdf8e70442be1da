"""Looking at what people were used for: a collection, its records with a page each, its report, review and export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from studio.errors import UserError
from studio.files import as_seen
from studio.generate.recipes import RecipeRun
from studio.queries import Asking
from studio.queries.ask import answers_of
from studio.queries.review import CATEGORY, Sent, send_to_triage
from studio.queries.stored import queries_of
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import CLOSE, Confirm, Dialog, Form, Values
from studio.tui.dialogs.records import Kind, RecordList, Records
from studio.tui.keys import bindings
from studio.tui.live.threads import detached
from studio.tui.screens.bank.results import Result, results
from studio.tui.screens.bank.sitting import RecipeSitting, Sitting, SittingScreen, VoteSitting
from studio.tui.screens.bank.use_exports import EXPORTS, check, form_of
from studio.tui.screens.bank.use_reports import report_of
from studio.tui.text import counted, join, shown
from studio.tui.widgets.page import Page, Shown

if TYPE_CHECKING:
    from studio.tui.screens.bank.screen import BankScreen

WHICH = "What were people used for?"
WRITE = "Write what to a file?"
MEASURING = "Measuring. It may take some seconds."


class ReportPage(Dialog[None]):
    """A report that takes a moment: what it tells comes when it is there."""

    BINDINGS = [("q", "leave")]

    def __init__(self, title: str, measure: Callable[[], Shown]) -> None:
        """``measure`` is called in a thread. What it refuses is told here, whole."""
        super().__init__()
        self._title, self._measure = title, measure

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"))
            yield Page(shown(MEASURING, "$quiet"))
            yield Static(CLOSE)

    def on_mount(self) -> None:
        self.run_worker(self._measured())

    async def _measured(self) -> None:
        page: Shown
        try:
            page = await detached(self._measure)
        except UserError as error:
            page = shown(str(error), "$error")
        self.query_one(Page).show(page)


class MadeList(Records):
    """The records of one collection, and what can be done with all of them."""

    BINDINGS = bindings("made")

    def __init__(self, made: Made, result: Result) -> None:
        documents = made.screen.session.workspace.documents
        does = {"v": "report", "r": _sits(result), "t": "to triage", "w": "export", "?": "help"}
        self._made, self._result = made, result
        hints = [(key, told) for key, told in does.items() if told and (key == "?" or self._can(key))]
        super().__init__(result.name, Kind(documents, result.kind, result.record), more=hints)

    def _can(self, key: str) -> bool:
        use = self._result.use
        able = {"v": use != "outputs", "r": bool(_sits(self._result)), "t": use == "ask", "w": use in EXPORTS}
        return able.get(key, True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._can({"report": "v", "review": "r", "triage": "t", "export": "w"}.get(action, ""))

    @property
    def _here(self) -> str:
        record = self.query_one(RecordList).current
        return record.id if record is not None else ""

    def action_report(self) -> None:
        self._made.report(self._result, self._here)

    def action_review(self) -> None:
        self._made.sit(self._result)

    def action_triage(self) -> None:
        self._made.send(self._result)

    def action_export(self) -> None:
        self._made.export(self._result, self._here)


class Made:
    """What ``o`` does, and ``w`` of what is not the people themselves."""

    def __init__(self, screen: BankScreen) -> None:
        self.screen = screen

    def choose(self) -> None:
        self.screen.run(self._chosen(), "made", keys_wait=True)

    async def _chosen(self) -> None:
        """Every collection, and then its list; of none but a report, that."""
        found = await self.screen.studio.disk.read(results, self.screen.session)

        def picked(answer: int | str | None) -> None:
            if isinstance(answer, int):
                result = found[answer]
                if result.n:
                    self.screen.app.push_screen(MadeList(self, result))
                else:
                    self.report(result, "")

        self.screen.app.push_screen(self._pick(WHICH, found), picked)

    def choose_export(self, people: str, write_people: Callable[[], None]) -> None:
        """Which of ``people``, as the list shows them, and the collections is to be written."""
        self.screen.run(self._chosen_export(people, write_people), "made", keys_wait=True)

    async def _chosen_export(self, people: str, write_people: Callable[[], None]) -> None:
        found = await self.screen.studio.disk.read(results, self.screen.session)
        found = [one for one in found if one.n and one.use in EXPORTS]

        def picked(answer: int | str | None) -> None:
            if answer == 0:
                write_people()
            elif isinstance(answer, int):
                self.export(found[answer - 1], "")

        if found:
            self.screen.app.push_screen(self._pick(WRITE, found, people), picked)
        else:
            write_people()

    def _pick(self, question: str, found: list[Result], first: str = "") -> Pick:
        names = [one.name for one in found]
        rows = [
            join(one.name, (f"  {one.n:,}" if one.n else "  of the examples that are there", "$quiet")) for one in found
        ]
        return Pick(question, [first, *names] if first else names, [join((first, "bold")), *rows] if first else rows)

    def report(self, result: Result, record: str) -> None:
        session = self.screen.session
        self.screen.app.push_screen(ReportPage(result.name, lambda: report_of(session, result, record)))

    # --- judging

    def sit(self, result: Result) -> None:
        self.screen.run(self._sat(result), "sitting", keys_wait=True)

    async def _sat(self, result: Result) -> None:
        documents = self.screen.session.workspace.documents

        def opened() -> tuple[Sitting, tuple[Shown, ...] | None]:
            about = result.about
            sitting: Sitting = (
                RecipeSitting(documents, about) if isinstance(about, RecipeRun) else VoteSitting(documents, result.seed)
            )
            return sitting, sitting.next()

        sitting, first = await self.screen.studio.disk.write(opened)
        if first is None:
            self.screen.studio.tell(f"nothing is left to look at: {sitting.result}")
        else:
            self.screen.app.push_screen(SittingScreen(self.screen, sitting, first))

    def send(self, result: Result) -> None:
        self.screen.run(self._sent(result), "work", keys_wait=True)

    async def _sent(self, result: Result) -> None:
        session, asking = self.screen.session, result.about
        assert isinstance(asking, Asking)

        def send() -> Sent:
            documents = session.workspace.documents
            queries = queries_of(documents, "people", asking.seed)
            return send_to_triage(session.loaded, session.workspace, asking, answers_of(documents, asking), queries)

        sent = await self.screen.studio.disk.write(send)
        known = f", {sent.known} were there already" if sent.known else ""
        empty = f", {sent.unusable} have an empty answer" if sent.unusable else ""
        told = f"{counted(sent.added, 'mismatch', 'mismatches')} sent to triage{known}{empty}"
        self.screen.studio.tell(f'{told}: 4, then f "{CATEGORY}"' if sent.added or sent.known else told)
        self.screen.studio.wake()

    # --- files

    def export(self, result: Result, record: str) -> None:
        """``record`` is that under the cursor; of none the newest is meant."""
        export = EXPORTS[result.use]

        def write(values: Values | None) -> None:
            if values is None:
                return
            path = check(result, values)
            if path.exists():
                question = Confirm(f"{path.name} is there already. Replace it?", as_seen(path))
                self.screen.app.push_screen(question, lambda sure: self._write(result, record, path, values, sure))
            else:
                self._write(result, record, path, values, True)

        form = Form(
            f"Write {result.name}", form_of(result), lambda typed: check(result, typed), export.note, enter="write it"
        )
        self.screen.app.push_screen(form, write)

    def _write(self, result: Result, record: str, path: Path, values: Values, sure: bool | None) -> None:
        if sure:
            self.screen.run(self._written(result, record, path, values), "made-export")

    async def _written(self, result: Result, record: str, path: Path, values: Values) -> None:
        session = self.screen.session

        def write() -> str:
            newest = record or next(reversed(session.workspace.documents.ids(result.kind)), "")
            return EXPORTS[result.use].write(session, result, newest, path, values)

        told = await detached(write)
        self.screen.studio.tell(f"{told} in {as_seen(path)}")


def _sits(result: Result) -> str:
    """What its sitting is called; empty where there is none."""
    return {"recipe": "review", "queries": "vote"}.get(result.use, "")
