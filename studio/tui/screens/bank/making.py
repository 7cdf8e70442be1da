"""Making people from the bank's screen: a method, its form, its job; or the one that ended early goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Form, Values
from studio.tui.dialogs.records import Kind, Records
from studio.tui.dialogs.review import Review
from studio.tui.screens.bank.methods import METHODS, Method, again
from studio.tui.screens.bank.running import ended_early
from studio.tui.text import join

if TYPE_CHECKING:
    from pydantic import BaseModel

    from studio.tui.screens.bank.screen import BankScreen

QUESTION = "how should people come to be?"
MAKES = any(method.makes for method in METHODS)
"""Whether there is a method that leaves anything besides people."""
GOES_ON = "What was made stays. It goes on where it stopped, by the model that is set now."


class Making:
    """What ``s`` does; the methods are those of :data:`studio.tui.screens.bank.methods.METHODS`."""

    def __init__(self, screen: BankScreen) -> None:
        self._screen = screen

    def choose(self) -> None:
        """Each method with what it needs; the one that ended early first."""
        entries = [f"{one.id} {one.tells}" for one in METHODS]
        rows = [self._row(one) for one in METHODS]
        about = [self._about(one) for one in METHODS]
        goes_on = self._goes_on()
        if goes_on is not None:
            told, _ = goes_on
            entries, rows = [told, *entries], [join((told, "bold $primary")), *rows]
            about = [join(GOES_ON), *about]

        def picked(answer: int | str | None) -> None:
            if not isinstance(answer, int):
                return
            if goes_on is not None and answer == 0:
                self._screen.launch_entry(*goes_on[1])
            else:
                self._ask(METHODS[answer - (goes_on is not None)])

        self._screen.app.push_screen(Pick(QUESTION, entries, rows, about=about), picked)

    def choose_made(self) -> None:
        """A kind of what methods have left besides people, and then its list."""
        kinds = [(one.id, *one.makes) for one in METHODS if one.makes is not None]
        documents = self._screen.session.workspace.documents

        def picked(answer: int | str | None) -> None:
            if isinstance(answer, int):
                name, kind, record = kinds[answer]
                self._screen.app.push_screen(Records(name, Kind(documents, kind, record)))

        self._screen.app.push_screen(Pick("what was made?", [name for name, *_ in kinds]), picked)

    def _row(self, method: Method) -> Content:
        style = "$warning" if method.missing(self._screen.session) else "$quiet"
        return join((f"{method.id:<16}", "bold"), (f"needs {method.wants()}", style))

    def _about(self, method: Method) -> Content:
        missing = method.missing(self._screen.session)
        return join(method.tells, (f"\nIt needs a model. {missing}" if missing else "", "$warning"))

    def _ask(self, method: Method) -> None:
        session, missing = self._screen.session, method.missing(self._screen.session)
        if missing:
            page = join(method.tells, "\n\n", (f"It needs a model. {missing}", "$warning"))
            self._screen.app.push_screen(Review(f"{method.id} needs a model", page, no="close"))
            return

        def check(values: Values) -> tuple[str, BaseModel]:
            return method.job(session, values)

        def start(values: Values | None) -> None:
            if values is not None:
                self._screen.launch_entry(*check(values), method.stage)

        self._screen.app.push_screen(Form(method.id, method.fields, check, method.note, enter="start"), start)

    def _goes_on(self) -> tuple[str, tuple[str, BaseModel]] | None:
        """In words, and the job that goes on with one that ended early; None where there is none."""
        job = self._screen.job
        if job is None or not ended_early(job):
            return None
        asked = again(self._screen.session, job.view.request.entry, job.view.request.params)
        if asked is None:
            return None
        now = job.progress
        there = f", {now.done:,} of {now.wanted:,} are there" if now and now.wanted else ""
        return f"go on with {now.method if now and now.method else 'it'}{there}", asked
