"""The persona: its parts to read, the prompts made from it, and its file to edit in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import ContentSwitcher

from studio.tui.keys import BY_ID, bindings
from studio.tui.live.terminal import edit_file
from studio.tui.screens.stage import StageScreen
from studio.tui.text import lines, shown
from studio.tui.widgets.page import Page
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from studio.tui.live.state import Value
    from studio.tui.screens.spec.editor import SpecEditor

PARTS = ("overview", "traits", "vocabulary", "patterns", "boundaries", "rules", "examples", "scenarios", "gates")
PROMPTS = ("persona prompt", "author prompt", "judge prompt")
NAMES = (*PARTS, *PROMPTS)
"""As in :mod:`studio.tui.screens.spec.pages`, which is imported after the first paint."""


class SpecScreen(StageScreen):
    """A list of parts beside the page of the one under the cursor; ``e`` puts the editor in their place."""

    CSS_PATH = "spec.tcss"
    NEEDS_SESSION: ClassVar[bool] = False
    BINDINGS = bindings("spec")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._editor: SpecEditor | None = None
        """Made when it is first asked for."""
        self._parts = VirtualList(self._draw, id="parts")
        self._page = Page(id="part", classes="detail")
        self._switcher = ContentSwitcher(initial="reading")

    def body(self) -> ComposeResult:
        with self._switcher, Horizontal(id="reading"):
            yield self._parts
            yield self._page

    def on_mount(self) -> None:
        self._parts.set_count(len(NAMES))
        self._parts.focus()

    def recall(self, state: dict[str, Value]) -> None:
        part = state.get("part")
        if part in NAMES:
            self._parts.move_to(NAMES.index(str(part)))

    def remember(self) -> dict[str, Value]:
        return {"part": NAMES[self._parts.cursor]}

    @property
    def unsaved(self) -> str:
        return "the spec" if self._editor is not None and self._editor.changed else ""

    def _draw(self, index: int, width: int) -> Content:
        return shown(NAMES[index], "$primary" if NAMES[index] in PROMPTS else "")

    @on(VirtualList.Moved, "#parts")
    def sync(self) -> None:
        """Show the part under the cursor, or why there is none."""
        loaded, problem = self.studio.loaded, self.studio.spec_problem
        if problem is not None:
            title = shown("This spec cannot be used yet. Press e to fix it here, E for $EDITOR.", "bold $warning")
            found = getattr(problem, "problems", ()) or [problem]
            self._page.show(lines([title, Content(""), *(shown(str(one)) for one in found)]))
        elif loaded is not None:
            from studio.tui.screens.spec.pages import page_of

            self._page.show(page_of(NAMES[self._parts.cursor], loaded))

    def action_view(self) -> None:
        """From the parts to the prompts, and back."""
        self._parts.move_to(len(PARTS) if self._parts.cursor < len(PARTS) else 0)

    def action_edit(self) -> None:
        self.run(self._edit(), "edit", exclusive=True, keys_wait=True)

    async def _edit(self) -> None:
        from studio.tui.screens.spec.editor import SpecEditor

        if self._editor is None:
            self._editor = SpecEditor(self, saved=self.action_reload, closed=self._read_on, id="editing")
            await self._switcher.add_content(self._editor)
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

    def _read_on(self) -> None:
        """The parts again, in place of the editor."""
        self._show("reading")
        self._parts.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While the editor is open, its keys are the only ones."""
        return self._switcher.current != "editing" or f"spec.{action}" not in BY_ID

    def _show(self, which: str) -> None:
        self._switcher.current = which
        self.refresh_bindings()
