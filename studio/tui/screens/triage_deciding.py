"""A key a decision: painted at once, written off the UI thread, and called saved when it is durable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from textual.content import Content

from studio.chatml import Messages, assistant
from studio.errors import UserError
from studio.store.records import Decision, Row, Status
from studio.triage import REASONS, Triage, export_chatml
from studio.tui.external import edit_text
from studio.tui.screens.stage import StageScreen
from studio.tui.screens.triage_text import ABOUT, as_text, from_text
from studio.tui.text import join
from studio.tui.widgets.dialogs import Choose
from studio.tui.widgets.reply_editor import ReplyEditor
from studio.tui.widgets.row_list import RowList

Write = Callable[[Triage, str], object]


class Deciding(StageScreen):
    """Decisions on the example under the cursor, or on the marked ones."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._writing: Counter[str] = Counter()
        """Decisions on their way to the disk, by example."""
        self._said = Content("")

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

    def action_accept(self) -> None:
        self._decide("accepted", "accepted", lambda triage, id: triage.accept(id))

    def action_reject(self) -> None:
        if self._chosen():
            choices = {key: label for key, (_, label) in REASONS.items()}
            self.app.push_screen(Choose("Reject it because", choices), self._reject)

    def _reject(self, key: str | None) -> None:
        if key is not None:
            slug = REASONS[key][0]
            self._decide("rejected", f"rejected: {slug}", lambda triage, id: triage.reject(id, slug))

    def action_clear(self) -> None:
        """Take every decision on it back: the judge's word stands."""
        self._decide(None, "left to the judge", lambda triage, id: triage.reset(id))

    def action_skip(self) -> None:
        self.rows.action_down()

    def action_mark(self) -> None:
        self.rows.mark()

    def action_edit(self) -> None:
        row = self.rows.current
        if row is None:
            return

        def edited(reply: str | None) -> None:
            if reply is not None:
                self._edit(row, (*row.messages[:-1], assistant(reply)))

        self.app.push_screen(ReplyEditor(row.messages), edited)

    def action_editor(self) -> None:
        row = self.rows.current
        if row is None:
            return
        text = as_text(row.messages)
        edited = edit_text(self.studio, f"{text}\n", ".md")
        if edited is None or edited.strip() == text.strip():
            return
        try:
            self._edit(row, from_text(edited))
        except UserError as error:
            self.studio.tell(UserError(error.message, remedy=f"{error.remedy}. {ABOUT}"))

    def _edit(self, row: Row, messages: Messages) -> None:
        if messages != row.messages:
            ids = [row.example.id]
            self._decide("accepted", "edited", lambda triage, id: triage.edit(id, messages), ids)

    def action_undo(self) -> None:
        self._said = join(("taking back", "$warning"))
        self.show_title()
        self.run(self._step(Triage.undo, "took back", "there is nothing to take back"), keys_wait=True)

    def action_redo(self) -> None:
        self._said = join(("putting back", "$warning"))
        self.show_title()
        self.run(self._step(Triage.redo, "put back", "there is nothing to put back"), keys_wait=True)

    def action_export(self) -> None:
        self.studio.tell("exporting the accepted examples")
        self.run(self._export())

    def _chosen(self) -> list[str]:
        """The marked examples, or the one under the cursor; says so where that has not come from the disk yet."""
        row = self.rows.current
        if row is None and self.rows.count and not self.rows.marked:
            self.studio.tell("the disk is slow: this example is not here yet, and nothing was decided", "warning")
        return sorted(self.rows.marked) or ([row.example.id] if row else [])

    def _decide(self, status: Status | None, said: str, write: Write, ids: list[str] | None = None) -> None:
        """Paint, go on to the next example, and write behind it."""
        ids = ids or self._chosen()
        if not ids:
            return
        single = not self.rows.marked
        self._writing.update(ids)
        if status is not None:
            self.rows.deciding.update(dict.fromkeys(ids, status))
        self.rows.unmark()
        self.rows.repaint(set(ids))
        if single:
            self.rows.action_down()
        self.show_title()
        self.run(self._write(ids, said, write))

    async def _write(self, ids: list[str], said: str, write: Write) -> None:
        triage = Triage(self.session.workspace)
        try:
            for id_ in ids:
                await self.studio.disk.write(write, triage, id_)
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

    async def _step(self, take: Callable[[Triage], Decision | None], done: str, nothing: str) -> None:
        decision = await self.studio.disk.write(take, Triage(self.session.workspace))
        if decision is None:
            self._said = join((nothing, "$quiet"))
            self.show_title()
            return
        self._said = join((f"{done}: {decision.action}", "$success"))
        self.rows.stand_on(decision.example_id)
        await self._settle([decision.example_id])

    async def _export(self) -> None:
        session = self.session
        export = await self.studio.disk.write(export_chatml, session.workspace, session.loaded)
        skipped = f", {export.skipped} left out" if export.skipped else ""
        self.studio.tell(f"{export.count} examples in {export.path}{skipped}")
