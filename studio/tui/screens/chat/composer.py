"""The line in which a message is written: enter sends, ctrl+j is a new line."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import TextArea

from studio.tui.keys import bindings


class Composer(TextArea):
    """A small text area that posts ``Sent`` instead of taking enter."""

    BINDINGS = bindings("write")

    class Sent(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, placeholder: str, id: str) -> None:
        super().__init__(
            id=id, placeholder=placeholder, soft_wrap=True, show_line_numbers=False, highlight_cursor_line=False
        )
        self.cursor_blink = False

    def write(self, text: str) -> None:
        """Put ``text`` there, to be gone on with."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        self.insert("\n")

    async def action_leave(self) -> None:
        await self.app.run_action("back")
