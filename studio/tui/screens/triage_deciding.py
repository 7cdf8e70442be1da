"""A key a decision: painted at once, written off the UI thread, and called saved when it is durable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from textual.content import Content

from studio.chatml import Messages, assistant
from studio.errors import UserError
from studio.files import as_seen
from studio.store.records import Decision, Row, Status
from studio.triage import REASONS, Triage, export_chatml
from studio.tui.dialogs.questions import Choose
from studio.tui.dialogs.reply_editor import ReplyEditor
from studio.tui.live.terminal import edit_text
from studio.tui.screens.stage import StageScreen
from studio.tui.screens.triage_drafts import Drafts
from studio.tui.screens.triage_text import as_text, from_text
from studio.tui.text import join
from studio.tui.widgets.row_list import RowList

Write = Callable[[Triage, str], object]


class Deciding(StageScreen):
    """Decisions on the example under the cursor, or on the marked ones."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._writing: Counter[str] = Counter()
        """Decisions on their way to the disk, by example."""
        self._said = Content("")
        self.drafts = Drafts()

    @property
    def rows(self) -> RowList:
        raise NotImplementedError

    def show_title(self) -> None:
        raise NotImplementedError

    def show_detail(self) -> None:
        raise NotImplementedError

    @property
    def saved_told(self) -> Content:
        """Whether what was decided is on the disk."""
        writing = self._writing.total()
        return join((f"saving {writing}", "$warning")) if writing else self._said

    async def action_accept(self) -> None:
        self._decide(await self._chosen(), "accepted", "accepted", lambda triage, id: triage.accept(id))

    async def action_reject(self) -> None:
        ids = await self._chosen()

        def reject(key: str | None) -> None:
            if key is not None:
                slug = REASONS[key][0]
                self._decide(ids, "rejected", f"rejected: {slug}", lambda triage, id: triage.reject(id, slug))

        if ids:
            choices = {key: label for key, (_, label) in REASONS.items()}
            what = "it" if len(ids) == 1 else f"the {len(ids)} marked"
            self.app.push_screen(Choose(f"Reject {what} because", choices), reject)

    async def action_clear(self) -> None:
        """Take every decision on it back: the judge's word stands."""
        self._decide(await self._chosen(), None, "left to the judge", lambda triage, id: triage.reset(id))

    def action_skip(self) -> None:
        self.rows.action_down()

    async def action_mark(self) -> None:
        if await self._here():
            self.rows.mark()
            self.show_title()

    async def action_edit(self) -> None:
        row = await self._here()
        if row is None:
            return

        id_ = row.example.id

        def edited(reply: str | None) -> None:
            if reply is None:
                self.drafts.drop(id_)
            else:
                self._edit(row, (*row.messages[:-1], assistant(reply)))

        draft = self.drafts.get("reply", id_)
        editor = ReplyEditor(row.messages, draft, lambda text: self.drafts.keep("reply", id_, text))
        self.app.push_screen(editor, edited)

    async def action_editor(self) -> None:
        row = await self._here()
        if row is None:
            return
        text, id_ = as_text(row.messages), row.example.id
        edited = edit_text(self.studio, f"{self.drafts.get('whole', id_) or text}\n", ".md")
        if edited is None:
            return
        self.drafts.keep("whole", id_, edited)
        try:
            messages = from_text(edited)
        except UserError as error:
            self.studio.tell(UserError(error.message, remedy=f"E opens what you wrote again: {error.remedy}"))
        else:
            self._edit(row, messages)

    def _edit(self, row: Row, messages: Messages) -> None:
        if messages == row.messages:
            self.drafts.drop(row.example.id)
        else:
            self._decide([row.example.id], "accepted", "edited", lambda triage, id: triage.edit(id, messages))

    def action_undo(self) -> None:
        self.say("undoing", "$warning")
        self.run(self._step(Triage.undo, "undone", "there is nothing to undo"), keys_wait=True)

    def action_redo(self) -> None:
        self.say("redoing", "$warning")
        self.run(self._step(Triage.redo, "redone", "there is nothing to redo"), keys_wait=True)

    def action_export(self) -> None:
        self.studio.tell("exporting the accepted examples")
        self.run(self._export())

    async def _here(self) -> Row | None:
        """The example under the cursor; says so where it does not come from the disk."""
        row = await self.rows.arrived()
        if row is None and self.rows.count:
            self.studio.tell("the disk is slow: this example is not here yet, and nothing was decided", "warning")
        return row

    async def _chosen(self) -> list[str]:
        """The marked examples, or the one under the cursor."""
        if self.rows.marked:
            return sorted(self.rows.marked)
        row = await self._here()
        return [row.example.id] if row else []

    def _decide(self, ids: list[str], status: Status | None, said: str, write: Write) -> None:
        """Paint, go on to the next example, and write behind it."""
        if not ids:
            return
        self._writing.update(ids)
        if status is not None:
            self.rows.deciding.update(dict.fromkeys(ids, status))
        self.rows.repaint(set(ids))
        if self.rows.marked.issuperset(ids):
            self.rows.unmark()
        else:
            self.rows.pass_by(ids[0])
        self.show_title()
        self.run(self._write(ids, said, write))

    async def _write(self, ids: list[str], said: str, write: Write) -> None:
        workspace = self.session.workspace
        triage = Triage.of_several(workspace) if len(ids) > 1 else Triage(workspace)
        try:
            await self.studio.disk.write(_write_all, write, triage, ids)
            self.drafts.drop(*ids)
            told = f"{len(ids)} {said}" if len(ids) > 1 else said
            self._said = join((f"saved: {told}", "$success"))
        except UserError:
            self._said = join(("not saved", "$error bold"))
            raise
        finally:
            self._writing.subtract(ids)
            await self._settle(ids)

    async def _settle(self, ids: list[str]) -> None:
        """Show the examples as the disk has them now."""
        for id_ in ids:
            if self._writing[id_] <= 0:
                row = await self.studio.disk.read(self.session.workspace.examples.row, id_)
                self.rows.settle(id_, row)
        self._writing += Counter()
        self.show_detail()
        self.studio.wake()

    def say(self, told: str, style: str) -> None:
        self._said = join((told, style))
        self.show_title()

    async def _step(self, take: Callable[[Triage], list[Decision]], done: str, nothing: str) -> None:
        try:
            decisions = await self.studio.disk.write(take, Triage(self.session.workspace))
        except UserError:
            self.say("not saved", "$error bold")
            raise
        if not decisions:
            self.say(nothing, "$quiet")
            return
        many = f" of {len(decisions)}" if len(decisions) > 1 else ""
        self.say(f"{done}: {decisions[-1].action}{many}", "$success")
        self.rows.stand_on(decisions[-1].example_id)
        await self._settle([one.example_id for one in decisions])

    async def _export(self) -> None:
        session = self.session
        export = await self.studio.disk.write(export_chatml, session.workspace, session.loaded)
        skipped = f", {export.skipped} left out" if export.skipped else ""
        self.studio.tell(f"{export.count} examples in {as_seen(export.path)}{skipped}")


def _write_all(write: Write, triage: Triage, ids: list[str]) -> None:
    """In one go, so that who waits for the writes that were asked for waits for all of them."""
    for id_ in ids:
        write(triage, id_)
