"""The persona: its parts to read, the prompts made from it, and its file to edit in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import ContentSwitcher

from studio.errors import UserError
from studio.tui.keys import BY_ID, bindings
from studio.tui.live.terminal import edit_file
from studio.tui.screens.stage import Beside
from studio.tui.text import lines, shown
from studio.tui.widgets.page import Page, Shown
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.spec import Problem
    from studio.tui.live.state import Value
    from studio.tui.screens.spec_editor import SpecEditor

NAMES = (
    "overview",
    "traits",
    "vocabulary",
    "patterns",
    "boundaries",
    "rules",
    "examples",
    "scenarios",
    "gates",
    "persona prompt",
    "author prompt",
    "judge prompt",
)
"""As in :mod:`studio.tui.screens.spec_parts`, which is imported after the first paint."""
FIRST_PROMPT = NAMES.index("persona prompt")


class SpecScreen(Beside):
    """A list of parts beside the page of the one under the cursor; ``e`` puts the editor in their place."""

    CSS_PATH = "spec.tcss"
    NEEDS_SESSION: ClassVar[bool] = False
    BINDINGS = bindings("spec")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._editor: SpecEditor | None = None
        """Made when it is first asked for."""

    def body(self) -> ComposeResult:
        with ContentSwitcher(initial="reading"), Horizontal(id="reading"):
            yield VirtualList(self._draw, id="parts")
            yield Page(id="part", classes="beside")

    def on_mount(self) -> None:
        self.query_one("#parts", VirtualList).set_count(len(NAMES))
        self.query_one("#parts").focus()

    def sync(self) -> None:
        self._show_part()

    def recall(self, state: dict[str, Value]) -> None:
        part = state.get("part")
        if part in NAMES:
            self.query_one("#parts", VirtualList).move_to(NAMES.index(str(part)))

    def remember(self) -> dict[str, Value]:
        return {"part": NAMES[self.query_one("#parts", VirtualList).cursor]}

    @property
    def unsaved(self) -> str:
        return "the spec" if self._editor is not None and self._editor.changed else ""

    def _draw(self, index: int, width: int) -> Content:
        return shown(NAMES[index], "" if index < FIRST_PROMPT else "$primary")

    @on(VirtualList.Moved, "#parts")
    def _show_part(self) -> None:
        index = self.query_one("#parts", VirtualList).cursor
        self.query_one("#part", Page).show(self._page(index))

    def _page(self, index: int) -> Shown:
        loaded, problem = self.studio.loaded, self.studio.spec_problem
        if problem is not None:
            return problems_page(problem)
        if loaded is None:
            return Content("")
        from studio.tui.screens.spec_parts import PARTS

        return PARTS[NAMES[index]](loaded)

    def action_view(self) -> None:
        """From the parts to the prompts, and back."""
        parts = self.query_one("#parts", VirtualList)
        parts.move_to(FIRST_PROMPT if parts.cursor < FIRST_PROMPT else 0)

    def action_edit(self) -> None:
        self.run(self._edit(), "edit", exclusive=True, keys_wait=True)

    async def _edit(self) -> None:
        from studio.tui.screens.spec_editor import SpecEditor

        if self._editor is None:
            self._editor = SpecEditor(id="editing")
            await self.query_one(ContentSwitcher).add_content(self._editor)
        draft = await self._editor.open(self.studio.spec_path)
        self._show("editing")
        self._editor.area.focus()
        if draft is not None:
            await self._editor.offer(draft)

    def action_editor(self) -> None:
        if edit_file(self.studio, self.studio.spec_path):
            self.action_reload()

    def action_reload(self) -> None:
        self.run(self.studio.reopen(), "reopen", exclusive=True)

    def on_spec_editor_saved(self) -> None:
        self.action_reload()

    def on_spec_editor_left(self) -> None:
        self._show("reading")
        self.query_one("#parts").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the editor is open, its keys are the only ones."""
        reading = not self.is_mounted or self.query_one(ContentSwitcher).current == "reading"
        return reading or f"spec.{action}" not in BY_ID

    def _show(self, which: str) -> None:
        self.query_one(ContentSwitcher).current = which
        self.refresh_bindings()


def problems_page(problem: UserError) -> Content:
    """Every problem of the file with its place, and what to do."""
    title = shown("This spec cannot be used yet. Press e to fix it here, E for $EDITOR.", "bold $warning")
    problems: Sequence[Problem] = getattr(problem, "problems", ())
    found = [shown(str(one)) for one in problems] or [shown(str(problem))]
    return lines([title, Content(""), *found])
