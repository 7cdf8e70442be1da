"""A few named values to change, all in sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from studio.errors import UserError
from studio.tui.keys import name_of
from studio.tui.text import join, lines, shown

CLOSE = join(("esc closes this, j and k scroll", "$quiet"))
"""Of a page to read."""


def hints(*pairs: tuple[str, str]) -> Content:
    """``enter keep   esc leave as it was``."""
    return Content("   ").join(join((key, "$primary bold"), " ", what) for key, what in pairs)


class Confirm(ModalScreen[bool]):
    """``y`` or ``n``. ``consequence`` says what happens if it is done."""

    BINDINGS = [("y", "answer(True)"), ("n,escape", "answer(False)")]

    def __init__(self, question: str, consequence: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._question, self._consequence = question, consequence

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._question, "bold"))
            if self._consequence:
                yield Static(shown(self._consequence))
            yield Static(hints(("y", "yes"), ("n", "no")))

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


class Ask(ModalScreen[str | None]):
    """A line of text; None where it was left with escape. ``check`` raises UserError for one that cannot be: that is
    told, and the line stays open."""

    BINDINGS = [("escape", "leave")]

    def __init__(
        self, question: str, value: str = "", *, note: str = "", check: Callable[[str], object] | None = None
    ) -> None:
        super().__init__()
        self._question, self._value, self._note, self._check = question, value, note, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._question, "bold"))
            field = Input(self._value, compact=True)
            field.cursor_blink = False
            yield field
            if self._note:
                yield Static(shown(self._note, "$quiet"))
            if self._check:
                yield Static(id="wrong")
            yield Static(hints(("enter", "take it"), ("esc", "leave")))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            if self._check:
                self._check(event.value)
        except UserError as error:
            self.query_one("#wrong", Static).update(shown(str(error), "$error"))
        else:
            self.dismiss(event.value)

    def action_leave(self) -> None:
        self.dismiss(None)


class Choose(ModalScreen[str | None]):
    """One of several, by one key: ``choices`` maps the key to what it means."""

    BINDINGS = [("escape", "leave")]

    def __init__(self, question: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._question, self._choices = question, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._question, "bold"))
            choices = {**self._choices} if "escape" in self._choices else {**self._choices, "escape": "leave"}
            yield Static(lines(self._choice(key, label) for key, label in choices.items()))

    def _choice(self, key: str, label: str) -> Content:
        return join((f"{name_of(key):>5}", "$primary bold"), "  ", label)

    def on_key(self, event: events.Key) -> None:
        pressed = event.character if event.character in self._choices else event.key
        if pressed in self._choices:
            event.stop()
            self.dismiss(pressed)

    def action_leave(self) -> None:
        self.dismiss(None)


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
