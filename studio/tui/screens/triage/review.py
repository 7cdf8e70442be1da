"""The sample review: an example, its checklist on two pages, and at the end the estimated error rate of the whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from studio.errors import UserError
from studio.store import Row
from studio.triage import ALL_CHECKS, ReviewStatus, SampleReview
from studio.triage.checklist import CHECKS, MORE_CHECKS
from studio.tui.keys import bindings
from studio.tui.screens.triage.detail import conversation
from studio.tui.text import Part, join, lines, pad
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Caption, KeyLine

if TYPE_CHECKING:
    from studio.tui.screens.stage import StageScreen

PAGES = (CHECKS, MORE_CHECKS)
NAME = max(len(check.slug) for check in ALL_CHECKS)
VERDICTS = {"good": "$success", "bad": "$error", "undecided": "$warning"}


class ReviewScreen(ModalScreen[None]):
    """Shows one example after the other; where none is left, what the review came to. What is shown as kept is on the
    disk."""

    AUTO_FOCUS = ""
    CSS_PATH = "review.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS = [*bindings("review"), *bindings("page")]
    SIGNS = (("✗", "the example fails this check"),)

    def __init__(self, stage: StageScreen, sitting: SampleReview, item: Row | None, status: ReviewStatus) -> None:
        """``stage`` is the screen below, which runs what takes a moment."""
        super().__init__()
        self._stage, self._sitting = stage, sitting
        self._take(item, status, "")

    def _take(self, item: Row | None, status: ReviewStatus, state: Part) -> None:
        self._item, self._status, self._state = item, status, state
        self._failed: set[str] = set()
        self._page = 0
        self._show()

    def compose(self) -> ComposeResult:
        yield Caption(id="progress")
        with Container(id="reviewing"):
            yield Page(id="example")
            yield Page(id="checklist")
        yield KeyLine()

    def on_mount(self) -> None:
        for page in self.query(Page):
            page.can_focus = False
        self.call_after_refresh(self._show)

    def _show(self, *, from_top: bool = True) -> None:
        if not self.is_mounted:
            return
        item, status = self._item, self._status
        told = f"{status.done} of {status.wanted} reviewed, of {status.size} accepted"
        where = f"  {item.example.category}: {item.example.scenario}" if item else ""
        self.query_one("#progress", Caption).show(join((told, "bold"), "  ", self._state, (where, "$quiet")))
        example, checklist = self.query_one("#example", Page), self.query_one("#checklist", Page)
        if item is None:
            example.show(lambda width: outcome(status, width))
            checklist.show(Content(""))
        else:
            if from_top:
                example.show(conversation(item.messages))
            number, failed = self._page, frozenset(self._failed)
            checklist.show(lambda width: checks(number, failed, width))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("fail", "keep", "page", "skip"):
            return self._item is not None
        if action == "more":
            return self._item is None and self._status.rate is not None and self._status.rate.more > 0
        return True

    def action_fail(self, slug: str) -> None:
        """The example fails this check, or does not after all; its page is shown."""
        self._failed ^= {slug}
        self._page = next(number for number, page in enumerate(PAGES) if slug in {check.slug for check in page})
        self._state = ""
        self._show(from_top=False)

    def action_page(self) -> None:
        self._page = 1 - self._page
        self._show(from_top=False)

    def action_keep(self) -> None:
        """The second page is asked before anything is kept."""
        if self._page == 0:
            self.action_page()
            return
        sitting, item, failed = self._sitting, self._item, sorted(self._failed)
        if item is not None:
            self._later(lambda: sitting.answer(item, failed), ("saved", "$success"))

    def action_skip(self) -> None:
        sitting, item = self._sitting, self._item
        if item is not None:
            self._later(lambda: sitting.skip(item), ("skipped: it comes again at the end", "$quiet"))

    def action_undo(self) -> None:
        """What was pressed of this example; with nothing pressed the newest review."""
        if self._failed or self._page:
            self._failed, self._page = set(), 0
            self._show(from_top=False)
        elif self._status.done:
            self._later(self._sitting.undo, ("undone: review it again", "$warning"))
        else:
            self._state = ("nothing to undo", "$quiet")
            self._show(from_top=False)

    def action_more(self) -> None:
        sitting, rate = self._sitting, self._status.rate
        if rate is not None:
            self._later(lambda: sitting.look_at_more(rate.more), (f"{rate.more} more", "$primary"))

    def action_anew(self) -> None:
        stage = self._stage

        def drawn() -> None:
            self._sitting = SampleReview(stage.session.workspace, stage.session.loaded, anew=True)

        self._later(drawn, ("a new sample", "$primary"))

    def _later(self, act: Callable[[], object], state: Part) -> None:
        """Off the UI thread; the next key is about what it brings."""
        work: Coroutine[Any, Any, object] = self._done(act, state)
        self._stage.run(work, "review", keys_wait=True)

    async def _done(self, act: Callable[[], object], state: Part) -> None:
        def acted() -> tuple[Row | None, ReviewStatus]:
            act()
            return self._sitting.next_item(), self._sitting.status()

        try:
            item, status = await self._stage.studio.disk.write(acted)
        except UserError:
            self._state = ("not saved: press the key again", "$error bold")
            self._show(from_top=False)
            raise
        self._take(item, status, state)

    def action_leave(self) -> None:
        self.dismiss()

    def action_down(self) -> None:
        self.query_one("#example", Page).action_down()

    def action_up(self) -> None:
        self.query_one("#example", Page).action_up()

    def action_first(self) -> None:
        self.query_one("#example", Page).action_first()

    def action_last(self) -> None:
        self.query_one("#example", Page).action_last()

    def action_half_down(self) -> None:
        self.query_one("#example", Page).action_half_down()

    def action_half_up(self) -> None:
        self.query_one("#example", Page).action_half_up()


def checks(number: int, failed: Collection[str], width: int) -> Content:
    """A page of the checklist, a line a check; what fails on the other page is told."""
    other = [check.slug for check in PAGES[1 - number] if check.slug in failed]
    found = [join((f"page {number + 1} of 2", "bold $primary"), ("  a figure says that it fails", "$quiet"))]
    for check in PAGES[number]:
        fails = check.slug in failed
        name = join((f"{check.key} ", "$primary bold"), (pad(check.slug, NAME), "$error bold" if fails else ""))
        mark = ("✗ ", "$error bold") if fails else ("  ", "")
        found.append(join(name, " ", mark, (check.asks, "$error" if fails else "$quiet")))
    if other:
        found.append(join(("also fails: ", "$error"), ", ".join(other)))
    return lines(found)


def outcome(status: ReviewStatus, width: int) -> Content:
    """What the review came to: the verdict, which checks failed how often, and how far the judge agrees."""
    rate = status.rate
    style = VERDICTS[rate.verdict] if rate else ""
    parts = [join((status.text, f"{style} bold"))]
    if rate is not None and rate.more:
        parts.append(join(("m looks at them now", "$quiet")))
    if status.failed:
        asks = {check.slug: check.asks for check in ALL_CHECKS}
        told = [(slug, f"{count}  where it ought to hold: {asks[slug]}") for slug, count in status.failed.items()]
        parts += [Content(""), join(("failed", "bold $primary")), facts(told, width, name_width=NAME)]
        parts.append(join(("f, then flagged, shows these: edit or reject them", "$quiet")))
    if (found := status.agreement) is not None and found.share is not None:
        span = "" if found.low is None or found.high is None else f" ({100 * found.low:.0f} to {100 * found.high:.0f})"
        parts += [
            Content(""),
            join(("the judge", "bold $primary")),
            join(f"agrees on passing in {100 * found.share:.0f} %{span} of {found.n} replies"),
            join(("only accepted ones: it tells how far its passes can be trusted, not its rejections", "$quiet")),
        ]
    if status.changed:
        parts += [
            Content(""),
            join((f"{status.changed} examples came or went since the draw; A draws a new sample", "$warning")),
        ]
    return lines(parts)
