"""People from a file and into one: a file is read to its end and told of before anybody is kept."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from studio.bank import Bad, Person, Reading, export_people, import_people
from studio.bank.export import SUFFIXES
from studio.errors import UserError
from studio.files import as_seen
from studio.tui.dialogs.questions import Confirm, Form, Values
from studio.tui.dialogs.review import Review
from studio.tui.live.work import Progress
from studio.tui.screens.bank.filters import in_words
from studio.tui.text import counted, join, line, lines
from studio.tui.widgets.layout import facts

if TYPE_CHECKING:
    from studio.tui.screens.bank.screen import BankScreen

NAMED = 500
"""Bad records that are named."""
IMPORT_NOTE = (
    "JSON, JSON lines, CSV, plain text or Parquet: Synthetic Persona Bank, Persona Hub, FinePersonas, Nemotron-Personas"
    " are known by their fields. Of another file say which field holds a person's text, and others as name=THEIRS"
    " age=THEIRS. It is read to its end first, and nothing is kept before you say yes."
)
EXPORT_NOTE = (
    "Those whom the list shows. The ending decides: .json and .jsonl as the Synthetic Persona Bank has them, or with"
    " every field where all says yes; .parquet always has every field."
)
TELL_EVERY = 500


class Transfer:
    """Import and export of the bank's screen."""

    def __init__(self, screen: BankScreen) -> None:
        self._screen = screen
        self._typed: Values = {"file": "", "fields": ""}

    # --- in

    def ask_import(self) -> None:
        form = Form("Import people from a file", self._typed, _readable, IMPORT_NOTE, enter="read it")
        self._screen.app.push_screen(form, self._read)

    def _read(self, values: Values | None) -> None:
        if values is not None:
            self._typed = values
            self._screen.run(self._reviewed(_path(values["file"]), _fields(values["fields"])), "work")

    async def _reviewed(self, path: Path, fields: list[str]) -> None:
        """A dry run, and what it found, to be confirmed."""
        bad: list[Bad] = []

        def look(progress: Progress) -> Reading:
            tell = partial(progress, doing=f"reading {path.name}")
            return import_people(path, None, fields, bad=lambda one: bad.append(one), progress=lambda n: tell(n))

        try:
            reading = await self._screen.work.do(f"reading {path.name}", look)
        except UserError as error:
            remedy = error.remedy.replace("--field NAME", "NAME in fields") if error.remedy else ""
            told = UserError(error.message, where=error.where, remedy=remedy)
            page = lines([join((str(told), "$error")), Content(""), join("Nothing was kept. i asks again.")])
            self._screen.app.push_screen(Review("This file cannot be imported", page, no="close"))
            return
        if reading is None:
            return
        good = counted(reading.people, "person", "people")
        left_out = f", and leave out {counted(reading.bad, 'bad record')}" if reading.bad else ""
        yes = f"import {good}{left_out}" if reading.people else ""
        review = Review(f"Import {path.name}?", lambda width: reading_page(reading, bad, width), yes, "import nobody")
        self._screen.app.push_screen(review, lambda sure: self._import(path, fields) if sure else None)

    def _import(self, path: Path, fields: list[str]) -> None:
        self._screen.run(self._imported(path, fields), "work")

    async def _imported(self, path: Path, fields: list[str]) -> None:
        store = self._screen.session.workspace.examples

        def keep(progress: Progress) -> Reading:
            tell = partial(progress, doing=f"importing {path.name}")
            return import_people(path, store, fields, skip_bad=True, progress=lambda n: tell(n))

        reading = await self._screen.work.do(f"importing {path.name}", keep)
        if reading is not None:
            known = f", {reading.known:,} were there already" if reading.known else ""
            self._screen.studio.tell(f"{counted(reading.added, 'person', 'people')} imported{known}")
            self._screen.studio.wake()

    # --- out

    def ask_export(self) -> None:
        shown = in_words(self._screen.filter)
        title = f"Write people to a file{f' ({shown})' if shown else ''}"
        form = Form(title, {"file": "people.jsonl", "all": "no"}, _writable, EXPORT_NOTE, enter="write it")
        self._screen.app.push_screen(form, self._write)

    def _write(self, values: Values | None) -> None:
        if values is None:
            return
        path, full = _path(values["file"]), values["all"].lower().startswith("y")
        if path.exists():
            question = Confirm(f"{path.name} is there already. Replace it?", as_seen(path))
            self._screen.app.push_screen(question, lambda sure: self._start(path, full) if sure else None)
        else:
            self._start(path, full)

    def _start(self, path: Path, full: bool) -> None:
        self._screen.run(self._written(path, full), "work")

    async def _written(self, path: Path, full: bool) -> None:
        crowd, wanted = self._screen.session.workspace.examples.crowd, self._screen.filter

        def write(progress: Progress) -> int:
            whole = crowd.count(wanted)
            return export_people(_told(crowd.each(wanted), partial(progress, whole=whole)), path, full=full)

        count = await self._screen.work.do(f"writing {path.name}", write)
        if count is not None:
            self._screen.studio.tell(f"{counted(count, 'person', 'people')} in {as_seen(path)}")


def reading_page(reading: Reading, bad: list[Bad], width: int) -> Content:
    """What a file holds: how many of what, and every record that is nobody with why."""
    short = reading.people - reading.whole
    told = facts(
        [
            ("format", reading.shape),
            ("people", f"{reading.people:,}"),
            ("whole", f"{reading.whole:,}"),
            ("short", f"{short:,} lack something; s, enrich makes whole people of them" if short else ""),
            ("bad", join((f"{reading.bad:,}", "$error bold")) if reading.bad else "none"),
        ],
        width,
    )
    if not bad:
        return told
    named = facts(((one.place, line(one.why)) for one in bad[:NAMED]), width)
    more = join((f"and {len(bad) - NAMED:,} more", "$quiet")) if len(bad) > NAMED else Content("")
    return lines([told, Content(""), join(("These are nobody:", "bold")), named, more])


def _told(people: Iterator[Person], progress: Callable[[int], object]) -> Iterator[Person]:
    for number, person in enumerate(people, 1):
        yield person
        if number % TELL_EVERY == 0:
            progress(number)


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()


def _fields(text: str) -> list[str]:
    try:
        return shlex.split(text.replace(",", " "))
    except ValueError as error:
        raise UserError(f"fields: {error}", remedy="quote a name with spaces on both sides") from None


def _readable(values: Values) -> None:
    path = _path(values["file"])
    _fields(values["fields"])
    if not values["file"].strip():
        raise UserError("name the file")
    if not path.is_file():
        raise UserError("there is no such file", where=as_seen(path))


def _writable(values: Values) -> None:
    path = _path(values["file"])
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f"expected a name that ends in {', '.join(SUFFIXES)}", where=path.name)
    if path.is_dir():
        raise UserError("this is a folder", where=as_seen(path))
    if values["all"].lower() not in ("y", "yes", "n", "no", ""):
        raise UserError("all: expected yes or no")
