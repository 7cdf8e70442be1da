"""Making people from the bank's screen, and using them: a method, its form, its job; or the one that ended early goes
on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from studio.errors import UserError
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Form, Values
from studio.tui.dialogs.review import Review
from studio.tui.screens.bank.methods import METHODS, Method, again
from studio.tui.screens.bank.running import ended_early, job_name
from studio.tui.screens.bank.uses import USES, again_for
from studio.tui.text import join

if TYPE_CHECKING:
    from pydantic import BaseModel

    from studio.tui.screens.bank.screen import BankScreen

MAKE, USE = "how should people come to be?", "what should people do?"
GOES_ON = "What was made stays. It goes on where it stopped, by the model that is set now."


class Making:
    """What ``s`` and ``x`` do, by the rows of :data:`studio.tui.screens.bank.methods.METHODS` and
    :data:`studio.tui.screens.bank.uses.USES`."""

    def __init__(self, screen: BankScreen) -> None:
        self._screen = screen

    def choose(self, methods: Sequence[Method] = METHODS, question: str = MAKE) -> None:
        """Each method with what it needs; the one that ended early first."""
        entries = [f"{one.id} {one.tells}" for one in methods]
        rows = [self._row(one) for one in methods]
        about = [self._about(one) for one in methods]
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
                self._ask(methods[answer - (goes_on is not None)])

        self._screen.app.push_screen(Pick(question, entries, rows, about=about), picked)

    def choose_use(self) -> None:
        self.choose(USES, USE)

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
            try:
                return method.job(session, values)
            except UserError as error:
                raise in_the_form(error, values) from None

        def start(values: Values | None) -> None:
            if values is not None:
                self._screen.launch_entry(*check(values), method.stage)

        self._screen.app.push_screen(Form(method.id, method.fields, check, method.note, enter="start"), start)

    def _goes_on(self) -> tuple[str, tuple[str, BaseModel, str]] | None:
        """In words, and the job that goes on with one that ended early, and its stage; None where there is none."""
        job = self._screen.job
        if job is None or not ended_early(job):
            return None
        request = job.view.request
        asked = again(self._screen.session, request.entry, request.params)
        asked = asked or again_for(self._screen.session, request.entry, request.params)
        if asked is None:
            return None
        now = job.progress
        there = f", {now.done:,} of {now.wanted:,} are there" if now and now.wanted else ""
        return f"go on with {job_name(job)}{there}", (*asked, request.stage)


def in_the_form(error: UserError, values: Values) -> UserError:
    """Options of a command as the fields of a form: ``--world FILE`` is ``world``."""

    def plain(text: str) -> str:
        return re.sub(
            r"--([a-z-]+)( [A-Z]+\b)?", lambda found: found[1] if found[1] in values else found[0], text or ""
        )

    return UserError(plain(error.message), where=plain(error.where or ""), remedy=plain(error.remedy or ""))
