"""Labelling a run's replies: blind, one key a trait, each answer on the disk before it is called saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.evaluate.labelling import WANTED, Choice, Item, Labelling
from studio.spec import Spec
from studio.spec.model import Boundary
from studio.store import Workspace
from studio.tui.dialogs.questions import Choose
from studio.tui.keys import bindings
from studio.tui.screens import label_parts as parts
from studio.tui.text import Part, join, lines
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Caption, KeyLine

if TYPE_CHECKING:
    from studio.tui.screens.stage import StageScreen

MORE = 20
"""Labels that are asked for beyond those wanted, where all of these are there."""
NO_BOUNDARIES = "the spec has no boundaries"


def open_sitting(
    workspace: Workspace, spec: Spec, evaluation: Evaluation, pairs: bool
) -> tuple[Labelling, Item | None]:
    """A sitting, and its first item; None where every reply has its label. Writes the order of the replies down.

    Raises UserError where the spec's traits are others than those of the evaluation.
    """
    sitting = Labelling(workspace, spec, evaluation, pairs=pairs)
    if sitting.done >= WANTED:
        sitting = Labelling(workspace, spec, evaluation, pairs=pairs, wanted=sitting.done + MORE)
    return sitting, sitting.next_item()


class LabelScreen(ModalScreen[None]):
    """Shows one reply, or a pair; dismissed when one leaves, or nothing is left to label."""

    AUTO_FOCUS = ""
    CSS_PATH = "label.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS = [*bindings("label"), *bindings("page")]
    SIGNS = (("? ·", "to be scored now, and later"),)

    def __init__(self, stage: StageScreen, evaluation: Evaluation) -> None:
        """``stage`` is the screen below, which runs what takes a moment."""
        super().__init__()
        self._stage, self._evaluation = stage, evaluation
        self._spec = stage.session.loaded.spec
        self._sitting: Labelling | None = None
        self._item: Item | None = None
        self._marks: list[int] = []
        self._boundary: Boundary | None = None
        self._state: Part = ""
        self._answered_at: list[float] = []

    def compose(self) -> ComposeResult:
        yield Caption(id="progress")
        with Container(id="labelling"):
            with Container(id="conversation"):
                yield Page(id="asked")
                with Container(id="replies"):
                    yield Page(id="left")
                    yield Page(id="right")
            yield Page(id="rubric")
        yield KeyLine()

    def on_mount(self) -> None:
        for page in self.query(Page):
            page.can_focus = False
        self._begin(pairs=False)

    @property
    def pairs(self) -> bool:
        return self._sitting is not None and self._sitting.pairs

    def _begin(self, *, pairs: bool) -> None:
        session = self._stage.session
        self._later(self._opened(open_sitting, session.workspace, self._spec, self._evaluation, pairs))

    async def _opened(self, open_: Callable[..., tuple[Labelling, Item | None]], *arguments: Any) -> None:
        try:
            sitting, item = await self._stage.studio.disk.write(open_, *arguments)
        except UserError:
            self.dismiss()
            raise
        if item is None:
            what = "pair" if sitting.pairs else "reply"
            self._stage.studio.tell(f"every {what} of this run is labelled")
            if self._sitting is None and not sitting.pairs:
                self._begin(pairs=True)
            elif self._sitting is None:
                self.dismiss()
            return
        self._sitting, self._answered_at = sitting, [time.monotonic()]
        self._take(item, "")

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        """Off the UI thread; the next key is about what it brings."""
        self._stage.run(work, "label", keys_wait=True)

    def _take(self, item: Item, state: Part) -> None:
        self._item, self._marks, self._boundary, self._state = item, [], None, state
        self._show(anew=True)

    def _show(self, *, anew: bool = False) -> None:
        sitting, item = self._sitting, self._item
        if sitting is None or item is None or not self.is_mounted:
            return
        self.set_class(sitting.pairs, "-pairs")
        pace = parts.pace(self._answered_at)
        told = parts.progress_told(sitting.done, sitting.wanted, sitting.pairs, pace)
        which = "which is better? sides are not told" if sitting.pairs else "blind: base or tuned is not told"
        title = join((told, "bold"), "  ", self._state, (f"  {which}" if self._state else which, "$quiet"))
        self.query_one("#progress", Caption).show(title)
        if anew:
            self._show_item(sitting, item)
        whole, marks, boundary = self.has_class("-wide"), tuple(self._marks), self._boundary
        rubric = self.query_one("#rubric", Page)
        rubric.show(lambda width: parts.rubric(sitting.traits, marks, boundary, width, whole), from_top=False)
        self.refresh_bindings()

    def _show_item(self, sitting: Labelling, item: Item) -> None:
        asked, left, right = (self.query_one(f"#{name}", Page) for name in ("asked", "left", "right"))
        said = parts.asked_content(item.messages)
        if sitting.pairs:
            asked.show(said)
            left.show(parts.reply_content(item.replies[0], "left"))
            right.show(parts.reply_content(item.replies[1], "right"))
        else:
            left.show(lines([said, Content(""), parts.reply_content(item.replies[0], "reply")]))

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return {"score": not self.pairs, "boundary": not self.pairs, "prefer": self.pairs}.get(action, True)

    def action_score(self, mark: int) -> None:
        if self._sitting is None or self._item is None:
            return
        if len(self._marks) == len(self._sitting.traits):
            self._marks.pop()  # it could not be saved: once more
        self._marks.append(mark)
        self._state = ""
        if len(self._marks) == len(self._sitting.traits):
            sitting, id_ = self._sitting, self._item.id
            names = [trait.name for trait in sitting.traits]
            labels = dict(zip(names, self._marks, strict=True))
            boundary = self._boundary.id if self._boundary else None
            self._save(lambda: sitting.answer(id_, labels, boundary))
        self._show()

    def action_prefer(self, choice: Choice) -> None:
        if self._sitting is not None and self._item is not None:
            sitting, id_ = self._sitting, self._item.id
            self._save(lambda: sitting.prefer(id_, choice))
            self._show()

    def _save(self, answer: Callable[[], None]) -> None:
        self._state = ("saving", "$warning")
        self._later(self._saved(answer))

    async def _saved(self, answer: Callable[[], None]) -> None:
        assert self._sitting is not None
        try:
            await self._stage.studio.disk.write(answer)
        except UserError:
            self._state = ("not saved: press the key again", "$error bold")
            self._show()
            raise
        self._answered_at.append(time.monotonic())
        await self._go_on(("saved", "$success"))

    async def _go_on(self, state: Part) -> None:
        """To the next item; leave where there is none."""
        assert self._sitting is not None
        item = await self._stage.studio.disk.write(self._sitting.next_item)
        if item is None:
            self.dismiss()
        else:
            self._take(item, state)

    def action_boundary(self) -> None:
        boundaries = self._spec.boundaries
        if not boundaries:
            self._state = (NO_BOUNDARIES, "$warning")
            self._show()
            return
        choices = parts.boundary_choices(self._spec)

        def chosen(key: str | None) -> None:
            if key is not None:
                place = list(choices).index(key)
                self._boundary = boundaries[place] if place < len(boundaries) and key != "0" else None
                self._show()

        self.app.push_screen(Choose("Which boundary does the reply violate?", choices), chosen)

    def action_skip(self) -> None:
        if self._sitting is not None and self._item is not None:
            self._later(self._skipped(self._sitting, self._item.id))

    async def _skipped(self, sitting: Labelling, id_: str) -> None:
        await self._stage.studio.disk.write(sitting.skip, id_)
        await self._go_on(("skipped: it comes again at the end", "$quiet"))

    def action_undo(self) -> None:
        """The last mark; with none given yet the newest answer."""
        if self._marks or self._boundary:
            if self._marks:
                self._marks.pop()
            else:
                self._boundary = None
            self._state = ""
            self._show()
        elif self._sitting is not None:
            self._later(self._undone(self._sitting))

    async def _undone(self, sitting: Labelling) -> None:
        done = await self._stage.studio.disk.write(sitting.undo)
        await self._go_on(("undone: label it again", "$warning") if done else ("nothing to undo", "$quiet"))

    def action_pairs(self) -> None:
        """Between pairs of replies and single ones; what is labelled is kept."""
        self._begin(pairs=not self.pairs)

    def action_leave(self) -> None:
        self.dismiss()

    def _replies(self) -> list[Page]:
        return [self.query_one("#left", Page), self.query_one("#right", Page)]

    def action_down(self) -> None:
        for page in self._replies():
            page.action_down()

    def action_up(self) -> None:
        for page in self._replies():
            page.action_up()

    def action_first(self) -> None:
        for page in self._replies():
            page.action_first()

    def action_last(self) -> None:
        for page in self._replies():
            page.action_last()

    def action_half_down(self) -> None:
        for page in self._replies():
            page.action_half_down()

    def action_half_up(self) -> None:
        for page in self._replies():
            page.action_half_up()
