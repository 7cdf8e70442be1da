"""The last reply of a conversation, to be written better."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from studio.chatml import Messages, last_reply, last_request
from studio.tui.dialogs.questions import Confirm
from studio.tui.keys import bindings
from studio.tui.text import join
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import KeyLine


class ReplyEditor(ModalScreen[str | None]):
    """Gives the reply as it was saved, or None where it was left as it is."""

    AUTO_FOCUS = "TextArea"
    BINDINGS = bindings("reply")

    def __init__(
        self, messages: Messages, draft: str | None = None, typed: Callable[[str], None] = lambda _: None
    ) -> None:
        """``draft`` is what was written before and not saved; ``typed`` is told of every change."""
        super().__init__()
        self._asked, self._reply = last_request(messages), last_reply(messages)
        self._draft, self._tell = draft, typed
        self._clean = self._reply
        """The reply as the text area has it: with one kind of line ends."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            before = "  as you wrote it before; it is not saved" if self._draft else ""
            yield Static(join(("The reply as it ought to be", "bold $primary"), (before, "$warning")))
            yield Page(join(("user  ", "bold"), self._asked), id="asked")
            area = TextArea(self._reply, soft_wrap=True, tab_behavior="indent")
            area.cursor_blink = False
            yield area
            yield KeyLine()

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        self._clean = area.text
        if self._draft:
            area.load_text(self._draft)
        area.move_cursor(area.document.end)

    def on_text_area_changed(self) -> None:
        if self.unsaved:
            self._tell(self._text)

    @property
    def _text(self) -> str:
        return self.query_one(TextArea).text

    @property
    def unsaved(self) -> str:
        """What quitting would lose, in words; empty where nothing."""
        return "the reply" if self._text.strip() != self._clean.strip() else ""

    def action_save(self) -> None:
        text = self._text.strip()
        if not text:
            self.app.notify("an empty reply teaches nothing; esc leaves it as it was", severity="warning")
        else:
            self.dismiss(text if self.unsaved else self._reply)

    def action_leave(self) -> None:
        if not self.unsaved:
            self.dismiss(None)
            return
        self.app.push_screen(Confirm("Leave the reply as it was?", "What you wrote is dropped."), self._leave)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            self.dismiss(None)
