"""Labelling a run's replies: blind, one key a trait, each answer on the disk before it is called saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from itertools import pairwise
from statistics import median_high
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.evaluate.labelling import WANTED, Choice, Item, Labelling
from studio.spec.model import Boundary, Trait
from studio.tui.dialogs.questions import Choose
from studio.tui.keys import bindings
from studio.tui.text import Part, cells, counted, join, line, lines, pad, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import TRAIT_STYLES
from studio.tui.widgets.status import Caption, KeyLine

if TYPE_CHECKING:
    from studio.tui.screens.stage import StageScreen

MORE = 20
"""Labels that are asked for beyond those wanted, where all of these are there."""
NO_BOUNDARIES = "the spec has no boundaries"
BOUNDARY_KEYS = "123456789abcdefghijklmnopqrstuvwxyz"
DEFAULT_S = 10.0
"""Seconds that a reply takes a person, until their own pace is known."""
MIN_PACE = 5
"""Answers of this sitting from which their own pace is taken."""
_ROLES = {"user": "bold", "system": "$quiet", "assistant": "bold"}


async def label_screen(stage: StageScreen, evaluation: Evaluation) -> LabelScreen | None:
    """At the first reply without a label, else at the first such pair; None where everything is labelled."""
    found = await open_sitting(stage, evaluation, pairs=False) or await open_sitting(stage, evaluation, pairs=True)
    return LabelScreen(stage, evaluation, *found) if found else None


async def open_sitting(stage: StageScreen, evaluation: Evaluation, *, pairs: bool) -> tuple[Labelling, Item] | None:
    """A sitting, and its first item; None, and told, where everything is labelled. Writes down their order.

    Raises UserError where the spec's traits are others than those of the evaluation.
    """
    workspace, spec = stage.session.workspace, stage.session.loaded.spec

    def opened() -> tuple[Labelling, Item | None]:
        sitting = Labelling(workspace, spec, evaluation, pairs=pairs)
        if sitting.done >= WANTED:
            sitting = Labelling(workspace, spec, evaluation, pairs=pairs, wanted=sitting.done + MORE)
        return sitting, sitting.next_item()

    sitting, item = await stage.studio.disk.write(opened)
    if item is None:
        stage.studio.tell(f"every {'pair' if pairs else 'reply'} of this run is labelled")
        return None
    return sitting, item


def _both(action: Callable[[Page], None]) -> Callable[[LabelScreen], None]:
    """A page's action, done to both replies."""

    def done(screen: LabelScreen) -> None:
        for page in screen.query("#replies Page").results(Page):
            action(page)

    return done


class LabelScreen(ModalScreen[None]):
    """Shows one reply, or a pair; dismissed when one leaves, or nothing is left to label."""

    AUTO_FOCUS = ""
    CSS_PATH = "label.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS = [*bindings("label"), *bindings("page")]
    SIGNS = (("? ·", "to be scored now, and later"),)

    def __init__(self, stage: StageScreen, evaluation: Evaluation, sitting: Labelling, item: Item) -> None:
        """``stage`` is the screen below, which runs what takes a moment."""
        super().__init__()
        self._stage, self._evaluation = stage, evaluation
        self._begin(sitting, item)

    def _begin(self, sitting: Labelling, item: Item) -> None:
        self._sitting, self._answered_at = sitting, [time.monotonic()]
        self._take(item, "")

    def _take(self, item: Item, state: Part) -> None:
        self._item, self._state = item, state
        self._marks: list[int] = []
        self._boundary: Boundary | None = None
        self._show()

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
        self.call_after_refresh(self._show)

    @property
    def pairs(self) -> bool:
        return self._sitting.pairs

    def _show(self) -> None:
        if not self.is_mounted:
            return
        sitting, replies = self._sitting, self._item.replies
        self.set_class(self.pairs, "-pairs")
        told = progress_told(sitting.done, sitting.wanted, self.pairs, pace(self._answered_at))
        which = "which is better? sides are not told" if self.pairs else "blind: base or tuned is not told"
        title = join((told, "bold"), "  ", self._state, (f"  {which}" if self._state else which, "$quiet"))
        self.query_one("#progress", Caption).show(title)
        asked, left, right, traits = (self.query_one(f"#{name}", Page) for name in ("asked", "left", "right", "rubric"))
        said = lines(join((f"{one.role}  ", _ROLES[one.role]), shown(one.content)) for one in self._item.messages)
        if self.pairs:
            asked.show(said)
            left.show(reply_content(replies[0], "left"))
            right.show(reply_content(replies[1], "right"))
        else:
            left.show(lines([said, Content(""), reply_content(replies[0], "reply")]))
        whole, marks, boundary = self.has_class("-wide"), tuple(self._marks), self._boundary
        traits.show(lambda width: rubric(sitting.traits, marks, boundary, width, whole), from_top=False)
        self.refresh_bindings()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return {"score": not self.pairs, "boundary": not self.pairs, "prefer": self.pairs}.get(action, True)

    def action_score(self, mark: int) -> None:
        sitting, id_, names = self._sitting, self._item.id, [trait.name for trait in self._sitting.traits]
        if len(self._marks) == len(names):
            self._marks.pop()  # it could not be saved: once more
        self._marks.append(mark)
        self._state = ""
        if len(self._marks) == len(names):
            labels = dict(zip(names, self._marks, strict=True))
            boundary = self._boundary.id if self._boundary else None
            self._save(lambda: sitting.answer(id_, labels, boundary))
        self._show()

    def action_prefer(self, choice: Choice) -> None:
        sitting, id_ = self._sitting, self._item.id
        self._save(lambda: sitting.prefer(id_, choice))
        self._show()

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        """Off the UI thread; the next key is about what it brings."""
        self._stage.run(work, "label", keys_wait=True)

    def _save(self, answer: Callable[[], None]) -> None:
        self._state = ("saving", "$warning")
        self._later(self._saved(answer))

    async def _saved(self, answer: Callable[[], None]) -> None:
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
        item = await self._stage.studio.disk.write(self._sitting.next_item)
        if item is None:
            self.dismiss()
        else:
            self._take(item, state)

    def action_boundary(self) -> None:
        boundaries = dict(zip(BOUNDARY_KEYS, self._sitting.boundaries, strict=False))
        if not boundaries:
            self._state = (NO_BOUNDARIES, "$warning")
            self._show()
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                self._boundary = boundaries.get(key)
                self._show()

        choices = {key: f"{one.id}: {one.never}" for key, one in boundaries.items()}
        self.app.push_screen(Choose("Which boundary does the reply violate?", {**choices, "0": "none of them"}), chosen)

    def action_skip(self) -> None:
        self._later(self._skipped())

    async def _skipped(self) -> None:
        await self._stage.studio.disk.write(self._sitting.skip, self._item.id)
        await self._go_on(("skipped: it comes again at the end", "$quiet"))

    def action_undo(self) -> None:
        """The last mark; with none given yet the newest answer."""
        if not self._marks and not self._boundary:
            self._later(self._undone())
            return
        if self._marks:
            self._marks.pop()
        else:
            self._boundary = None
        self._state = ""
        self._show()

    async def _undone(self) -> None:
        done = await self._stage.studio.disk.write(self._sitting.undo)
        await self._go_on(("undone: label it again", "$warning") if done else ("nothing to undo", "$quiet"))

    def action_pairs(self) -> None:
        """Between pairs of replies and single ones; what is labelled is kept."""
        self._later(self._change(pairs=not self.pairs))

    async def _change(self, *, pairs: bool) -> None:
        found = await open_sitting(self._stage, self._evaluation, pairs=pairs)
        if found is not None:
            self._begin(*found)

    def action_leave(self) -> None:
        self.dismiss()

    action_down, action_up = _both(Page.action_down), _both(Page.action_up)
    action_first, action_last = _both(Page.action_first), _both(Page.action_last)
    action_half_down, action_half_up = _both(Page.action_half_down), _both(Page.action_half_up)


def reply_content(reply: str, name: str) -> Content:
    """A reply as plain text, whatever is in it."""
    told = shown(reply) if reply.strip() else shown("(an empty reply)", "$quiet")
    return join((name, "bold $primary"), "\n", told)


def rubric(
    traits: Sequence[Trait], marks: Sequence[int], boundary: Boundary | None, width: int, whole: bool
) -> Content:
    """A line a trait with its mark; below the one to be scored, or below each, what 2, 1 and 0 look like."""
    names = min(max((cells(one.name) for one in traits), default=0), max(width - 8, 4))
    found: list[Content] = []
    for place, trait in enumerate(traits):
        here = place == len(marks)
        mark = ("?" if here else "·", "$quiet")
        if place < len(marks):
            mark = (f"{marks[place]}", f"{TRAIT_STYLES[marks[place]]} bold")
        found.append(
            join((f"{'>' if here else ' '} {pad(trait.name, names)}", "bold $primary" if here else ""), "  ", mark)
        )
        if here or whole:
            told = facts(anchors(trait), width - 4, name_width=1)
            found += [join("    ", one) for one in told.split("\n")]
    if boundary is not None:
        found.append(join(("  violates ", "$error bold"), f"{boundary.id}: {boundary.never}"))
    return lines(found)


def anchors(trait: Trait) -> list[tuple[str, str | Content]]:
    """What a 2, a 1 and a 0 look like; of a trait without anchors what it is, and is not."""
    if trait.anchors:
        return [(str(mark), line(text)) for mark, text in sorted(trait.anchors.items(), reverse=True)]
    return [("2", line(trait.is_)), ("0", line(trait.is_not) if trait.is_not else line("not so"))]


def progress_told(done: int, wanted: int, pairs: bool, pace_s: float) -> str:
    """``12 of 60, about 8 minutes left``."""
    minutes = max(round(max(wanted - done, 0) * pace_s / 60), 1)
    return f"{done} of {wanted}{' pairs' if pairs else ''}, about {counted(minutes, 'minute')} left"


def pace(answered_at: Sequence[float]) -> float:
    """Seconds a reply takes, by the moments of this sitting's answers: their median, so that a break counts for one."""
    gaps = [later - before for before, later in pairwise(answered_at)]
    return median_high(gaps) if len(gaps) >= MIN_PACE else DEFAULT_S
