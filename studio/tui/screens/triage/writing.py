"""Writing examples: an edit of one, in the window or in a person's own editor; one by hand; another by the author."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.chatml import Messages, assistant
from studio.errors import UserError
from studio.generate.regenerate import Regenerated, regenerate
from studio.judge import NOBODY
from studio.llm import ModelError
from studio.store.records import Row
from studio.triage.edits import judge_edit
from studio.tui.dialogs.questions import Ask, Choose
from studio.tui.dialogs.reply_editor import ReplyEditor
from studio.tui.live.by_hand import HandWriting
from studio.tui.live.terminal import edit_text
from studio.tui.live.threads import detached
from studio.tui.screens.triage.decisions import as_text, from_text

if TYPE_CHECKING:
    from studio.tui.screens.triage.screen import TriageScreen


class Writing:
    """An edit is a decision; what is written anew stands beside what it was made of."""

    def __init__(self, screen: TriageScreen) -> None:
        self._screen = screen
        self._hand = HandWriting(screen)

    def edit(self, row: Row) -> None:
        """The reply, in the window."""
        id_, messages, drafts = row.example.id, row.messages, self._screen.decisions.drafts

        def edited(reply: str | None) -> None:
            if reply is None:
                drafts.drop(id_)
            else:
                self._edit(row, (*messages[:-1], assistant(reply)))

        editor = ReplyEditor(messages, drafts.get("reply", id_), lambda text: drafts.keep("reply", id_, text))
        self._screen.app.push_screen(editor, edited)

    def edit_whole(self, row: Row) -> None:
        """The conversation, in $EDITOR."""
        studio, drafts = self._screen.studio, self._screen.decisions.drafts
        text, id_ = as_text(row.messages), row.example.id
        edited = edit_text(studio, f"{drafts.get('whole', id_) or text}\n", ".md")
        if edited is None:
            return
        drafts.keep("whole", id_, edited)
        try:
            messages = from_text(edited)
        except UserError as error:
            studio.tell(UserError(error.message, remedy=f"E opens what you wrote again: {error.remedy}"))
        else:
            self._edit(row, messages)

    def _edit(self, row: Row, messages: Messages) -> None:
        id_, decisions = row.example.id, self._screen.decisions
        if messages == row.messages:
            decisions.drafts.drop(id_)
        else:
            written = decisions.decide([id_], "accepted", "edited", lambda triage, ids: triage.edit(ids[0], messages))
            self._screen.run(self._judge(id_, written), "judge")

    async def _judge(self, id_: str, written: asyncio.Event) -> None:
        """Once the edit is on the disk, by whoever judges here; without a judge by the rules."""
        await written.wait()
        screen, session = self._screen, self._screen.session
        judgement = await detached(
            lambda: asyncio.run(judge_edit(session.loaded, session.workspace, session.settings, id_))
        )
        if judgement is not None and judgement.judge != NOBODY:
            total = "" if judgement.total is None else f", {judgement.total:.1f} of 10"
            screen.decisions.say(f"saved: edited; {judgement.judge}: {judgement.verdict}{total}", "$success")
            screen.rows.renew()
            screen.studio.wake()

    async def by_hand(self) -> None:
        """One in $EDITOR, of the scenario under the cursor; the cursor stands on it then."""
        row = self._screen.rows.current
        added = await self._hand.write(row.example.scenario if row else "", "b")
        if added is not None:
            self._screen.rows.stand_on(added.example_id)

    def offer_another(self, row: Row) -> None:
        """Another reply beside this one, or another conversation: by the author, with a note."""
        screen = self._screen
        if screen.session.settings.author_offline:
            remedy = "start the window with --endpoint URL --model NAME; b writes one by hand, e edits this one"
            screen.studio.tell(UserError("no model is there to write another", remedy=remedy))
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                screen.app.push_screen(Ask("What ought to be other?", note="for the author; may be empty"), noted(key))

        def noted(key: str) -> Callable[[str | None], None]:
            def ask(note: str | None) -> None:
                if note is not None:
                    screen.run(self._another(row, note, whole=key == "c"))

            return ask

        choices = {"r": "another reply to the same user's turn", "c": "another conversation, of the same person"}
        screen.app.push_screen(Choose("Regenerate", choices), chosen)

    async def _another(self, row: Row, note: str, *, whole: bool) -> None:
        screen, session, say = self._screen, self._screen.session, self._screen.decisions.say
        say("the author writes", "$warning")

        def asked() -> Regenerated:
            return asyncio.run(regenerate(session.loaded, session.workspace, session.settings, row, note, whole=whole))

        try:
            made = await detached(asked)
        except ModelError as error:
            say("nothing was written", "$error bold")
            raise UserError(f"no answer came: {error}", remedy="R asks again") from None
        except UserError:
            say("nothing was written", "$error bold")
            raise
        total = "unscored" if made.total is None else f"{made.total:.1f} of 10"
        why = f": {', '.join(made.reasons)}" if made.reasons else ""
        say(f"written beside it: {made.verdict}, {total}{why}", "$success")
        screen.studio.wake()
        screen.rows.stand_on(made.example_id)
