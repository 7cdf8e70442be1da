"""A sitting: one thing after the other is judged by a key each, such as whether a problem is valid, or which of two
queries a customer would type. Every answer is on the disk before the next one is shown."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from studio.errors import UserError
from studio.generate.recipes import RecipeMade, RecipeRun, Review
from studio.generate.recipes.review import REASONS
from studio.queries.voting import Pair, Side, Voting, realism, votes_of
from studio.store import Documents
from studio.tui.dialogs.questions import Choose
from studio.tui.keys import bindings
from studio.tui.screens.bank.use_pages import validity_told
from studio.tui.screens.stage import StageScreen
from studio.tui.text import Part, join, lines, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page, Shown
from studio.tui.widgets.status import Caption, KeyLine

WHY = "Why is it not valid?"
NO_PAIRS = "there are no two queries on the same topic, one of people and one naive"


class Sitting(Protocol):
    """What is judged. Its methods read and write the store: they are for a thread."""

    pair: bool
    question: str

    @property
    def told(self) -> str:
        """How far it is: ``3 of 50``."""

    @property
    def result(self) -> str:
        """What has been said so far."""

    def next(self) -> tuple[Shown, ...] | None:
        """The pages of the next one, one or two; None where nothing is left."""

    def answer(self, key: str, reason: str = "") -> None: ...

    def skip(self) -> None: ...

    def undo(self) -> bool: ...


class RecipeSitting:
    """Whether what a recipe made is valid: :class:`studio.generate.recipes.Review`."""

    pair = False
    question = "is it valid, and this person's?"

    def __init__(self, documents: Documents, run: RecipeRun) -> None:
        self._review = Review(documents, run)
        self._made: RecipeMade | None = None

    @property
    def told(self) -> str:
        return f"{min(self._review.done + 1, self._review.wanted)} of {self._review.wanted}"

    @property
    def result(self) -> str:
        return validity_told(self._review.validity)

    def next(self) -> tuple[Shown, ...] | None:
        made = self._made = self._review.next()
        if made is None:
            return None
        told = [(name, shown(text)) for name, text in made.page.items()]
        return (lambda width: facts(told, width),)

    def answer(self, key: str, reason: str = "") -> None:
        if self._made is not None:
            self._review.say(self._made.id, "valid" if key == "valid" else "invalid", reason=reason)

    def skip(self) -> None:
        if self._made is not None:
            self._review.skip(self._made.id)

    def undo(self) -> bool:
        return self._review.undo()


class VoteSitting:
    """Which of two queries is a customer's: :class:`studio.queries.voting.Voting`."""

    pair = True
    question = "which would a real customer type? who wrote them is not told"

    def __init__(self, documents: Documents, seed: int) -> None:
        """Raises UserError where there is nothing to compare."""
        self._documents, self._voting = documents, Voting(documents, seed=seed)
        self._pair: Pair | None = None
        if not self._voting.wanted:
            remedy = f"x makes both: queries, and queries naive, with the seed {seed}"
            raise UserError(NO_PAIRS, remedy=remedy)

    @property
    def told(self) -> str:
        return f"{min(self._voting.done + 1, self._voting.wanted)} of {self._voting.wanted}"

    @property
    def result(self) -> str:
        found = realism(votes_of(self._documents))
        return f"people's queries won {found.wins.text}; ties count half: {found.ties}"

    def next(self) -> tuple[Shown, ...] | None:
        pair = self._pair = self._voting.next_pair()
        if pair is None:
            return None
        first, second = pair.queries
        return tuple(
            lines([join((f"{number}  ", "bold $primary"), (pair.topic, "$quiet")), Content(""), shown(query.query)])
            for number, query in ((1, first), (2, second))
        )

    def answer(self, key: str, reason: str = "") -> None:
        side: dict[str, Side] = {"first": "1", "second": "2", "tie": "tie"}
        if self._pair is not None:
            self._voting.vote(self._pair, side[key])

    def skip(self) -> None:
        if self._pair is not None:
            self._voting.skip(self._pair)

    def undo(self) -> bool:
        return self._voting.undo()


class SittingScreen(ModalScreen[None]):
    """Shows one thing, or two side by side; dismissed when one leaves, or nothing is left."""

    AUTO_FOCUS = ""
    BINDINGS = [*bindings("sitting"), *bindings("page")]
    DEFAULT_CSS = """
    SittingScreen { background: $background; align: left top; }
    SittingScreen #progress { height: 1; padding: 0 1; background: $panel; text-wrap: nowrap; text-overflow: ellipsis; }
    SittingScreen #shown { height: 1fr; layout: vertical; }
    SittingScreen #shown Page { width: 1fr; height: 1fr; }
    SittingScreen #second { border-top: solid $rule; }
    SittingScreen.-single #second { display: none; }
    """

    def __init__(self, stage: StageScreen, sitting: Sitting, first: tuple[Shown, ...]) -> None:
        """``stage`` is the screen below, which runs what takes a moment."""
        super().__init__()
        self._stage, self._sitting, self._pages = stage, sitting, first
        self._state: Part = ""

    def compose(self) -> ComposeResult:
        yield Caption(id="progress")
        with Container(id="shown"):
            yield Page(id="first")
            yield Page(id="second")
        yield KeyLine()

    def on_mount(self) -> None:
        for page in self.query(Page):
            page.can_focus = False
        self.set_class(not self._sitting.pair, "-single")
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        if self.is_mounted:
            told = join((self._sitting.told, "bold"), "  ", self._state, "  " if self._state else "")
            self.query_one("#progress", Caption).show(join(told, (self._sitting.question, "$quiet")))
            for page, content in zip(self.query(Page), self._pages, strict=False):
                page.show(content)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        pair = self._sitting.pair
        fits = {"answer": bool(parameters) and (parameters[0] in ("first", "second", "tie")) == pair}
        return {**fits, "reject": not pair}.get(action, True)

    def action_answer(self, key: str) -> None:
        self._do(lambda: self._sitting.answer(key))

    def action_reject(self) -> None:
        """A second key says why."""

        def why(key: str | None) -> None:
            if key is not None:
                self._do(lambda: self._sitting.answer("invalid", REASONS[key]))

        self.app.push_screen(Choose(WHY, {key: told or "otherwise" for key, told in REASONS.items()}), why)

    def action_skip(self) -> None:
        self._do(self._sitting.skip, ("skipped", "$quiet"))

    def action_undo(self) -> None:
        self._later(self._undone())

    def action_leave(self) -> None:
        self._later(self._left())

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        """Off the UI thread; the next key is about what it brings."""
        self._stage.run(work, "sitting", keys_wait=True)

    def _do(self, step: Callable[[], object], state: Part = ("saved", "$success")) -> None:
        self._later(self._done(step, state))

    async def _done(self, step: Callable[[], object], state: Part) -> None:
        try:
            await self._stage.studio.disk.write(step)
        except UserError:
            self._state = ("not saved: press the key again", "$error bold")
            self._show()
            raise
        await self._go_on(state)

    async def _undone(self) -> None:
        undone = await self._stage.studio.disk.write(self._sitting.undo)
        await self._go_on(("the answer before is taken back" if undone else "nothing to undo", "$warning"))

    async def _go_on(self, state: Part) -> None:
        pages = await self._stage.studio.disk.write(self._sitting.next)
        if pages is None:
            await self._left()
        else:
            self._pages, self._state = pages, state
            self._show()

    async def _left(self) -> None:
        """What was said so far is told where the list is again."""
        result = await self._stage.studio.disk.read(lambda: self._sitting.result)
        self.dismiss()
        self._stage.studio.tell(result)
