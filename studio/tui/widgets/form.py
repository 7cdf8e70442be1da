"""A few named values to change, all in sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from studio.errors import UserError
from studio.tui.text import shown
from studio.tui.widgets.hints import hints

Values = dict[str, str]


class Form(ModalScreen[Values | None]):
    """Gives the values as typed, or None. ``check`` raises UserError for values that cannot be."""

    BINDINGS = [("escape", "leave"), ("down,tab", "move(1)"), ("up,shift+tab", "move(-1)")]
    DEFAULT_CSS = """
    Form .field { height: 1; }
    Form .field Static { width: 18; }
    Form .field Input { width: 1fr; background: $background; }
    Form #wrong { color: $error; }
    """

    def __init__(self, title: str, values: Mapping[str, str], check: Callable[[Values], object], note: str) -> None:
        super().__init__()
        self._title, self._values, self._check, self._note = title, dict(values), check, note

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._title, "bold"))
            for name, value in self._values.items():
                with Horizontal(classes="field"):
                    yield Static(shown(name, "$quiet"))
                    field = Input(value, compact=True, id=name)
                    field.cursor_blink = False
                    yield field
            yield Static(shown(self._note, "$quiet"))
            yield Static("", id="wrong")
            yield Static(hints(("enter", "keep"), ("esc", "leave as it was")))

    def on_input_submitted(self) -> None:
        values = {field.id or "": field.value.strip() for field in self.query(Input)}
        try:
            self._check(values)
        except UserError as error:
            self.query_one("#wrong", Static).update(shown(str(error)))
        else:
            self.dismiss(values)

    def action_move(self, step: int) -> None:
        fields = list(self.query(Input))
        here = next((number for number, field in enumerate(fields) if field.has_focus), 0)
        fields[(here + step) % len(fields)].focus()

    def action_leave(self) -> None:
        self.dismiss(None)
