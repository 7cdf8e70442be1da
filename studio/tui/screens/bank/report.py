"""The page of the bank's diversity: who is there, by share, and how far they lie apart; alone or beside another bank.

Kept until somebody comes or goes; ``P`` writes the same as a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from studio.bank.chart import figures
from studio.bank.diversity import Shares
from studio.errors import UserError
from studio.files import as_seen
from studio.tui.dialogs.questions import Ask
from studio.tui.screens.bank.filters import in_words
from studio.tui.screens.bank.measure import Banks, Wanted, measure, wanted_now, write_picture
from studio.tui.text import clip, join, line, lines, pad, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page

if TYPE_CHECKING:
    from studio.tui.screens.bank.screen import BankScreen

PICTURE = "diversity.svg"
TWO_COLUMNS = 110
"""Cells from which the shares stand in two columns."""
STYLES = ("$primary", "$warning")
"""Of the bank, and of the one beside it."""
MEASURING = "Measuring. The list can be looked at meanwhile: v."
GIVEN_UP = "Not measured. v goes back to the list, and again to measure."
KEYS = "b measures it beside another bank, P writes it as a picture, v goes back to the list"
BESIDE = "Beside which other bank?"
BESIDE_NOTE = (
    "A file of people in any format that i reads. Both are measured at the same number and length."
    " Empty: this one alone."
)
MEANS = {
    "distinct-1": "different words of all words",
    "distinct-2": "different pairs of words",
    "distinct-3": "different triples",
    "compression ratio": "bytes over gzipped bytes; lower is more diverse",
    "self-repetition": "runs of four words said by others too; lower is more diverse",
    "mean distance": "1 - cosine of any two people, on average",
    "nearest neighbour": "1 - cosine to the most similar other, on average",
    "Vendi score": "how many different people there are, in effect",
}


class Report:
    """The page, and what it is of."""

    def __init__(self, screen: BankScreen, id: str) -> None:
        self.page = Page(id=id)
        self._screen = screen
        self._against: Path | None = None
        self._banks: Banks = ()
        self._of: Wanted | None = None

    def forget(self) -> None:
        """Another workspace was opened."""
        self._banks, self._of = (), None

    def renew(self) -> None:
        """Show it, measured anew where somebody came or went, or something else is shown."""
        self._screen.run(self._shown(), "report", exclusive=True)

    def draw(self) -> None:
        """Write the picture, and say where."""
        self._screen.run(self._drawn(), "report", exclusive=True)

    def ask_beside(self) -> None:
        """Name the file of another bank, or none."""
        named = as_seen(self._against) if self._against else ""
        self._screen.app.push_screen(Ask(BESIDE, named, note=BESIDE_NOTE, check=_readable), self._beside)

    def _beside(self, answer: str | None) -> None:
        if answer is not None:
            self._against = _path(answer) if answer.strip() else None
            self._screen.show_report()

    async def _shown(self) -> Banks:
        screen = self._screen
        crowd, filter = screen.session.workspace.examples.crowd, screen.filter
        try:
            wanted = await screen.studio.disk.read(wanted_now, crowd, filter, self._against)
            if wanted != self._of:
                self.page.show(shown(MEASURING, "$quiet"))
                name = in_words(filter) or screen.session.loaded.spec.name
                banks = await screen.work.do("measuring", lambda tell: measure(crowd, name, wanted, tell))
                if banks is None:
                    self.page.show(shown(GIVEN_UP, "$quiet"))
                    return ()
                self._banks, self._of = banks, wanted
        except UserError as error:
            self.page.show(shown(str(error), "$error"))
            return ()
        banks = self._banks
        self.page.show(lambda width: report_page(banks, width))
        return banks

    async def _drawn(self) -> None:
        banks = await self._shown()
        if banks:
            path = self._screen.session.workspace.folder / PICTURE
            await self._screen.studio.disk.write(write_picture, banks, path)
            self._screen.studio.tell(f"the picture is {as_seen(path)}")


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()


def _readable(text: str) -> None:
    if text.strip() and not _path(text).is_file():
        raise UserError("there is no such file", where=as_seen(_path(text)))


def report_page(banks: Banks, width: int) -> Content:
    """Measures first, then the shares: in two columns where there is room."""
    parts = [_legend(banks), join((KEYS, "$quiet")), Content(""), _measures(banks, width), Content("")]
    shares = list(zip(*(found.shares for _, found in banks), strict=True))
    if width < TWO_COLUMNS:
        for of in shares:
            parts += [*_bars(of, width), Content("")]
        return lines(parts)
    room = (width - 3) // 2
    for left, right in zip(shares[::2], shares[1::2], strict=True):
        for one, other in zip_longest(_bars(left, room), _bars(right, room), fillvalue=Content("")):
            parts.append(join(one.pad_right(room - one.cell_length), "   ", other))
        parts.append(Content(""))
    return lines(parts)


def _legend(banks: Banks) -> Content:
    told = [
        join(("━━ ", STYLES[number]), (line(name).plain, "bold"), f" {found.people:,} people")
        for number, (name, found) in enumerate(banks)
    ]
    return Content("   ").join(told)


def _measures(banks: Banks, width: int) -> Content:
    first = banks[0][1].measures
    head = join(
        ("How far they lie apart", "bold $primary"),
        (f"  of {first.n} people drawn from each, cut after {first.words} words", "$quiet"),
    )
    rows = zip(*(figures(found.measures) for _, found in banks), strict=True)
    told = [
        (row[0][0], join(*((f"{figure:>8} ", "bold") for _, figure in row), (f" {MEANS.get(row[0][0], '')}", "$quiet")))
        for row in rows
    ]
    return lines([head, facts(told, width, name_width=18)])


def _bars(banks: Sequence[Shares], width: int) -> list[Content]:
    """A bar a bank for each value that one of them names."""
    found = [{share.value: share.share for share in bank.values} for bank in banks]
    values = list(dict.fromkeys(value for bank in found for value in bank))
    if banks[0].attribute == "age":
        values.sort()
    most = max((share for bank in found for share in bank.values()), default=0.0) or 1.0
    about = "; ".join(f"{bank.different:,} different, evenness {bank.evenness:.2f}" for bank in banks)
    missing = banks[0].missing
    unknown = f"; {missing:,} without" if missing else ""
    told = [join((banks[0].attribute, "bold $primary"), (f"  {clip(about + unknown, width - 12)}", "$quiet"))]
    name = min(28, width // 3)
    for value in values:
        for number, bank in enumerate(found):
            share = bank.get(value, 0.0)
            room = max(width - name - 10, 4)
            cells = max(round(room * share / most), 1) if share else 0
            full = join((("━" * cells), STYLES[number]), " " * (room - cells))
            told.append(join(pad("" if number else value, name), " ", full, f" {share:6.1%}"))
    return told
