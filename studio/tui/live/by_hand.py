"""Writing an example by hand in $EDITOR: what could not be used is kept and opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.generate.by_hand import Added, add_by_hand, read_draft, template
from studio.tui.live.terminal import edit_text

if TYPE_CHECKING:
    from studio.build import Session
    from studio.tui.screens.stage import StageScreen

OUTCOMES = {
    "added": "added: it waits for your decision (4)",
    "known": "this example is there already",
    "duplicate": "rejected as a near-duplicate of",
    "held_out": "rejected: it says a held-out message,",
}
"""What became of an example by hand."""


class HandWriting:
    """One screen's."""

    def __init__(self, screen: StageScreen) -> None:
        self._screen = screen
        self._draft = ""
        """What could not be used as it was written."""

    @property
    def drafted(self) -> bool:
        return bool(self._draft)

    async def write(self, scenario: str, key: str) -> Added | None:
        """One example, of ``scenario`` unless another is written; None where nothing was. ``key`` opens it again.

        Raises UserError for what is no conversation.
        """
        studio, session = self._screen.studio, self._screen.session
        page = self._draft or template(session.loaded.spec, scenario)
        text = edit_text(studio, page)
        if text is None or (not self._draft and text == page):
            studio.tell("nothing was written")
            return None
        try:
            added = await studio.disk.write(_add, session, text)
        except UserError as error:
            self._draft = text
            remedy = f"{key} opens what you wrote again; {error.remedy}".rstrip("; ")
            raise UserError(error.message, remedy=remedy) from None
        self._draft = ""
        studio.tell(f"{OUTCOMES[added.outcome]} {added.says}".rstrip())
        studio.wake()
        return added


def _add(session: Session, text: str) -> Added:
    """Writes the store. Raises UserError for what is no conversation."""
    draft = read_draft(text, "the example", session.loaded.spec)
    (added,) = add_by_hand(session.loaded, session.workspace, [draft])
    return added
