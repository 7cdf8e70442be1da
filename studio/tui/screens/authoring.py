"""Who writes: choosing an author where there is none, or another one, and writing an example by hand."""

from __future__ import annotations

from textual import on
from textual.widgets import OptionList

from studio.build.authors import AuthorChoice
from studio.build.stages import scenarios
from studio.errors import UserError
from studio.generate.by_hand import Added, add_by_hand, read_draft, template
from studio.llm import ModelSettings
from studio.spec import LoadedSpec
from studio.store import Workspace
from studio.tui.dialogs.questions import Ask, Confirm
from studio.tui.live.terminal import edit_text
from studio.tui.live.threads import detached
from studio.tui.screens.author_list import AuthorList, can_press, choices_of, how, servers_here
from studio.tui.screens.job_stage import JobStage

WHICH_MODEL = "Which chat model should write? A hub id or a folder"
OUTCOMES = {
    "added": "added: it waits for your decision (4)",
    "known": "this example is there already",
    "duplicate": "rejected as a near-duplicate of",
    "held_out": "rejected: it says a held-out message,",
}


class Authoring(JobStage):
    """Holds the list of authors, which the screen lays out as ``#authors``."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._draft = ""
        """An example by hand that could not be used as it was written."""

    @property
    def nobody_writes(self) -> bool:
        """Neither a model nor a recording is there to write."""
        session = self.session
        return session.settings.author_offline and session.loaded.recorded_path is None

    @property
    def authors(self) -> AuthorList:
        return self.query_one(AuthorList)

    @property
    def authors_shown(self) -> bool:
        return self.has_class("-authors")

    def show_authors(self) -> None:
        """Show who could write, at once; servers on this machine are asked meanwhile."""
        self.add_class("-authors")
        self.authors.focus()
        self.run(self._list_authors(), "authors", exclusive=True)

    async def _list_authors(self) -> None:
        session, environment = self.session, self.studio.environment
        read = self.studio.disk.read
        self.authors.show(await read(choices_of, session, environment, ()), asking=True)
        servers = await detached(servers_here)
        self.authors.show(await read(choices_of, session, environment, servers), asking=False)

    def hide_authors(self) -> None:
        self.remove_class("-authors")
        self.query_one("#rows").focus()

    def action_authors(self) -> None:
        self.show_authors()

    @on(OptionList.OptionSelected, "#authors")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        choice = self.authors.choices[event.option_index]
        if choice.ready:
            self.studio.tell("this one writes already: s starts")
        elif not can_press(choice):
            self.studio.tell(f"{choice.text}: {how(choice)}")
        elif choice.kind == "hand":
            self.action_new()
        elif choice.kind == "local":
            self.app.push_screen(Ask(WHICH_MODEL, note=choice.text), self._serve)
        elif choice.settings is not None:
            self._ask_for_a_yes(choice, choice.settings)

    def _ask_for_a_yes(self, choice: AuthorChoice, settings: ModelSettings) -> None:
        question = f"Use {settings.model} at {settings.place} to write and to judge?"
        consequence = f"Until this window is closed; the next time: {choice.how}"

        def answered(sure: bool | None) -> None:
            if sure:
                self._use(settings)

        self.app.push_screen(Confirm(question, consequence), answered)

    def _serve(self, model: str | None) -> None:
        if model and model.strip():
            self._use(self.session.settings.model_copy(update={"author_local": model.strip()}))

    def _use(self, settings: ModelSettings) -> None:
        self.hide_authors()
        self.run(self._used(settings), "authors", exclusive=True, keys_wait=True)

    async def _used(self, settings: ModelSettings) -> None:
        await self.studio.use_models(settings)
        self.studio.tell(f"{self.studio.environment.author} writes: s starts")

    def action_new(self) -> None:
        """Write one example in $EDITOR."""
        self.run(self._new(), "new", keys_wait=True)

    async def _new(self) -> None:
        loaded, workspace = self.session.loaded, self.session.workspace
        if not self._draft:
            open_ones = await self.studio.disk.read(scenarios, self.session)
            thinnest = min(open_ones, key=lambda one: one.accepted + one.pending - one.share, default=None)
            page = template(loaded.spec, thinnest.scenario if thinnest else "")
        text = edit_text(self.studio, self._draft or page)
        if text is None or (not self._draft and text == page):
            self.studio.tell("nothing was written")
            return
        try:
            added = await self.studio.disk.write(_add, loaded, workspace, text)
        except UserError as error:
            self._draft = text
            raise UserError(
                error.message, remedy=f"n opens what you wrote again; {error.remedy}".rstrip("; ")
            ) from None
        self._draft = ""
        says = f" {added.says}" if added.says else ""
        self.studio.tell(f"{OUTCOMES[added.outcome]}{says}")
        self.studio.wake()


def _add(loaded: LoadedSpec, workspace: Workspace, text: str) -> Added:
    (added,) = add_by_hand(loaded, workspace, [read_draft(text, "the example", loaded.spec)])
    return added
