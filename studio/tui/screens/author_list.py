"""Who could write examples here: a list, each with what to press or to type."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from studio.build import Session
from studio.build.authors import AuthorChoice, recorded_left, who_could_write
from studio.doctor import Environment
from studio.files import as_seen
from studio.llm import LocalServer, find_servers
from studio.tui.keys import bindings
from studio.tui.text import join, line, lines

PRESSED = {
    "server": "enter: use it to write and to judge, after a yes",
    "local": "enter: name a model",
    "hand": "enter: write one in $EDITOR",
}
"""What to press, where the window can do it."""


class AuthorList(OptionList):
    """Two lines or more a choice. Posts ``OptionSelected`` with the index of the one that enter was pressed on."""

    BINDINGS = bindings("list")

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, compact=True, markup=False)
        self.choices: tuple[AuthorChoice, ...] = ()

    def show(self, choices: Sequence[AuthorChoice], *, asking: bool) -> None:
        """``asking``: whether servers on this machine are still being asked."""
        self.border_title = "Who could write examples here"
        self.border_subtitle = "asking for servers on this machine" if asking else ""
        if tuple(choices) != self.choices:
            here, self.choices = self.highlighted, tuple(choices)
            self.clear_options()
            self.add_options(Option(choice_content(one)) for one in choices)
            self.highlighted = min(here or 0, len(choices) - 1)

    def action_down(self) -> None:
        self.action_cursor_down()

    def action_up(self) -> None:
        self.action_cursor_up()

    def action_half_down(self) -> None:
        self.action_last()

    def action_half_up(self) -> None:
        self.action_first()

    def action_choose(self) -> None:
        self.action_select()


def choice_content(choice: AuthorChoice) -> Content:
    """Who, and below that what to do about it."""
    state = ("ready: s starts", "$success") if choice.ready else (f"{how(choice)}", "$primary")
    return lines([line(choice.text), join("  ", state)])


def how(choice: AuthorChoice) -> str:
    """What to press where the window can do it, else what to type in a shell."""
    if can_press(choice):
        return PRESSED[choice.kind]
    return f"in a shell: {choice.how}" if choice.how.startswith(("studio", "pip")) else choice.how


def can_press(choice: AuthorChoice) -> bool:
    """Whether enter on it does something."""
    needs_install = choice.kind == "local" and choice.how.startswith("pip")
    return choice.kind in PRESSED and not needs_install and (choice.kind != "server" or choice.settings is not None)


def servers_here() -> tuple[LocalServer, ...]:
    """Asks the usual ports of this machine, for half a second. Blocks: for a thread."""
    return asyncio.run(find_servers())


def choices_of(session: Session, environment: Environment, servers: Sequence[LocalServer]) -> tuple[AuthorChoice, ...]:
    """Reads the recording and the store."""
    return tuple(
        who_could_write(
            session.settings,
            spec=as_seen(session.loaded.path),
            recorded=recorded_left(session.loaded, session.root),
            servers=servers,
            gpu=environment.gpu,
            can_serve=environment.can_train,
        )
    )
