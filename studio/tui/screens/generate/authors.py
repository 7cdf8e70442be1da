"""Who could write examples here: a list, each with what to press or to type, and the choice of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from textual.widgets import OptionList
from textual.widgets.option_list import Option

from studio.build import Session
from studio.build.authors import AuthorChoice, recorded_left, who_could_write
from studio.doctor import Environment
from studio.files import as_seen
from studio.llm import LocalServer, ModelSettings, find_servers
from studio.tui.dialogs.questions import Ask, Confirm
from studio.tui.keys import bindings
from studio.tui.live.threads import detached
from studio.tui.screens.stage import StageScreen
from studio.tui.text import join, line, lines

WHICH_MODEL = "Which chat model should write? A hub id or a folder"
OPEN = "-authors"
"""The class of the screen while it shows this list in place of its ``#rows``."""


class AuthorList(OptionList):
    """Two lines or more a choice; enter takes one."""

    BINDINGS = bindings("list")
    action_down = OptionList.action_cursor_down
    action_up = OptionList.action_cursor_up
    action_half_down = OptionList.action_last
    action_half_up = OptionList.action_first
    action_choose = OptionList.action_select

    def __init__(self, stage: StageScreen, by_hand: Callable[[], None], *, id: str) -> None:
        """``by_hand`` lets the user write an example."""
        super().__init__(id=id, compact=True, markup=False)
        self._stage, self._by_hand = stage, by_hand
        self._choices: tuple[AuthorChoice, ...] = ()
        self.border_title = "Who could write examples here"

    def open(self) -> None:
        """Show who could write, at once; servers on this machine are asked meanwhile."""
        self._stage.add_class(OPEN)
        self.focus()
        self._stage.run(self._list(), "authors", exclusive=True)

    def close(self) -> None:
        if self._stage.has_class(OPEN):
            self._stage.remove_class(OPEN)
            self._stage.query_one("#rows").focus()

    async def _list(self) -> None:
        studio = self._stage.studio
        choices = partial(choices_of, self._stage.session, studio.environment)
        self._show(await studio.disk.read(choices, ()), "asking for servers on this machine")
        servers = await detached(servers_here)
        self._show(await studio.disk.read(choices, servers), "")

    def _show(self, choices: tuple[AuthorChoice, ...], note: str) -> None:
        self.border_subtitle = note
        if choices != self._choices:
            here, self._choices = self.highlighted, choices
            state = {True: "$success", False: "$primary"}
            self.set_options(
                Option(lines([line(one.text), join("  ", (how(one), state[one.ready]))])) for one in choices
            )
            self.highlighted = min(here or 0, len(choices) - 1)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        studio, choice = self._stage.studio, self._choices[event.option_index]
        if choice.ready:
            studio.tell("this one writes already: s starts")
        elif not pressed(choice):
            studio.tell(f"{choice.text}: {how(choice)}")
        elif choice.kind == "hand":
            self._by_hand()
        elif choice.kind == "local":
            self.app.push_screen(Ask(WHICH_MODEL, note=choice.text), self._serve)
        elif (settings := choice.settings) is not None:
            question = f"Use {settings.model} at {settings.place} to write and to judge?"
            consequence = f"Until this window is closed; the next time: {choice.how}"
            self.app.push_screen(Confirm(question, consequence), partial(self._use, settings))

    def _serve(self, model: str | None) -> None:
        if model and model.strip():
            self._use(self._stage.session.settings.model_copy(update={"author_local": model.strip()}), True)

    def _use(self, settings: ModelSettings, sure: bool | None) -> None:
        if sure:
            self.close()
            self._stage.run(self._used(settings), "authors", exclusive=True, keys_wait=True)

    async def _used(self, settings: ModelSettings) -> None:
        await self._stage.studio.use_models(settings)
        self._stage.studio.tell(f"{self._stage.studio.environment.author} writes: s starts")


def nobody_writes(session: Session) -> bool:
    """Neither a model nor a recording is there to write."""
    return session.settings.author_offline and session.loaded.recorded_path is None


def how(choice: AuthorChoice) -> str:
    """What to press where the window can do it, else what to type in a shell."""
    if choice.ready:
        return "ready: s starts"
    shell = f"in a shell: {choice.how}" if choice.how.startswith(("studio", "pip")) else choice.how
    return pressed(choice) or shell


def pressed(choice: AuthorChoice) -> str:
    """What enter on it does; empty where it takes more than the window."""
    if choice.kind == "server" and choice.settings is not None:
        return "enter: use it to write and to judge, after a yes"
    if choice.kind == "local" and not choice.how.startswith("pip"):
        return "enter: name a model"
    return "enter: write one in $EDITOR" if choice.kind == "hand" else ""


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
