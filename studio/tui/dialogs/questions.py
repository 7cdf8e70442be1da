"""The small questions: yes or no, one of several by a single key, a line of text, and a few named values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from studio.errors import UserError
from studio.tui.keys import name_of
from studio.tui.text import join, lines, shown

T = TypeVar("T")
Values = dict[str, str]
CLOSE = join(("esc closes this, j and k scroll", "$quiet"))
"""The last line of a page to read."""


def hints(*pairs: tuple[str, str]) -> Content:
    """The last line of a dialog, which keys it takes: ``enter keep   esc leave as it was``."""
    return Content("   ").join(join((key, "$primary bold"), " ", what) for key, what in pairs)


def field(value: str = "", placeholder: str = "", id: str | None = None) -> Input:
    """A line to write in, without a blinking cursor."""
    found = Input(value, placeholder=placeholder, compact=True, id=id)
    found.cursor_blink = False
    return found


class Dialog(ModalScreen[T | None], Generic[T]):
    """Gives what its subclass says, or None where it was left with escape."""

    BINDINGS = [("escape", "leave")]

    def action_leave(self) -> None:
        self.dismiss(None)


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


class Choose(Dialog[str]):
    """One of several, by one key: ``choices`` maps the key to what it means."""

    def __init__(self, question: str, choices: Mapping[str, str]) -> None:
        super().__init__()
        self._question, self._choices = question, choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._question, "bold"))
            choices = self._choices if "escape" in self._choices else {**self._choices, "escape": "leave"}
            yield Static(
                lines(join((f"{name_of(key):>5}", "$primary bold"), "  ", label) for key, label in choices.items())
            )

    def on_key(self, event: events.Key) -> None:
        pressed = event.character if event.character in self._choices else event.key
        if pressed in self._choices:
            event.stop()
            self.dismiss(pressed)


class Checked(Dialog[T]):
    """What is typed, once ``check`` raises no UserError: that is told, and the dialog stays open."""

    HINTS: Sequence[tuple[str, str]] = (("enter", "take it"), ("esc", "leave"))

    def __init__(self, question: str, note: str, check: Callable[[T], object] | None) -> None:
        super().__init__()
        self._question, self._note, self._check = question, note, check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(shown(self._question, "bold"))
            yield from self.fields()
            if self._note:
                yield Static(shown(self._note, "$quiet"))
            if self._check:
                yield Static(id="wrong")
            yield Static(hints(*self.HINTS))

    def fields(self) -> ComposeResult:
        raise NotImplementedError

    def typed(self) -> T:
        raise NotImplementedError

    def on_input_submitted(self) -> None:
        value = self.typed()
        try:
            if self._check:
                self._check(value)
        except UserError as error:
            self.query_one("#wrong", Static).update(shown(str(error), "$error"))
        else:
            self.dismiss(value)


class Ask(Checked[str]):
    """A line of text."""

    def __init__(
        self, question: str, value: str = "", *, note: str = "", check: Callable[[str], object] | None = None
    ) -> None:
        super().__init__(question, note, check)
        self._value = value

    def fields(self) -> ComposeResult:
        yield field(self._value)

    def typed(self) -> str:
        return self.query_one(Input).value


class Form(Checked[Values]):
    """A few named values to change, all in sight."""

    BINDINGS = [("down,tab", "move(1)"), ("up,shift+tab", "move(-1)")]
    HINTS: Sequence[tuple[str, str]] = (("enter", "keep"), ("esc", "leave as it was"))
    DEFAULT_CSS = """
    Form .field { height: 1; }
    Form .field Static { width: 18; }
    Form .field Input { width: 1fr; background: $background; }
    """

    def __init__(
        self, title: str, values: Mapping[str, str], check: Callable[[Values], object], note: str, *, enter: str = ""
    ) -> None:
        """``enter``: what that key does here, where it is more than to keep the values."""
        super().__init__(title, note, check)
        self._values = values
        if enter:
            self.HINTS = ("enter", enter), ("↑ ↓", "fields"), ("esc", "leave")

    def fields(self) -> ComposeResult:
        for name, value in self._values.items():
            with Horizontal(classes="field"):
                yield Static(shown(name, "$quiet"))
                yield field(value, id=name)

    def typed(self) -> Values:
        return {one.id or "": one.value.strip() for one in self.query(Input)}

    def action_move(self, step: int) -> None:
        fields = list(self.query(Input))
        here = next((number for number, one in enumerate(fields) if one.has_focus), 0)
        fields[(here + step) % len(fields)].focus()
