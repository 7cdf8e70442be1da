"""The small questions: yes or no, a line of text, and one of several by a single key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from studio.errors import UserError
from studio.tui.keys import name_of
from studio.tui.text import join, lines, shown
from studio.tui.widgets.hints import hints


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
